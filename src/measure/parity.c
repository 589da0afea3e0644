/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parity of ports tells of who took them, where the kernel is not asked. */
#include "measure/exclusive.h"

#include "base/macros.h"

/* Holders of one port that are compared with one another; of parity, so many did not bind it first. */
#define COMPARED_MAX 64u
#define HOLDERS_MAX 8u

bool tw_parity_is_shared(const struct tw_exclusive *exclusive, uint16_t port, const struct tw_table_entry *entry,
			 bool small)
{
	const struct tw_port_holder *holder = tw_exclusive_holder(exclusive, exclusive->first[port]);

	for (unsigned i = 0; holder; holder = tw_exclusive_holder(exclusive, holder->next), i++) {
		const struct tw_table_entry *other = tw_table_find_hash(exclusive->table, holder->hash);

		if (i == (small ? HOLDERS_MAX : COMPARED_MAX))
			return small;
		if (other && other != entry && (!small || tw_parity_is_small(other)) &&
		    tw_address_equal(&other->key.source, &entry->key.source))
			return true;
	}
	return false;
}

static struct tw_parity_ports ports_of(const struct tw_exclusive *exclusive, uint32_t near_held, uint32_t far_held)
{
	return (struct tw_parity_ports){ near_held, far_held, exclusive->usable[0], exclusive->usable[1] };
}

static struct tw_parity_ports ports_of_entry(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry)
{
	return ports_of(exclusive, tw_table_ports(entry) - entry->far, entry->far);
}

static bool is_blind(const struct tw_parity_past *past, uint32_t hash)
{
	for (uint32_t i = 0; i < past->blind_count; i++)
		if (past->blind[i] == hash)
			return true;
	return false;
}

/* Those whose near half is full now, or was and that are still there. Nobody is forgotten while there were too many. */
static void remember(struct tw_exclusive *exclusive)
{
	struct tw_parity_past *past = exclusive->past, now = { 0 };

	for (uint32_t i = 0; i < exclusive->table->count; i++) {
		const struct tw_table_entry *entry = &exclusive->table->entries[i];
		struct tw_parity_ports ports = ports_of_entry(exclusive, entry);

		/* One that was large keeps what it is known for until its far ports are gone. */
		if (tw_parity_is_small(entry) && (entry->far == 0 || !is_blind(past, entry->hash)))
			continue;
		now.full |= past->full && entry->far > 0;
		if (!tw_parity_is_blinding(&ports) && !is_blind(past, entry->hash))
			continue;
		if (now.blind_count < TW_PARITY_BLIND_MAX)
			now.blind[now.blind_count++] = entry->hash;
		else
			now.full = true;
	}
	*past = now;
}

/* What small destinations of one source have together. */
static void pool(struct tw_exclusive *exclusive, uint16_t port)
{
	const struct tw_port_holder *holder = tw_exclusive_holder(exclusive, exclusive->first[port]);

	for (unsigned i = 0; holder && i < HOLDERS_MAX; holder = tw_exclusive_holder(exclusive, holder->next), i++) {
		const struct tw_table_entry *entry = tw_table_find_hash(exclusive->table, holder->hash);
		struct tw_port_source *source;

		if (!entry || !tw_parity_is_small(entry) || tw_parity_is_shared(exclusive, port, entry, true))
			continue;
		source = tw_exclusive_source(exclusive, &entry->key.source);
		if (source && tw_parity_is_far(exclusive->low, port))
			source->far++;
		else if (source)
			source->near++;
	}
}

void tw_parity_begin(struct tw_exclusive *exclusive)
{
	remember(exclusive);
	for (uint32_t port = 0; !exclusive->asked && tw_port_set_next(&exclusive->decided, &port); port++)
		pool(exclusive, (uint16_t)port);
}

/* By the ports that they do not share. Where there are none of these, near ones are plain, as connect() shares them. */
static enum tw_parity judge_small(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry)
{
	for (uint32_t i = 0; i < exclusive->source_count; i++) {
		const struct tw_port_source *source = &exclusive->sources[i];
		struct tw_parity_ports ports = ports_of(exclusive, source->near, source->far);

		if (!tw_address_equal(&source->address, &entry->key.source))
			continue;
		if (source->far > 0 || entry->far == 0)
			return tw_parity_judge(&ports);
		break;
	}
	return entry->far > 0 ? TW_PARITY_UNCLEAR : TW_PARITY_PLAIN;
}

enum tw_parity tw_parity_of_entry(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry)
{
	struct tw_parity_ports ports = ports_of_entry(exclusive, entry);

	if (exclusive->asked)
		return entry->bound_first > 0 ? TW_PARITY_FIRST : TW_PARITY_PLAIN;
	if (entry->far == 0 && exclusive->far_gone)
		return TW_PARITY_UNCLEAR;
	if (entry->far > 0 && (exclusive->past->full || is_blind(exclusive->past, entry->hash)))
		return TW_PARITY_UNCLEAR;
	return tw_parity_is_small(entry) ? judge_small(exclusive, entry) : tw_parity_judge(&ports);
}

static enum tw_parity judge_port(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry,
				 uint16_t port)
{
	enum tw_parity verdict = tw_parity_of_entry(exclusive, entry);
	uint32_t near_held = tw_table_ports(entry) - entry->far;

	if (tw_parity_is_far(exclusive->low, port))
		return verdict;
	if (exclusive->far_gone)
		return TW_PARITY_UNCLEAR;
	/* A few near ones beside them are plain. Where they are more, the far half was not enough for bind(). */
	if (verdict == TW_PARITY_FIRST)
		return tw_parity_is_small(entry) || near_held <= entry->far / 9u ? TW_PARITY_PLAIN : TW_PARITY_UNCLEAR;
	return verdict;
}

static bool is_surer(const struct tw_table_entry *a, const struct tw_table_entry *b)
{
	return (uint64_t)a->far * tw_table_ports(b) > (uint64_t)b->far * tw_table_ports(a);
}

enum tw_parity tw_parity_of_port(const struct tw_exclusive *exclusive, uint16_t port)
{
	const struct tw_port_holder *holder = tw_exclusive_holder(exclusive, exclusive->first[port]);
	const struct tw_table_entry *surest = NULL;
	enum tw_parity ret = TW_PARITY_PLAIN;

	for (; holder; holder = tw_exclusive_holder(exclusive, holder->next)) {
		const struct tw_table_entry *entry = tw_table_find_hash(exclusive->table, holder->hash);
		enum tw_parity verdict = entry ? judge_port(exclusive, entry, port) : TW_PARITY_UNCLEAR;

		if (verdict == TW_PARITY_FIRST || ret == TW_PARITY_PLAIN)
			ret = verdict;
		if (entry && (!surest || is_surer(entry, surest)))
			surest = entry;
	}
	/* What several have was not bound first by any of them, or else it is a listener's that is gone. */
	if (ret == TW_PARITY_FIRST &&
	    (!surest || (tw_parity_is_small(surest) && tw_parity_is_shared(exclusive, port, surest, true))))
		return TW_PARITY_UNCLEAR;
	return ret;
}
