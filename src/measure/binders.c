/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who calls bind() before connect(): what such a source takes from all others, and how many ports are left to it. */
#include "measure/exclusive.h"

#include "base/macros.h"

/* Who has bound none first for so long is no binder any more. */
#define LATELY_USEC (10 * TW_USEC_PER_MINUTE)
/* Where next to none is left it does not show whether it still tries: so long it is taken to. */
#define NONE_LEFT_MILLI (95 * 1000)
#define STILL_USEC (60 * TW_USEC_PER_MINUTE)
/* Of less than that nobody has to know who holds it. */
#define WORTH_A_LOOK_MILLI (10 * 1000)

struct tw_port_source *tw_exclusive_source(struct tw_exclusive *exclusive, const struct tw_address *address)
{
	struct tw_port_source *source = exclusive->sources;

	for (uint32_t i = 0; i < exclusive->source_count; i++, source++)
		if (tw_address_equal(&source->address, address))
			return source;
	if (exclusive->source_count == TW_PORT_SOURCES_MAX)
		return NULL;
	exclusive->source_count++;
	*source = (struct tw_port_source){ .address = *address, .binder.source = *address };
	return source;
}

void tw_binders_note(struct tw_exclusive *exclusive)
{
	for (uint32_t i = 0; i < exclusive->table->count; i++) {
		const struct tw_table_entry *entry = &exclusive->table->entries[i];
		struct tw_port_source *source =
			entry->bound_first > 0 ? tw_exclusive_source(exclusive, &entry->key.source) : NULL;

		if (!source)
			continue;
		source->binder.ports += entry->bound_first;
		source->binder.destinations++;
		if (entry->bound_first > source->most_ports) {
			source->most_ports = entry->bound_first;
			source->binder.most = entry->key;
		}
	}
}

static void add_binder(struct tw_survey *survey, const struct tw_binder_row *row)
{
	unsigned at = survey->binder_count;

	if (at == TW_BINDER_ROWS_MAX && survey->binders[at - 1].ports >= row->ports)
		return;
	survey->binder_count = TW_MIN(at + 1, (unsigned)TW_BINDER_ROWS_MAX);
	for (at = survey->binder_count - 1; at > 0 && survey->binders[at - 1].ports < row->ports; at--)
		survey->binders[at] = survey->binders[at - 1];
	survey->binders[at] = *row;
}

/* ---- what is left to them */

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

/* Several sockets of one address have a port once. */
static bool has_port(const struct tw_exclusive *exclusive, const struct tw_address *source, uint16_t port)
{
	const struct tw_port_holder *holder = tw_exclusive_holder(exclusive, exclusive->first[port]);

	for (; holder; holder = tw_exclusive_holder(exclusive, holder->next)) {
		const struct tw_table_entry *entry = tw_table_find_hash(exclusive->table, holder->hash);

		if (entry && tw_address_equal(source, &entry->key.source))
			return true;
	}
	return false;
}

static void count_taken(const struct tw_exclusive *exclusive, struct tw_binder_need *need)
{
	uint32_t taken[2] = { 0 };

	for (uint32_t port = 0; tw_port_set_next(&exclusive->decided_unbound, &port); port++)
		if (has_port(exclusive, &need->source, (uint16_t)port))
			taken[tw_parity_is_far(exclusive->low, (uint16_t)port)]++;
	for (unsigned half = 0; half < 2; half++) {
		uint32_t usable = exclusive->usable[half];
		uint32_t ports =
			tw_exclusive_scale(taken[half], exclusive->held_count[half], exclusive->decided_count[half]);
		struct tw_value use = tw_value_percent(TW_MIN(ports, usable), usable);

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
	for (uint32_t i = 0; i < table->count; i++) {
		if (!tw_address_equal(&table->entries[i].key.source, &need->source))
			continue;
		for (unsigned j = 0; j < TW_HOLDER_COUNT; j++)
			held[j] += table->entries[i].held[j];
	}
	for (int i = 0; i < TW_HOLDER_COUNT; i++)
		if (held[i] > held[most])
			most = (enum tw_holder)i;
	if ((uint64_t)held[most] * 2 > (uint64_t)held[need->holder] * 3)
		need->holder = most;
}

void tw_binders_results(const struct tw_exclusive *exclusive, const struct tw_survey *previous, usec_t at_usec)
{
	struct tw_survey *survey = exclusive->survey;

	survey->binder_count = survey->need_count = 0;
	for (uint32_t i = 0; i < exclusive->source_count; i++)
		if (exclusive->sources[i].binder.destinations > 0)
			add_binder(survey, &exclusive->sources[i].binder);
	for (unsigned i = 0; i < survey->binder_count; i++)
		add_need(survey, previous, &survey->binders[i].source, at_usec, survey->binders[i].ports);
	for (unsigned i = 0; i < previous->need_count; i++)
		if (may_still_try(&previous->needs[i], at_usec))
			add_need(survey, previous, &previous->needs[i].source, previous->needs[i].seen_usec, 0);
	for (unsigned i = 0; i < survey->need_count; i++) {
		count_taken(exclusive, &survey->needs[i]);
		find_holder(exclusive->table, &survey->needs[i]);
	}
}
