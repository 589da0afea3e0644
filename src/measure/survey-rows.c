/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a survey comes to once all sockets are told, apart from how they are told for its length. */
#include "measure/survey.h"

#include "base/macros.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Holders of one port that are compared with one another; what more of them have in common stays counted twice. */
#define COMPARED_MAX 64u

/* ---- what reuse takes over */

/* Where living sockets agree, they know best. */
static bool is_refuted(const struct tw_table_entry *entry)
{
	return entry->has_timestamps != entry->lacks_timestamps ? entry->lacks_timestamps : entry->refuted;
}

static struct tw_reuse_look look_of(const struct tw_survey_work *work, const struct tw_table_entry *entry,
				    usec_t at_usec)
{
	return (struct tw_reuse_look){
		.at_usec = at_usec,
		.in_force = tw_reuse_in_force(work->rule.reuse, &entry->key),
		.ports = tw_table_ports(entry),
		.time_wait = entry->held[TW_HOLDER_TIME_WAIT],
		.unripe_time_wait = entry->unripe,
		.young_time_wait = entry->young,
		.near_held = tw_table_ports(entry) - entry->far,
		.reused = work->survey.reused,
	};
}

/* Closer looks would take for old what is new: all that is young must have begun in between. */
static bool is_apart(const struct tw_reuse_look *before, usec_t at_usec)
{
	return tw_usec_since(at_usec, before->at_usec) >= TW_SURVEY_YOUNG_USEC;
}

/* Of those that waited beside them, and of those that came while these did and nobody could be asked. 0: they did not.
 */
static usec_t said_none(const struct tw_survey_work *work, const struct tw_destination_row *was,
			const struct tw_table_entry *entry, usec_t at_usec)
{
	usec_t before_usec = was ? was->no_timestamps_usec : 0;

	if (entry->has_timestamps || entry->lacks_timestamps)
		return entry->has_timestamps ? 0 : at_usec;
	return tw_usec_since(at_usec, before_usec) < 2 * work->life_ms * TW_USEC_PER_MSEC ? before_usec : 0;
}

/* Once it is, as long as its ports stay beyond half. */
static bool is_refuted_now(const struct tw_survey_work *work, const struct tw_destination_row *was,
			   const struct tw_table_entry *entry, usec_t at_usec)
{
	struct tw_reuse_look now = look_of(work, entry, at_usec);

	if (said_none(work, was, entry, at_usec) != 0 ||
	    (was->reuse_refuted && now.in_force && now.ports > work->survey.usable / 2))
		return true;
	/* What was bound first is taken over by nobody in any case. */
	return is_apart(&was->look, at_usec) && tw_reuse_refuted(&was->look, &now, work->survey.usable) &&
	       (entry->bound_first < now.ports / 2 || tw_parity_of_entry(&work->exclusive, entry) == TW_PARITY_UNCLEAR);
}

/* ---- what is blocked */

static bool is_blocked(const struct tw_port_holder *holder, const struct tw_table_entry *entry, int64_t reuse)
{
	return !holder->ripe || !tw_reuse_in_force(reuse, &entry->key) || is_refuted(entry);
}

/* A destination of a device, and the same without one: what both hold, and reuse takes from neither. */
static void count_twice(struct tw_survey_work *work, uint16_t port)
{
	const struct tw_port_holder *first = tw_exclusive_holder(&work->exclusive, work->exclusive.first[port]),
				    *on = first;
	int64_t now = work->rule.reuse, before = work->rule.baseline;

	for (unsigned i = 0; on && i < COMPARED_MAX; on = tw_exclusive_holder(&work->exclusive, on->next), i++) {
		struct tw_table_entry *entry = tw_table_find_hash(&work->table, on->hash);
		const struct tw_table_entry *base = entry ? tw_table_find_base(&work->table, entry) : NULL;
		const struct tw_port_holder *off = base ? first : NULL;

		for (unsigned j = 0; off && j < COMPARED_MAX;
		     off = tw_exclusive_holder(&work->exclusive, off->next), j++) {
			if (off->hash != base->hash)
				continue;
			tw_table_count(&entry->twice, is_blocked(on, entry, now) && is_blocked(off, base, now));
			tw_table_count(&entry->twice_baseline,
				       is_blocked(on, entry, before) && is_blocked(off, base, before));
		}
	}
}

/* Blocked under what tcp_tw_reuse is and was, and what is in demand. */
struct measure {
	uint32_t blocked, blocked_baseline;
	uint64_t demand;
};

static struct measure measure_one(const struct tw_survey_work *work, const struct tw_table_entry *entry)
{
	uint32_t exclusive_ports = work->survey.exclusive_ports;
	bool now = tw_reuse_in_force(work->rule.reuse, &entry->key);
	bool before = tw_reuse_in_force(work->rule.baseline, &entry->key);
	struct tw_port_holding holding = {
		.ports = tw_table_ports(entry),
		.time_wait = entry->held[TW_HOLDER_TIME_WAIT],
		.unripe_time_wait = entry->unripe,
		.young_time_wait = entry->young,
		.exclusive = entry->exclusive,
		.exclusive_ripe = entry->exclusive_ripe,
	};
	struct measure measure = {
		.blocked = tw_port_blocked(&holding, exclusive_ports, now && !is_refuted(entry)),
		.blocked_baseline = tw_port_blocked(&holding, exclusive_ports, before && !is_refuted(entry)),
	};

	measure.demand = measure.blocked_baseline;
	if (now && !before)
		measure.demand = TW_MAX(measure.demand,
					tw_port_demand(&holding, exclusive_ports, work->life_ms, work->young_ms));
	return measure;
}

/* What both have blocked: what is exclusive is in both figures. */
static uint32_t both(const struct tw_survey_work *work, uint16_t twice, uint32_t blocked)
{
	const struct tw_exclusive *exclusive = &work->exclusive;
	uint32_t ports = tw_exclusive_scale(twice, exclusive->held_all, exclusive->decided_all);

	return TW_MIN(ports + work->survey.exclusive_ports, blocked);
}

/* Sockets without a device stand in the way of those that are bound to one, not the other way round. */
static struct measure measure_of(const struct tw_survey_work *work, const struct tw_table_entry *entry)
{
	const struct tw_table_entry *base = tw_table_find_base(&work->table, entry);
	struct measure measure = measure_one(work, entry);

	if (base) {
		struct measure under = measure_one(work, base);
		uint32_t baseline = both(work, entry->twice_baseline, under.blocked_baseline);

		measure.blocked += under.blocked - both(work, entry->twice, under.blocked);
		measure.blocked_baseline += under.blocked_baseline - baseline;
		measure.demand += under.demand - TW_MIN(under.demand, (uint64_t)baseline);
	}
	measure.blocked = TW_MIN(measure.blocked, work->survey.usable);
	measure.blocked_baseline = TW_MIN(measure.blocked_baseline, work->survey.usable);
	return measure;
}

/* ---- rows */

struct ranked {
	const struct tw_table_entry *entry;
	uint64_t weight;
};

#define WATCHED (UINT64_C(1) << 63)

/* The heaviest first, ties by the bytes of their keys. */
static int compare_ranked(const struct ranked *a, const struct ranked *b)
{
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return memcmp(&a->entry->key, &b->entry->key, sizeof(a->entry->key));
}

/* At the end of those that are sorted, or before that. qsort() would allocate. */
static void put_in(struct ranked rows[], unsigned at, struct ranked row)
{
	for (; at > 0 && compare_ranked(&row, &rows[at - 1]) < 0; at--)
		rows[at] = rows[at - 1];
	rows[at] = row;
}

/* Those that are most blocked, then have most ports; those that are watched in the place of the least of them. */
static unsigned rank(struct tw_survey_work *work, const struct tw_watched *watched, struct ranked rows[TW_TOP_MAX],
		     uint64_t *most_demand)
{
	unsigned count = 0;

	for (unsigned i = 0; i < watched->count; i++) {
		struct tw_table_entry *entry = tw_table_find(&work->table, &watched->keys[i]);

		if (entry)
			entry->watched = true;
	}
	for (uint32_t i = 0; i < work->table.count; i++) {
		const struct tw_table_entry *entry = &work->table.entries[i];
		struct measure measure = measure_of(work, entry);
		struct ranked row = { entry, (uint64_t)measure.blocked << 32 | tw_table_ports(entry) };

		*most_demand = TW_MAX(*most_demand, measure.demand);
		row.weight |= entry->watched ? WATCHED : 0;
		if (count == TW_TOP_MAX && compare_ranked(&row, &rows[count - 1]) > 0)
			continue;
		count += count < TW_TOP_MAX;
		put_in(rows, count - 1, row);
	}
	for (unsigned i = 0; i < count; i++) {
		rows[i].weight &= ~WATCHED;
		put_in(rows, i, rows[i]);
	}
	return count;
}

static struct tw_destination_row row_of(const struct tw_survey_work *work, const struct tw_table_entry *entry,
					const struct tw_destination_row *was, usec_t at_usec)
{
	struct measure measure = measure_of(work, entry);
	struct tw_reuse_look look = look_of(work, entry, at_usec);
	struct tw_destination_row row = {
		.key = entry->key,
		.ports = look.ports,
		.time_wait = look.time_wait,
		.established = entry->held[TW_HOLDER_ESTABLISHED],
		.other = look.ports - look.time_wait - entry->held[TW_HOLDER_ESTABLISHED],
		.young_time_wait = entry->young,
		.unripe_time_wait = entry->unripe,
		.blocked = measure.blocked,
		.blocked_baseline = measure.blocked_baseline,
		.look = was && !is_apart(&was->look, at_usec) ? was->look : look,
		.no_timestamps_usec = said_none(work, was, entry, at_usec),
		.reuse_refuted = is_refuted(entry),
		.bound_first_known = tw_parity_of_entry(&work->exclusive, entry) != TW_PARITY_UNCLEAR,
		.port_demand = tw_value_percent(measure.demand, work->survey.usable),
		.port_use = tw_value_percent(measure.blocked, work->survey.usable),
	};

	row.bound_first = row.bound_first_known ? entry->bound_first : 0;
	for (unsigned i = 0; i < TW_HOLDER_COUNT; i++)
		row.held[i] = entry->held[i];
	return row;
}

void tw_survey_work_results(struct tw_survey_work *work, const struct tw_watched *watched,
			    const struct tw_survey *previous, usec_t at_usec, bool partial)
{
	bool has_previous = previous->at_usec != 0 && !previous->partial, has_devices = false;
	struct tw_survey *survey = &work->survey;
	uint64_t most_demand = survey->exclusive_ports;
	struct ranked rows[TW_TOP_MAX];

	if (partial) {
		memset(survey, 0, offsetof(struct tw_survey, top));
		survey->partial = true;
		survey->takeovers.key = previous->takeovers.key;
		survey->need_count = previous->need_count;
		memcpy(survey->needs, previous->needs, sizeof(survey->needs));
	}
	survey->at_usec = at_usec;
	if (partial)
		return;
	tw_binders_results(&work->exclusive, previous, at_usec);
	survey->destinations = tw_table_destinations(&work->table);
	survey->dropped = work->table.dropped;
	for (unsigned i = 0; has_previous && i < previous->top_count; i++) {
		struct tw_table_entry *entry = tw_table_find(&work->table, &previous->top[i].key);

		if (entry)
			entry->refuted = is_refuted_now(work, &previous->top[i], entry, at_usec);
	}
	for (uint32_t i = 0; i < work->table.count && !has_devices; i++)
		has_devices = work->table.entries[i].key.device != 0;
	for (uint32_t port = 0; has_devices && tw_port_set_next(&work->exclusive.decided, &port); port++)
		count_twice(work, (uint16_t)port);
	survey->top_count = rank(work, watched, rows, &most_demand);
	for (unsigned i = 0; i < survey->top_count; i++) {
		const struct tw_table_entry *entry = rows[i].entry;

		survey->top[i] =
			row_of(work, entry, has_previous ? tw_survey_row(previous, &entry->key) : NULL, at_usec);
	}
	survey->has_busiest = survey->top_count > 0;
	survey->port_use = survey->has_busiest
				   ? survey->top[0].port_use
				   : tw_value_percent(TW_MIN(survey->exclusive_ports, survey->usable), survey->usable);
	survey->port_demand = tw_value_percent(most_demand, survey->usable);
}

/* ---- forecast */

/* Those that are watched may stand behind it. */
#define LAST_BY_RANK (TW_TOP_MAX > TW_WATCHED_MAX ? TW_TOP_MAX - TW_WATCHED_MAX - 1 : 0)

static uint32_t beyond(uint32_t now, uint32_t before)
{
	return now - TW_MIN(now, before);
}

/* Without what reuse takes in a moment: where it is in force there are as many of those as come in that time, not more.
 */
static uint32_t lasting(const struct tw_survey *survey, const struct tw_destination_row *row)
{
	bool in_force = !row->reuse_refuted && tw_reuse_in_force(survey->reuse, &row->key);

	return in_force ? beyond(row->blocked, row->unripe_time_wait) : row->blocked;
}

static uint32_t blocked_before(const struct tw_survey *previous, const struct tw_destination *key)
{
	const struct tw_destination_row *row = tw_survey_row(previous, key);

	if (row)
		return lasting(previous, row);
	/* It had no more than the last row that is there for its rank, and no less than what is blocked for all. */
	return previous->top_count < TW_TOP_MAX ? previous->exclusive_ports : previous->top[LAST_BY_RANK].blocked;
}

static struct tw_value eta_of(uint32_t blocked, uint32_t grown, uint32_t usable, usec_t span_usec)
{
	if (grown == 0)
		return tw_value_unknown();
	/* At most 65536 ports and 30 s: far from any overflow. */
	return tw_value_of((int64_t)((uint64_t)beyond(usable, blocked) * span_usec / grown / TW_USEC_PER_MSEC));
}

void tw_survey_forecast(const struct tw_survey *previous, struct tw_survey *survey)
{
	usec_t span_usec = tw_usec_since(survey->at_usec, previous->at_usec);
	bool comparable = previous->at_usec != 0 && !previous->partial && !survey->partial && span_usec > 0 &&
			  span_usec <= TW_FORECAST_SPAN_MAX_USEC;
	uint32_t all_grown = comparable ? beyond(survey->exclusive_ports, previous->exclusive_ports) : 0;

	survey->exclusive_eta = eta_of(survey->exclusive_ports, all_grown, survey->usable, span_usec);
	survey->port_eta = survey->exclusive_eta;
	for (unsigned i = 0; i < survey->top_count; i++) {
		struct tw_destination_row *row = &survey->top[i];
		uint32_t grown = comparable ? beyond(lasting(survey, row), blocked_before(previous, &row->key)) : 0;

		/* Where what grows is blocked for everybody it is not this destination that uses the ports up. */
		row->port_eta = all_grown * 2 > grown ? tw_value_unknown()
						      : eta_of(row->blocked, grown, survey->usable, span_usec);
		if (row->port_eta.known && (!survey->port_eta.known || row->port_eta.milli < survey->port_eta.milli))
			survey->port_eta = row->port_eta;
	}
}
