/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/binder-need.h"

#include "base/macros.h"

#include <string.h>

/* Who has bound none first for so long is no binder any more. */
#define LATELY_USEC (10 * TW_USEC_PER_MINUTE)
/* Where next to none is left it does not show whether it still tries: so long it is taken to. */
#define NONE_LEFT_MILLI (95 * 1000)
#define STILL_USEC (60 * TW_USEC_PER_MINUTE)
/* Of less than that nobody has to know who holds it. */
#define WORTH_A_LOOK_MILLI (10 * 1000)

/* Ports by half: 0 is the one that connect() takes first. */
struct halves {
	uint32_t held[2], decided[2];
	uint32_t taken[TW_BINDER_ROWS_MAX][2];
};

static void add_need(struct tw_survey *survey, const struct tw_survey *previous, const struct tw_address *source,
		     usec_t seen_usec, uint32_t own)
{
	const struct tw_binder_need *was = tw_survey_binder_need(previous, source);

	if (survey->need_count == TW_BINDER_ROWS_MAX || tw_survey_binder_need(survey, source))
		return;
	survey->needs[survey->need_count++] = (struct tw_binder_need){
		.source = *source,
		.seen_usec = seen_usec,
		.own = own,
		.holder = was ? was->holder : TW_HOLDER_TIME_WAIT,
	};
}

static bool may_still_try(const struct tw_binder_need *need, usec_t at_usec)
{
	bool none_left = need->use.known && need->use.milli >= NONE_LEFT_MILLI;

	return tw_usec_since(at_usec, need->seen_usec) < (none_left ? STILL_USEC : LATELY_USEC);
}

static void find_needs(const struct tw_survey *previous, usec_t at_usec, struct tw_survey *ret)
{
	ret->need_count = 0;
	for (unsigned i = 0; i < ret->binder_count; i++)
		add_need(ret, previous, &ret->binders[i].source, at_usec, ret->binders[i].ports);
	for (unsigned i = 0; i < previous->need_count; i++)
		if (may_still_try(&previous->needs[i], at_usec))
			add_need(ret, previous, &previous->needs[i].source, previous->needs[i].seen_usec, 0);
}

/* Whose port it is, a bit for each of the needs: several sockets of one address have it once. */
static unsigned takers_of(const struct tw_exclusive *exclusive, const struct tw_survey *survey, uint16_t port)
{
	const struct tw_port_holder *holder = tw_port_holders_first(&exclusive->holders, port);
	unsigned takers = 0;

	for (; holder; holder = tw_port_holders_next(&exclusive->holders, holder)) {
		const struct tw_table_entry *entry = tw_table_find_hash(exclusive->parity.table, holder->hash);

		for (unsigned i = 0; entry && i < survey->need_count; i++)
			if (tw_address_equal(&survey->needs[i].source, &entry->key.source))
				takers |= 1u << i;
	}
	return takers;
}

static void count_halves(const struct tw_exclusive *exclusive, const struct tw_survey *survey, struct halves *halves)
{
	for (uint32_t port = 0; tw_port_set_next(&exclusive->holders.held, &port); port++) {
		unsigned half = tw_parity_is_far(exclusive->parity.low, (uint16_t)port), takers;

		if (tw_port_set_has(&exclusive->bound, (uint16_t)port))
			continue;
		halves->held[half]++;
		if (!tw_exclusive_decides(exclusive, (uint16_t)port))
			continue;
		halves->decided[half]++;
		takers = takers_of(exclusive, survey, (uint16_t)port);
		for (unsigned i = 0; i < survey->need_count; i++)
			halves->taken[i][half] += takers >> i & 1;
	}
}

static void measure_need(struct tw_binder_need *need, const uint32_t taken[2], const struct halves *halves,
			 const uint32_t usable[2])
{
	for (unsigned half = 0; half < 2; half++) {
		uint32_t ports = tw_exclusive_scale(taken[half], halves->held[half], halves->decided[half]);
		struct tw_value use = tw_value_percent(TW_MIN(ports, usable[half]), usable[half]);

		need->ports += ports;
		if (use.known && (!need->use.known || use.milli < need->use.milli))
			need->use = use;
	}
}

/* It stays the one of before while no other has half as many again: two alike would be told by turns. */
static void find_holder(const struct tw_table *table, struct tw_binder_need *need)
{
	uint32_t *held = need->held;
	enum tw_holder most = need->holder;

	if (!need->use.known || need->use.milli < WORTH_A_LOOK_MILLI)
		return;
	for (uint32_t i = 0; i < table->slot_count; i++) {
		const struct tw_table_entry *entry = &table->slots[i];

		if (!entry->used || !tw_address_equal(&entry->key.source, &need->source))
			continue;
		for (unsigned j = 0; j < TW_HOLDER_COUNT; j++)
			held[j] += entry->held[j];
	}
	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		if (held[i] > held[most])
			most = (enum tw_holder)i;
	if ((uint64_t)held[most] * 2 > (uint64_t)held[need->holder] * 3)
		need->holder = most;
}

void tw_binder_needs_fill(const struct tw_exclusive *exclusive, const struct tw_survey *previous, usec_t at_usec,
			  struct tw_survey *ret)
{
	const struct tw_parity_ports *usable = &exclusive->parity.usable;
	struct halves halves = { 0 };

	find_needs(previous, at_usec, ret);
	if (ret->need_count == 0)
		return;
	count_halves(exclusive, ret, &halves);
	for (unsigned i = 0; i < ret->need_count; i++) {
		measure_need(&ret->needs[i], halves.taken[i], &halves,
			     (const uint32_t[2]){ usable->near_usable, usable->far_usable });
		find_holder(exclusive->parity.table, &ret->needs[i]);
	}
}
