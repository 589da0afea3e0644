/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/exclusive.h"

#include "base/macros.h"

#include <string.h>

/* Of 65536 ports that leaves two. */
#define LEVEL_MAX 15
/* Ports asked about in one step: 3 to 4 us each on Linux 6.18. */
#define PORTS_A_STEP 64u

void tw_exclusive_begin(struct tw_exclusive *exclusive, const struct tw_port_set *range, uint16_t low,
			struct tw_parity_past *past)
{
	exclusive->past = past;
	exclusive->range = *range;
	exclusive->low = low;
	for (uint32_t i = 0; i < exclusive->holder_count; i++)
		exclusive->first[exclusive->holders[i].port] = 0;
	exclusive->holder_count = 0;
	exclusive->level = 0;
	tw_port_set_clear(&exclusive->held);
	tw_port_set_clear(&exclusive->bound);
	tw_port_set_clear(&exclusive->taken);
	exclusive->asking = exclusive->asked = false;
}

/* ---- holders */

static void put(struct tw_exclusive *exclusive, struct tw_port_holder holder)
{
	holder.next = exclusive->first[holder.port];
	exclusive->holders[exclusive->holder_count] = holder;
	exclusive->first[holder.port] = (uint16_t)++exclusive->holder_count;
}

/* Of half as many ports; where one alone fills it, some of its holders will do. */
static void thin(struct tw_exclusive *exclusive)
{
	uint32_t count = exclusive->level < LEVEL_MAX ? exclusive->holder_count : exclusive->holder_count / 2;

	exclusive->level = TW_MIN(exclusive->level + 1, (unsigned)LEVEL_MAX);
	memset(exclusive->first, 0, sizeof(exclusive->first));
	exclusive->holder_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (tw_exclusive_picks(exclusive, exclusive->holders[i].port, exclusive->level))
			put(exclusive, exclusive->holders[i]);
}

void tw_exclusive_put(struct tw_exclusive *exclusive, uint16_t port, uint32_t hash, bool ripe)
{
	while (exclusive->holder_count == TW_PORT_HOLDERS_MAX && tw_exclusive_picks(exclusive, port, exclusive->level))
		thin(exclusive);
	if (tw_exclusive_picks(exclusive, port, exclusive->level))
		put(exclusive,
		    (struct tw_port_holder){ .hash = hash & TW_TABLE_HASH_MASK, .ripe = ripe, .port = port });
}

/* ---- asking */

/* Of the ports told of, those of this level. */
static void decide_on(struct tw_exclusive *exclusive, unsigned level)
{
	tw_port_set_clear(&exclusive->decided);
	for (uint32_t port = 0; tw_port_set_next(&exclusive->held, &port); port++)
		if (exclusive->first[port] > 0 && tw_exclusive_picks(exclusive, (uint16_t)port, level))
			tw_port_set_add(&exclusive->decided, (uint16_t)port);
	exclusive->decided_unbound = exclusive->decided;
	tw_port_set_subtract(&exclusive->decided_unbound, &exclusive->bound);
}

void tw_exclusive_ask(struct tw_exclusive *exclusive, uint32_t most)
{
	unsigned level = exclusive->level;

	exclusive->next_port = 0;
	exclusive->asking = most > 0;
	decide_on(exclusive, level);
	/* What is bound needs no question. */
	while (most > 0 && level < LEVEL_MAX && tw_port_set_size(&exclusive->decided_unbound) > most)
		decide_on(exclusive, ++level);
}

bool tw_exclusive_step(struct tw_exclusive *exclusive, struct tw_source *source)
{
	uint16_t ports[PORTS_A_STEP];
	bool taken[PORTS_A_STEP];
	unsigned count = 0;

	if (!exclusive->asking)
		return false;
	for (; count < PORTS_A_STEP && tw_port_set_next(&exclusive->decided_unbound, &exclusive->next_port);
	     exclusive->next_port++)
		ports[count++] = (uint16_t)exclusive->next_port;
	if (count > 0 && (!source->exclusive || source->exclusive(source, ports, count, taken) < 0)) {
		exclusive->asking = false;
		decide_on(exclusive, exclusive->level);
		return false;
	}
	for (unsigned i = 0; i < count; i++)
		if (taken[i])
			tw_port_set_add(&exclusive->taken, ports[i]);
	exclusive->asking = count == PORTS_A_STEP;
	exclusive->asked = !exclusive->asking;
	return exclusive->asking;
}

/* ---- one port after the other */

/* Nobody comes to such a port by connect() alone: each of its holders has bound it, of several addresses each. */
static void count_exclusive(struct tw_exclusive *exclusive, uint16_t port, bool bound)
{
	const struct tw_port_holder *holder = tw_exclusive_holder(exclusive, exclusive->first[port]);
	bool shared = false;

	for (; holder; holder = tw_exclusive_holder(exclusive, holder->next)) {
		struct tw_table_entry *entry = tw_table_find_hash(exclusive->table, holder->hash);

		if (!entry)
			continue;
		tw_table_count(&entry->exclusive, true);
		tw_table_count(&entry->exclusive_ripe, holder->ripe);
		if (bound)
			continue;
		/* The children of a listener have it together, which is gone: nothing was bound first by them. */
		tw_table_count(&entry->bound_first,
			       !tw_parity_is_small(entry) || !tw_parity_is_shared(exclusive, port, entry, true));
		shared = shared || tw_parity_is_shared(exclusive, port, entry, false);
	}
	exclusive->survey->bound_first_ports += !bound;
	/* With net.ipv4.ip_autobind_reuse several destinations share a port that was bound first. */
	exclusive->survey->shared_ports += shared;
}

static enum tw_parity verdict_of(const struct tw_exclusive *exclusive, uint16_t port)
{
	if (!exclusive->asked)
		return tw_parity_of_port(exclusive, port);
	return tw_port_set_has(&exclusive->taken, port) ? TW_PARITY_FIRST : TW_PARITY_PLAIN;
}

static void decide(struct tw_exclusive *exclusive)
{
	struct tw_survey *survey = exclusive->survey;

	survey->bound_first_ports = survey->shared_ports = survey->unclear_ports = exclusive->unclear_far = 0;
	for (uint32_t i = 0; i < exclusive->table->count; i++) {
		struct tw_table_entry *entry = &exclusive->table->entries[i];

		entry->exclusive = entry->exclusive_ripe = entry->bound_first = 0;
	}
	for (uint32_t at = 0; tw_port_set_next(&exclusive->decided, &at); at++) {
		uint16_t port = (uint16_t)at;
		bool bound = tw_port_set_has(&exclusive->bound, port);
		enum tw_parity verdict = bound ? TW_PARITY_FIRST : verdict_of(exclusive, port);

		if (verdict == TW_PARITY_FIRST)
			count_exclusive(exclusive, port, bound);
		survey->unclear_ports += verdict == TW_PARITY_UNCLEAR;
		exclusive->unclear_far += verdict == TW_PARITY_UNCLEAR && tw_parity_is_far(exclusive->low, port);
	}
}

/* ---- what came of it */

static uint32_t scale_unbound(const struct tw_exclusive *exclusive, uint32_t count)
{
	return tw_exclusive_scale(count, exclusive->held_count[0] + exclusive->held_count[1],
				  exclusive->decided_count[0] + exclusive->decided_count[1]);
}

/* Nine in ten of the far half may be bound first, and a good part of it is: then bind() takes near ones too. */
static bool is_far_gone(const struct tw_exclusive *exclusive)
{
	uint32_t usable = exclusive->usable[1], first = exclusive->survey->bound_first_ports;
	uint32_t may_be = scale_unbound(exclusive, first + exclusive->unclear_far);

	return usable > 0 && scale_unbound(exclusive, first) >= usable / 3 &&
	       (uint64_t)may_be * 10 >= (uint64_t)usable * 9;
}

static uint16_t scale_part(const struct tw_exclusive *exclusive, uint16_t count, uint32_t whole)
{
	uint32_t scaled = tw_exclusive_scale(count, exclusive->held_all, exclusive->decided_all);

	return (uint16_t)TW_MIN(TW_MIN(scaled, whole), (uint32_t)UINT16_MAX);
}

static void scale_all(struct tw_exclusive *exclusive)
{
	struct tw_survey *survey = exclusive->survey;

	for (uint32_t i = 0; i < exclusive->table->count; i++) {
		struct tw_table_entry *entry = &exclusive->table->entries[i];

		entry->exclusive = scale_part(exclusive, entry->exclusive, tw_table_ports(entry));
		entry->exclusive_ripe = scale_part(exclusive, entry->exclusive_ripe, entry->exclusive);
		entry->bound_first = scale_part(exclusive, entry->bound_first, tw_table_ports(entry));
	}
	survey->bound_first_ports = scale_unbound(exclusive, survey->bound_first_ports);
	survey->shared_ports = scale_unbound(exclusive, survey->shared_ports);
	survey->unclear_ports = scale_unbound(exclusive, survey->unclear_ports);
	for (uint32_t i = 0; i < exclusive->source_count; i++) {
		struct tw_binder_row *binder = &exclusive->sources[i].binder;

		/* A port that it has towards several destinations is counted for each. */
		binder->ports = TW_MIN(scale_unbound(exclusive, binder->ports), survey->bound_first_ports);
	}
}

static void count_halves(const struct tw_exclusive *exclusive, struct tw_port_set ports, uint32_t ret[2])
{
	uint32_t odd;

	tw_port_set_subtract(&ports, &exclusive->bound);
	odd = tw_port_set_odd(&ports);
	ret[exclusive->low & 1] = tw_port_set_size(&ports) - odd;
	ret[!(exclusive->low & 1)] = odd;
}

void tw_exclusive_settle(struct tw_exclusive *exclusive)
{
	struct tw_survey *survey = exclusive->survey;

	count_halves(exclusive, exclusive->range, exclusive->usable);
	count_halves(exclusive, exclusive->held, exclusive->held_count);
	count_halves(exclusive, exclusive->decided, exclusive->decided_count);
	exclusive->held_all = tw_port_set_size(&exclusive->held);
	exclusive->decided_all = tw_port_set_size(&exclusive->decided);
	exclusive->source_count = 0;
	exclusive->far_gone = false;
	tw_parity_begin(exclusive);
	decide(exclusive);
	if (!exclusive->asked && is_far_gone(exclusive)) {
		exclusive->far_gone = true;
		decide(exclusive);
	}
	tw_binders_note(exclusive);
	scale_all(exclusive);
	survey->bound_ports = tw_port_set_size(&exclusive->bound);
	survey->exclusive_ports =
		survey->usable - tw_port_set_size(&exclusive->range) + survey->bound_ports + survey->bound_first_ports;
}
