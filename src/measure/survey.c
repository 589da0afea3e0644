/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/survey.h"

#include "base/macros.h"
#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Cgroups asked for in one step: the name of a unit is mostly at hand. */
#define CGROUPS_A_STEP 64u

int tw_survey_work_init(struct tw_survey_work *work, const struct tw_hash_key *secret)
{
	work->exclusive.table = &work->table;
	work->exclusive.survey = &work->survey;
	work->exclusive.secret = (uint32_t)secret->k0;
	return tw_table_init(&work->table, secret);
}

void tw_survey_work_done(struct tw_survey_work *work)
{
	tw_table_done(&work->table);
}

void tw_survey_work_begin(struct tw_survey_work *work, const struct tw_port_set *usable,
			  const struct tw_port_set *listening, const struct tw_gauge *gauge,
			  const struct tw_live_value *baseline, struct tw_parity_past *past)
{
	struct tw_survey *survey = &work->survey;
	struct tw_port_set range = *usable;
	uint32_t first = 0;
	uint16_t low, high;

	/* The lower bound, reserved or not; as the gauge has it, where it does. */
	if (!tw_gauge_port_range(gauge, &low, &high))
		low = tw_port_set_next(usable, &first) ? (uint16_t)first : UINT16_MAX;
	memset(survey, 0, offsetof(struct tw_survey, top));
	survey->usable = tw_port_set_size(&range);
	survey->reused = gauge->counters[TW_COUNTER_TIME_WAIT_REUSED];
	survey->opened = gauge->counters[TW_COUNTER_ACTIVE_OPEN];
	work->rule = tw_reuse_rule(gauge, baseline);
	survey->reuse = work->rule.reuse;
	survey->reuse_delay_ms = work->rule.delay_ms;
	work->listening = *listening;
	tw_port_set_subtract(&range, &work->listening);
	tw_table_clear(&work->table);
	tw_exclusive_begin(&work->exclusive, &range, low, past);
	work->settled = false;
	work->pending_next = 0;
	work->life_ms = tw_time_wait_life_ms(gauge);
	work->young_ms = TW_MIN((uint32_t)(TW_SURVEY_YOUNG_USEC / TW_USEC_PER_MSEC), work->life_ms);
	work->cgroup_count = work->cgroups_asked = 0;
	work->living_turn = work->living_set = 0;
	memset(work->living, 0, sizeof(work->living));
}

/* ---- sockets */

/* What of its life is left to a TIME-WAIT that is `age_ms` old. */
static uint32_t left_at(const struct tw_survey_work *work, uint32_t age_ms)
{
	return work->life_ms - TW_MIN(work->life_ms, age_ms);
}

static enum tw_holder holder_of(const struct tw_flow *flow)
{
	/* The other states hold none towards anybody, and do not come here. */
	static const enum tw_holder holders[TW_STATE_COUNT] = {
		[TW_STATE_TIME_WAIT] = TW_HOLDER_TIME_WAIT,   [TW_STATE_ESTABLISHED] = TW_HOLDER_ESTABLISHED,
		[TW_STATE_SYN_SENT] = TW_HOLDER_SYN_SENT,     [TW_STATE_FIN_WAIT_2] = TW_HOLDER_FIN_WAIT_2,
		[TW_STATE_CLOSE_WAIT] = TW_HOLDER_CLOSE_WAIT, [TW_STATE_FIN_WAIT_1] = TW_HOLDER_CLOSING,
		[TW_STATE_LAST_ACK] = TW_HOLDER_CLOSING,      [TW_STATE_CLOSING] = TW_HOLDER_CLOSING,
	};

	return flow->mini && flow->state == TW_STATE_FIN_WAIT_2 ? TW_HOLDER_FIN_WAIT_2_ORPHANED : holders[flow->state];
}

/* Of every destination that comes by the last few living sockets are remembered, as far as there is room. */
static void remember_living(struct tw_survey_work *work, uint32_t hash, const struct tw_flow *flow)
{
	unsigned set = hash % TW_SURVEY_LIVING_SETS, way;

	if (flow->mini || flow->state == TW_STATE_TIME_WAIT || flow->state == TW_STATE_SYN_SENT)
		return;
	way = work->living_turn++ % TW_SURVEY_LIVING_WAYS;
	work->living[set][way].hash = hash;
	work->living[set][way].flow = *flow;
}

static void count(struct tw_survey_work *work, const struct tw_survey_pending *pending)
{
	struct tw_table_entry *entry = tw_table_get(&work->table, pending->hash, &pending->key);

	tw_table_count(&entry->held[pending->holder], true);
	tw_table_count(&entry->young, pending->young);
	tw_table_count(&entry->unripe, pending->unripe);
	tw_table_count(&entry->far, pending->far);
}

static void add_to_destination(struct tw_survey_work *work, const struct tw_flow *flow)
{
	struct tw_survey_pending *pending = &work->pending[work->pending_next % TW_SURVEY_PENDING_MAX];
	bool waits = flow->state == TW_STATE_TIME_WAIT;

	/* The oldest has had its time. */
	if (work->pending_next++ >= TW_SURVEY_PENDING_MAX)
		count(work, pending);
	*pending = (struct tw_survey_pending){
		.key = { flow->local.address, flow->remote.address, flow->device, flow->remote.port, 0 },
		.holder = holder_of(flow),
		.young = waits && flow->expires_ms >= left_at(work, work->young_ms),
		.unripe = waits && flow->expires_ms > left_at(work, work->rule.delay_ms),
		.far = tw_parity_is_far(work->exclusive.low, flow->local.port),
	};
	pending->hash = tw_table_hash(&work->table, &pending->key);
	tw_table_fetch(&work->table, pending->hash,
		       work->pending[(work->pending_next + TW_SURVEY_PENDING_MAX / 2) % TW_SURVEY_PENDING_MAX].hash);
	tw_exclusive_add(&work->exclusive, flow->local.port, pending->hash, waits && !pending->unripe);
	remember_living(work, pending->hash, flow);
}

static void add_bound(struct tw_survey_work *work, const struct tw_flow *flow)
{
	uint64_t id = flow->has_cgroup ? flow->cgroup_id : 0;
	unsigned at = 0;

	tw_port_set_add(&work->exclusive.bound, flow->local.port);
	while (at < work->cgroup_count && work->cgroups[at].id != id)
		at++;
	if (at == TW_SURVEY_CGROUPS_MAX)
		return;
	if (at == work->cgroup_count) {
		work->cgroups[at].id = id;
		work->cgroups[work->cgroup_count++].sockets = 0;
	}
	work->cgroups[at].sockets++;
}

void tw_survey_work_add(struct tw_survey_work *work, const struct tw_flow *flow)
{
	bool inside = tw_port_set_has(&work->exclusive.range, flow->local.port);

	if (flow->state == TW_STATE_TIME_WAIT) {
		work->survey.time_wait++;
		if (!inside && tw_port_set_has(&work->listening, flow->local.port))
			work->survey.accepting_time_wait++;
		else
			work->survey.outside_time_wait += !inside;
	}
	/* SYN-RECV is the accepting side by its nature, also where its listener has gone. */
	if (flow->state == TW_STATE_SYN_RECV || flow->state == TW_STATE_LISTEN || !inside)
		return;
	if (flow->state == TW_STATE_BOUND)
		add_bound(work, flow);
	else
		add_to_destination(work, flow);
}

/* ---- questions */

static int compare_bound_rows(const void *left, const void *right)
{
	const struct tw_bound_row *a = left, *b = right;

	if (a->sockets != b->sockets)
		return a->sockets > b->sockets ? -1 : 1;
	return strcmp(a->unit, b->unit);
}

/* A unit may have several cgroups. Where the rows are full the smallest gives way. */
static void add_bound_row(struct tw_survey *survey, const char *unit, uint32_t sockets)
{
	unsigned at = 0;

	while (at < survey->bound_row_count && strcmp(survey->bound_rows[at].unit, unit) != 0)
		at++;
	if (at == TW_BOUND_ROWS_MAX && survey->bound_rows[--at].sockets >= sockets)
		return;
	if (at == survey->bound_row_count || strcmp(survey->bound_rows[at].unit, unit) != 0) {
		survey->bound_row_count = at + 1;
		survey->bound_rows[at].sockets = 0;
		(void)tw_text_copy(survey->bound_rows[at].unit, sizeof(survey->bound_rows[at].unit), unit);
	}
	survey->bound_rows[at].sockets += sockets;
	qsort(survey->bound_rows, survey->bound_row_count, sizeof(survey->bound_rows[0]), compare_bound_rows);
}

static bool ask_units(struct tw_survey_work *work, struct tw_source *source)
{
	unsigned end = TW_MIN(work->cgroups_asked + CGROUPS_A_STEP, work->cgroup_count);

	for (; work->cgroups_asked < end; work->cgroups_asked++) {
		uint64_t id = work->cgroups[work->cgroups_asked].id;
		char unit[TW_UNIT_MAX];

		if (id == 0 || source->unit(source, id, unit) < 0)
			unit[0] = '\0';
		add_bound_row(&work->survey, unit, work->cgroups[work->cgroups_asked].sockets);
	}
	return work->cgroups_asked < work->cgroup_count;
}

/* Those of one set, of destinations that hold a good part of the ports that are left to all. Returns whether any was.
 */
static bool ask_living(struct tw_survey_work *work, struct tw_source *source, unsigned set)
{
	/* Where others block most for all, a few ports are much. */
	uint32_t left = work->survey.usable - work->survey.exclusive_ports;
	bool asked = false;

	for (unsigned way = 0; way < TW_SURVEY_LIVING_WAYS; way++) {
		const struct tw_flow *flow = &work->living[set][way].flow;
		struct tw_table_entry *entry = tw_table_find_hash(&work->table, work->living[set][way].hash);
		struct tw_idle idle = { 0 };

		if (flow->family == 0 || !entry || !tw_port_is_worth(tw_table_ports(entry), left))
			continue;
		asked = true;
		if (source->idle(source, flow, &idle) < 0)
			continue;
		entry->has_timestamps |= idle.timestamps == TW_TIMESTAMPS_YES;
		entry->lacks_timestamps |= idle.timestamps == TW_TIMESTAMPS_NO;
	}
	return asked;
}

bool tw_survey_work_step(struct tw_survey_work *work, struct tw_source *source)
{
	if (ask_units(work, source) || tw_exclusive_step(&work->exclusive, source))
		return true;
	if (!work->settled) {
		for (unsigned i = 0; i < TW_MIN(work->pending_next, (unsigned)TW_SURVEY_PENDING_MAX); i++)
			count(work, &work->pending[i]);
		tw_exclusive_settle(&work->exclusive);
		work->settled = true;
	}
	/* Without TCP timestamps tcp_tw_reuse takes nothing over. No row of a dump says so, a living socket does. */
	while (work->living_set < TW_SURVEY_LIVING_SETS)
		if (ask_living(work, source, work->living_set++))
			return true;
	return false;
}
