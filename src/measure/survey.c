/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/survey.h"

#include "base/macros.h"

#include <string.h>

/* The longest life that a vendor's kernel takes for tcp_tw_timeout is 600 s; a day is beyond any doubt. */
#define LIFE_SECONDS_MAX (24 * 60 * 60)

int tw_survey_work_init(struct tw_survey_work *work, const struct tw_hash_key *secret)
{
	tw_port_set_clear(&work->range);
	tw_port_set_clear(&work->bound);
	work->life_ms = (uint32_t)(TW_TIME_WAIT_USEC / TW_USEC_PER_MSEC);
	work->young_ms = (uint32_t)(TW_SURVEY_YOUNG_USEC / TW_USEC_PER_MSEC);
	return tw_table_init(&work->table, secret);
}

void tw_survey_work_done(struct tw_survey_work *work)
{
	tw_table_done(&work->table);
}

static uint32_t time_wait_life_ms(const struct tw_gauge *gauge)
{
	const struct tw_live_value *timeout = &gauge->sysctls[TW_TUNABLE_TW_TIMEOUT];
	int64_t seconds = timeout->value.numbers[0];

	if (!timeout->known || seconds <= 0 || seconds > LIFE_SECONDS_MAX)
		return (uint32_t)(TW_TIME_WAIT_USEC / TW_USEC_PER_MSEC);
	return (uint32_t)seconds * 1000;
}

void tw_survey_work_begin(struct tw_survey_work *work, const struct tw_port_set *range, const struct tw_gauge *gauge)
{
	uint32_t young_ms = (uint32_t)(TW_SURVEY_YOUNG_USEC / TW_USEC_PER_MSEC);

	tw_table_clear(&work->table);
	work->range = *range;
	tw_port_set_clear(&work->bound);
	tw_binders_clear(&work->binders);
	work->time_wait = work->outside = 0;
	work->life_ms = time_wait_life_ms(gauge);
	work->young_ms = TW_MIN(young_ms, work->life_ms);
}

/* Its age is what is missing from its life. */
static bool is_young(const struct tw_survey_work *work, const struct tw_flow *flow)
{
	return flow->expires_ms >= work->life_ms - work->young_ms;
}

void tw_survey_work_add(struct tw_survey_work *work, const struct tw_flow *flow)
{
	bool inside = tw_port_set_has(&work->range, flow->local.port);
	struct tw_destination key;

	if (flow->state == TW_STATE_TIME_WAIT) {
		work->time_wait++;
		work->outside += !inside;
	}
	/* SYN-RECV is the accepting side by its nature, also where its listener has gone. */
	if (flow->state == TW_STATE_SYN_RECV || flow->state == TW_STATE_LISTEN || !inside)
		return;
	if (flow->state == TW_STATE_BOUND) {
		tw_port_set_add(&work->bound, flow->local.port);
		tw_binders_add(&work->binders, flow);
		return;
	}
	key.source = flow->local.address;
	key.destination = flow->remote.address;
	key.port = flow->remote.port;
	key.device = flow->device;
	key.zero = 0;
	tw_table_add(&work->table, &key, flow->state, is_young(work, flow));
}

void tw_survey_work_end(struct tw_survey_work *work)
{
	tw_table_flush(&work->table);
}

static struct tw_value percent_at_most_100(uint64_t part, uint64_t whole)
{
	return tw_value_percent(TW_MIN(part, whole), whole);
}

static struct tw_destination_row row_of(const struct tw_table_entry *entry, const struct tw_survey *survey)
{
	return (struct tw_destination_row){
		.key = entry->key,
		.ports = entry->ports,
		.time_wait = entry->time_wait,
		.young_time_wait = entry->young_time_wait,
		.established = entry->established,
		.other = entry->ports - entry->time_wait - entry->established,
		.port_use = percent_at_most_100((uint64_t)entry->ports + survey->bound_ports, survey->range_ports),
	};
}

/* The most ports that any destination would come to hold, and the bound ones. Not held at 100 %: a load can want more.
 */
static uint64_t demand(const struct tw_survey_work *work, uint32_t bound_ports)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < work->table.slot_count; i++) {
		const struct tw_table_entry *entry = &work->table.slots[i];
		uint64_t wanted;

		if (entry->ports == 0)
			continue;
		wanted = entry->ports - entry->time_wait +
			 (uint64_t)entry->young_time_wait * work->life_ms / work->young_ms;
		most = TW_MAX(most, wanted);
	}
	return most + bound_ports;
}

void tw_survey_work_results(const struct tw_survey_work *work, struct tw_survey *ret)
{
	const struct tw_table_entry *rows[TW_TOP_MAX];

	ret->range_ports = tw_port_set_size(&work->range);
	ret->bound_ports = tw_port_set_size(&work->bound);
	tw_binders_results(&work->binders, ret);
	ret->destinations = tw_table_destinations(&work->table);
	ret->dropped = work->table.dropped;
	ret->time_wait = work->time_wait;
	ret->accepting_time_wait = work->outside;
	ret->top_count = tw_table_top(&work->table, rows, TW_TOP_MAX);
	for (unsigned i = 0; i < ret->top_count; i++)
		ret->top[i] = row_of(rows[i], ret);
	ret->has_busiest = ret->top_count > 0;
	ret->port_use =
		ret->has_busiest ? ret->top[0].port_use : percent_at_most_100(ret->bound_ports, ret->range_ports);
	ret->port_demand = tw_value_percent(demand(work, ret->bound_ports), ret->range_ports);
}
