/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/survey.h"

#include "base/macros.h"
#include "measure/binder-need.h"

#include <string.h>

int tw_survey_work_init(struct tw_survey_work *work, const struct tw_hash_key *secret)
{
	int r;

	work->life_ms = (uint32_t)(TW_TIME_WAIT_USEC / TW_USEC_PER_MSEC);
	work->young_ms = (uint32_t)(TW_SURVEY_YOUNG_USEC / TW_USEC_PER_MSEC);
	r = tw_table_init(&work->table, secret);
	return r < 0 ? r : tw_exclusive_init(&work->exclusive, (uint32_t)secret->k0);
}

void tw_survey_work_done(struct tw_survey_work *work)
{
	tw_table_done(&work->table);
	tw_exclusive_done(&work->exclusive);
}

/* The lower bound, reserved or not; as the gauge has it, where it does. */
static uint16_t lower_bound(const struct tw_survey_ground *ground)
{
	uint16_t low, high;
	uint32_t port = 0;

	if (tw_gauge_port_range(ground->gauge, &low, &high))
		return low;
	return tw_port_set_next(ground->usable, &port) ? (uint16_t)port : UINT16_MAX;
}

void tw_survey_work_begin(struct tw_survey_work *work, const struct tw_survey_ground *ground)
{
	uint32_t young_ms = (uint32_t)(TW_SURVEY_YOUNG_USEC / TW_USEC_PER_MSEC);
	const struct tw_gauge *gauge = ground->gauge;
	struct tw_port_set range = *ground->usable;

	work->listening = *ground->listening;
	work->usable = tw_port_set_size(&range);
	tw_port_set_subtract(&range, &work->listening);
	tw_table_clear(&work->table);
	tw_exclusive_begin(&work->exclusive, &range, lower_bound(ground));
	tw_binders_clear(&work->binders);
	tw_witnesses_begin(&work->witnesses);
	work->time_wait = work->accepting = work->outside = 0;
	work->settled = false;
	work->life_ms = tw_time_wait_life_ms(gauge);
	work->young_ms = TW_MIN(young_ms, work->life_ms);
	work->rule = tw_reuse_rule(gauge, ground->baseline);
	work->reused = gauge->counters[TW_COUNTER_TIME_WAIT_REUSED];
	work->opened = gauge->counters[TW_COUNTER_ACTIVE_OPEN];
}

/* What of its life is left to a TIME-WAIT that is `age_ms` old. */
static uint32_t left_at(const struct tw_survey_work *work, uint32_t age_ms)
{
	return work->life_ms - TW_MIN(work->life_ms, age_ms);
}

static enum tw_holder holder_of(const struct tw_flow *flow)
{
	switch (flow->state) {
	case TW_STATE_TIME_WAIT:
		return TW_HOLDER_TIME_WAIT;
	case TW_STATE_ESTABLISHED:
		return TW_HOLDER_ESTABLISHED;
	case TW_STATE_SYN_SENT:
		return TW_HOLDER_SYN_SENT;
	case TW_STATE_FIN_WAIT_2:
		return flow->mini ? TW_HOLDER_FIN_WAIT_2_ORPHANED : TW_HOLDER_FIN_WAIT_2;
	case TW_STATE_CLOSE_WAIT:
		return TW_HOLDER_CLOSE_WAIT;
	case TW_STATE_FIN_WAIT_1:
	case TW_STATE_LAST_ACK:
	case TW_STATE_CLOSING:
	/* They hold none towards anybody, and do not come here. */
	case TW_STATE_LISTEN:
	case TW_STATE_SYN_RECV:
	case TW_STATE_BOUND:
	case TW_STATE_COUNT:
		break;
	}
	return TW_HOLDER_CLOSING;
}

static void add_to_destination(struct tw_survey_work *work, const struct tw_flow *flow)
{
	bool waits = flow->state == TW_STATE_TIME_WAIT;
	struct tw_destination key = {
		.source = flow->local.address,
		.destination = flow->remote.address,
		.device = flow->device,
		.port = flow->remote.port,
	};
	struct tw_table_socket socket = {
		.holder = holder_of(flow),
		.young = waits && flow->expires_ms >= left_at(work, work->young_ms),
		.unripe = waits && flow->expires_ms > left_at(work, work->rule.delay_ms),
		.far = tw_parity_is_far(work->exclusive.parity.low, flow->local.port),
	};
	uint32_t hash;

	work->exclusive.has_devices |= flow->device != 0;
	hash = tw_table_add(&work->table, &key, socket);
	tw_port_holders_add(&work->exclusive.holders, flow->local.port, hash, waits && !socket.unripe);
	tw_witnesses_add(&work->witnesses, hash, flow);
}

void tw_survey_work_add(struct tw_survey_work *work, const struct tw_flow *flow)
{
	bool inside = tw_port_set_has(&work->exclusive.range, flow->local.port);

	if (flow->state == TW_STATE_TIME_WAIT) {
		work->time_wait++;
		if (!inside && tw_port_set_has(&work->listening, flow->local.port))
			work->accepting++;
		else
			work->outside += !inside;
	}
	/* SYN-RECV is the accepting side by its nature, also where its listener has gone. */
	if (flow->state == TW_STATE_SYN_RECV || flow->state == TW_STATE_LISTEN || !inside)
		return;
	if (flow->state == TW_STATE_BOUND) {
		tw_port_set_add(&work->exclusive.bound, flow->local.port);
		tw_binders_add(&work->binders, flow);
		return;
	}
	add_to_destination(work, flow);
}

void tw_survey_work_end(struct tw_survey_work *work, uint32_t ask_most)
{
	tw_table_flush(&work->table);
	tw_exclusive_ask(&work->exclusive, ask_most);
}

bool tw_survey_work_step(struct tw_survey_work *work, struct tw_source *source, struct tw_parity_past *past)
{
	if (tw_exclusive_step(&work->exclusive, source))
		return true;
	if (!work->settled) {
		tw_exclusive_settle(&work->exclusive, &work->table, past);
		work->left = tw_port_set_size(&work->exclusive.range) - tw_exclusive_ports(&work->exclusive);
		work->settled = true;
	}
	/* Where others block most for all, a few ports are much. */
	return tw_witnesses_step(&work->witnesses, source, &work->table, work->left);
}

/* ---- rows */

/* What the rows are made with. */
struct view {
	const struct tw_survey_work *work;
	const struct tw_parity_past *past;
	uint32_t exclusive_ports; /* listeners' too */
	uint64_t most_demand;
	unsigned refuted_count;
	const struct tw_table_entry *refuted[TW_TOP_MAX];
};

static bool is_refuted(const struct view *view, const struct tw_table_entry *entry)
{
	enum tw_timestamps said = tw_witnesses_said(&view->work->witnesses, entry->hash);

	if (said != TW_TIMESTAMPS_UNKNOWN)
		return said == TW_TIMESTAMPS_NO;
	for (unsigned i = 0; i < view->refuted_count; i++)
		if (view->refuted[i] == entry)
			return true;
	return false;
}

/* Blocked under what tcp_tw_reuse is and was, and what is in demand. */
struct measure {
	struct tw_port_holding holding;
	uint32_t blocked, blocked_baseline;
	uint64_t demand;
};

static struct tw_port_holding holding_of(const struct tw_survey_work *work, const struct tw_table_entry *entry)
{
	struct tw_port_holding holding = {
		.ports = tw_table_ports(entry),
		.time_wait = entry->held[TW_HOLDER_TIME_WAIT],
		.unripe_time_wait = entry->unripe,
		.young_time_wait = entry->young,
	};

	tw_exclusive_fill(&work->exclusive, entry, &holding);
	return holding;
}

static struct measure measure_one(const struct view *view, const struct tw_table_entry *entry)
{
	const struct tw_survey_work *work = view->work;
	const struct tw_reuse_rule *rule = &work->rule;
	bool refuted = is_refuted(view, entry);
	bool now = tw_reuse_in_force(rule->reuse, &entry->key), before = tw_reuse_in_force(rule->baseline, &entry->key);
	struct measure measure = { .holding = holding_of(work, entry) };

	measure.blocked = tw_port_blocked(&measure.holding, view->exclusive_ports, now && !refuted);
	measure.blocked_baseline = tw_port_blocked(&measure.holding, view->exclusive_ports, before && !refuted);
	measure.demand = measure.blocked_baseline;
	if (now && !before)
		measure.demand = TW_MAX(measure.demand, tw_port_demand(&measure.holding, view->exclusive_ports,
								       work->life_ms, work->young_ms));
	return measure;
}

/* Of the ports that both hold, those that are blocked on both sides. */
static uint32_t blocked_twice(const struct tw_port_pair *pair, bool in_force, bool base_in_force)
{
	uint32_t ports = pair->ports;

	ports -= in_force ? pair->ripe : 0u;
	ports += in_force && base_in_force ? pair->both_ripe : 0u;
	return ports - (base_in_force ? TW_MIN(ports, (uint32_t)pair->base_ripe) : 0u);
}

/* Sockets without a device stand in the way of those that are bound to one, not the other way round. */
static void add_base(const struct view *view, const struct tw_table_entry *entry, const struct tw_table_entry *base,
		     struct measure *measure)
{
	const struct tw_reuse_rule *rule = &view->work->rule;
	struct tw_port_pair pair = tw_exclusive_pair(&view->work->exclusive, entry);
	struct measure under = measure_one(view, base);
	bool credited = !is_refuted(view, entry), base_credited = !is_refuted(view, base);
	uint32_t twice = blocked_twice(&pair, credited && tw_reuse_in_force(rule->reuse, &entry->key),
				       base_credited && tw_reuse_in_force(rule->reuse, &base->key));
	uint32_t twice_baseline = blocked_twice(&pair, credited && tw_reuse_in_force(rule->baseline, &entry->key),
						base_credited && tw_reuse_in_force(rule->baseline, &base->key));

	/* What is exclusive is in both figures. */
	twice = TW_MIN(twice + view->exclusive_ports, under.blocked);
	twice_baseline = TW_MIN(twice_baseline + view->exclusive_ports, under.blocked_baseline);
	measure->blocked += under.blocked - twice;
	measure->blocked_baseline += under.blocked_baseline - twice_baseline;
	measure->demand += under.demand - TW_MIN(under.demand, (uint64_t)twice_baseline);
}

static struct measure measure_of(const struct view *view, const struct tw_table_entry *entry)
{
	const struct tw_table_entry *base = tw_table_find_base(&view->work->table, entry);
	struct measure measure = measure_one(view, entry);
	uint32_t usable = view->work->usable;

	if (base)
		add_base(view, entry, base, &measure);
	measure.blocked = TW_MIN(measure.blocked, usable);
	measure.blocked_baseline = TW_MIN(measure.blocked_baseline, usable);
	return measure;
}

static uint64_t weigh(void *context, const struct tw_table_entry *entry)
{
	struct view *view = context;
	struct measure measure = measure_of(view, entry);

	view->most_demand = TW_MAX(view->most_demand, measure.demand);
	return (uint64_t)measure.blocked << 32 | measure.holding.ports;
}

static struct tw_destination_row row_of(const struct view *view, const struct tw_table_entry *entry)
{
	const struct tw_survey_work *work = view->work;
	struct measure measure = measure_of(view, entry);
	struct tw_destination_row row = {
		.key = entry->key,
		.ports = tw_table_ports(entry),
		.young_time_wait = entry->young,
		.unripe_time_wait = entry->unripe,
		.blocked = measure.blocked,
		.blocked_baseline = measure.blocked_baseline,
		.reuse_refuted = is_refuted(view, entry),
		.port_demand = tw_value_percent(measure.demand, work->usable),
		.port_use = tw_value_percent(measure.blocked, work->usable),
	};

	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		row.held[i] = entry->held[i];
	row.time_wait = row.held[TW_HOLDER_TIME_WAIT];
	row.established = row.held[TW_HOLDER_ESTABLISHED];
	row.other = row.ports - row.time_wait - row.established;
	row.bound_first_known = tw_exclusive_first(&work->exclusive, entry, view->past, &row.bound_first);
	return row;
}

static struct tw_reuse_look look_of(const struct view *view, const struct tw_table_entry *entry, usec_t at_usec)
{
	return (struct tw_reuse_look){
		.at_usec = at_usec,
		.in_force = tw_reuse_in_force(view->work->rule.reuse, &entry->key),
		.ports = tw_table_ports(entry),
		.time_wait = entry->held[TW_HOLDER_TIME_WAIT],
		.unripe_time_wait = entry->unripe,
		.young_time_wait = entry->young,
		.near_held = tw_table_ports(entry) - entry->far,
		.reused = view->work->reused,
	};
}

/* Closer looks would take for old what is new: all that is young must have begun in between. */
static bool is_apart(const struct tw_reuse_look *before, usec_t at_usec)
{
	return tw_usec_since(at_usec, before->at_usec) >= TW_SURVEY_YOUNG_USEC;
}

static usec_t said_none(const struct view *view, const struct tw_destination_row *was,
			const struct tw_table_entry *entry, usec_t at_usec)
{
	/* Of those that waited beside them, and of those that came while these did and nobody could be asked. */
	return tw_witnesses_said_none(&view->work->witnesses, entry->hash, was ? was->no_timestamps_usec : 0, at_usec,
				      2 * view->work->life_ms * TW_USEC_PER_MSEC);
}

/* Once it is, as long as its ports stay beyond half. */
static bool is_refuted_now(const struct view *view, const struct tw_destination_row *was,
			   const struct tw_table_entry *entry, usec_t at_usec)
{
	const struct tw_survey_work *work = view->work;
	struct tw_reuse_look now = look_of(view, entry, at_usec);
	uint32_t first = 0;

	if (said_none(view, was, entry, at_usec) != 0 ||
	    (was->reuse_refuted && now.in_force && now.ports > work->usable / 2))
		return true;
	if (!is_apart(&was->look, at_usec) || !tw_reuse_refuted(&was->look, &now, work->usable))
		return false;
	/* What was bound first is taken over by nobody in any case. */
	(void)tw_exclusive_first(&work->exclusive, entry, view->past, &first);
	return first < now.ports / 2;
}

/* What of a row comes from the survey before. */
static void add_past(const struct view *view, const struct tw_survey *previous, const struct tw_table_entry *entry,
		     usec_t at_usec, struct tw_destination_row *row)
{
	const struct tw_destination_row *was = previous->partial ? NULL : tw_survey_row(previous, &entry->key);

	row->look = was && !is_apart(&was->look, at_usec) ? was->look : look_of(view, entry, at_usec);
	row->no_timestamps_usec = said_none(view, was, entry, at_usec);
}

static void find_refuted(struct view *view, const struct tw_survey *previous, usec_t at_usec)
{
	for (unsigned i = 0; previous->at_usec != 0 && !previous->partial && i < previous->top_count; i++) {
		const struct tw_table_entry *entry = tw_table_find(&view->work->table, &previous->top[i].key);

		if (entry && is_refuted_now(view, &previous->top[i], entry, at_usec))
			view->refuted[view->refuted_count++] = entry;
	}
}

static struct tw_value percent_at_most_100(uint64_t part, uint64_t whole)
{
	return tw_value_percent(TW_MIN(part, whole), whole);
}

void tw_survey_work_results(const struct tw_survey_work *work, const struct tw_parity_past *past,
			    const struct tw_watched *watched, const struct tw_survey *previous, usec_t at_usec,
			    struct tw_survey *ret)
{
	const struct tw_table_entry *rows[TW_TOP_MAX];
	struct view view = { .work = work, .past = past };

	ret->at_usec = at_usec;
	ret->usable = work->usable;
	ret->bound_ports = tw_port_set_size(&work->exclusive.bound);
	ret->exclusive_ports =
		work->usable - tw_port_set_size(&work->exclusive.range) + tw_exclusive_ports(&work->exclusive);
	ret->reuse = work->rule.reuse;
	ret->reuse_delay_ms = work->rule.delay_ms;
	ret->reused = work->reused;
	ret->opened = work->opened;
	tw_exclusive_results(&work->exclusive, ret);
	tw_binder_needs_fill(&work->exclusive, previous, at_usec, ret);
	tw_binders_results(&work->binders, ret);
	ret->destinations = tw_table_destinations(&work->table);
	ret->dropped = work->table.dropped;
	ret->time_wait = work->time_wait;
	ret->accepting_time_wait = work->accepting;
	ret->outside_time_wait = work->outside;
	view.exclusive_ports = ret->exclusive_ports;
	view.most_demand = ret->exclusive_ports;
	find_refuted(&view, previous, at_usec);
	ret->top_count = tw_table_top(&work->table, watched, weigh, &view, rows, TW_TOP_MAX);
	for (unsigned i = 0; i < ret->top_count; i++) {
		ret->top[i] = row_of(&view, rows[i]);
		add_past(&view, previous, rows[i], at_usec, &ret->top[i]);
	}
	ret->has_busiest = ret->top_count > 0;
	ret->port_use =
		ret->has_busiest ? ret->top[0].port_use : percent_at_most_100(ret->exclusive_ports, ret->usable);
	ret->port_demand = tw_value_percent(view.most_demand, ret->usable);
}
