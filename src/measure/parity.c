/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/parity.h"

#include "base/macros.h"

/* Holders of a port that are looked at: so many did not bind it first. */
#define HOLDERS_MAX 8u

static struct tw_parity_ports count_usable(const struct tw_port_set *range, uint16_t low)
{
	uint32_t odd = tw_port_set_odd(range), even = tw_port_set_size(range) - odd;

	return (struct tw_parity_ports){
		.near_usable = low & 1 ? odd : even,
		.far_usable = low & 1 ? even : odd,
	};
}

static bool is_small(const struct tw_table_entry *entry)
{
	return tw_table_ports(entry) < TW_PARITY_PORTS_MIN;
}

static struct tw_parity_ports ports_of(const struct tw_parity_work *parity, const struct tw_table_entry *entry)
{
	struct tw_parity_ports ports = parity->usable;

	ports.far_held = entry->far;
	ports.near_held = tw_table_ports(entry) - entry->far;
	return ports;
}

/* ---- the past */

static bool is_blind(const struct tw_parity_past *past, uint32_t hash)
{
	for (uint32_t i = 0; i < past->blind_count; i++)
		if (past->blind[i] == hash)
			return true;
	return false;
}

/* Those whose near half is full now, or was and that are still there. Nobody is forgotten while there were too many. */
static void remember(const struct tw_parity_work *parity, struct tw_parity_past *past)
{
	struct tw_parity_past now = { 0 };

	for (uint32_t i = 0; i < parity->table->slot_count; i++) {
		const struct tw_table_entry *entry = &parity->table->slots[i];
		struct tw_parity_ports ports;

		/* One that was large keeps what it is known for until its far ports are gone. */
		if (!entry->used || (is_small(entry) && (entry->far == 0 || !is_blind(past, entry->hash))))
			continue;
		ports = ports_of(parity, entry);
		now.full |= past->full && ports.far_held > 0;
		if (!tw_parity_is_blinding(&ports) && !is_blind(past, entry->hash))
			continue;
		if (now.blind_count < TW_PARITY_BLIND_MAX)
			now.blind[now.blind_count++] = entry->hash;
		else
			now.full = true;
	}
	*past = now;
}

void tw_parity_begin(struct tw_parity_work *parity, const struct tw_port_set *range, struct tw_parity_past *past)
{
	parity->usable = count_usable(range, parity->low);
	parity->far_gone = false;
	parity->source_count = 0;
	remember(parity, past);
}

/* ---- small destinations */

static struct tw_parity_source *find_source(struct tw_parity_work *parity, const struct tw_address *address)
{
	for (uint32_t i = 0; i < parity->source_count; i++)
		if (tw_address_equal(&parity->sources[i].address, address))
			return &parity->sources[i];
	if (parity->source_count == TW_PARITY_SOURCES_MAX)
		return NULL;
	parity->sources[parity->source_count] = (struct tw_parity_source){ .address = *address };
	return &parity->sources[parity->source_count++];
}

/* Whether another small destination of its source holds the port too: plain ones do, and so do children of a listener.
 */
static bool is_shared(const struct tw_parity_work *parity, uint16_t port, const struct tw_table_entry *entry)
{
	const struct tw_port_holder *holder = tw_port_holders_first(parity->holders, port);

	for (unsigned i = 0; holder; holder = tw_port_holders_next(parity->holders, holder), i++) {
		const struct tw_table_entry *other = tw_table_find_hash(parity->table, holder->hash);

		if (i == HOLDERS_MAX || (other && other != entry && is_small(other) &&
					 tw_address_equal(&other->key.source, &entry->key.source)))
			return true;
	}
	return false;
}

void tw_parity_pool(struct tw_parity_work *parity, uint16_t port)
{
	const struct tw_port_holder *holder = tw_port_holders_first(parity->holders, port);

	for (unsigned i = 0; holder && i < HOLDERS_MAX; holder = tw_port_holders_next(parity->holders, holder), i++) {
		const struct tw_table_entry *entry = tw_table_find_hash(parity->table, holder->hash);
		struct tw_parity_source *source;

		if (!entry || !is_small(entry) || is_shared(parity, port, entry))
			continue;
		source = find_source(parity, &entry->key.source);
		if (!source)
			continue;
		if (tw_parity_is_far(parity->low, port))
			source->far++;
		else
			source->near++;
	}
}

/* By the ports that they do not share. Where there are none of these, near ones are plain, as connect() shares them. */
static enum tw_parity judge_small(const struct tw_parity_work *parity, const struct tw_table_entry *entry)
{
	struct tw_parity_ports ports = parity->usable;

	for (uint32_t i = 0; i < parity->source_count; i++) {
		if (!tw_address_equal(&parity->sources[i].address, &entry->key.source))
			continue;
		ports.near_held = parity->sources[i].near;
		ports.far_held = parity->sources[i].far;
		if (ports.far_held == 0 && entry->far > 0)
			break;
		return tw_parity_judge(&ports);
	}
	return entry->far > 0 ? TW_PARITY_UNCLEAR : TW_PARITY_PLAIN;
}

/* ---- what is told */

enum tw_parity tw_parity_of_entry(const struct tw_parity_work *parity, const struct tw_parity_past *past,
				  const struct tw_table_entry *entry)
{
	struct tw_parity_ports ports = ports_of(parity, entry);

	if (ports.far_held == 0 && parity->far_gone)
		return TW_PARITY_UNCLEAR;
	if (ports.far_held > 0 && (past->full || is_blind(past, entry->hash)))
		return TW_PARITY_UNCLEAR;
	return is_small(entry) ? judge_small(parity, entry) : tw_parity_judge(&ports);
}

static enum tw_parity judge_port(const struct tw_parity_work *parity, const struct tw_parity_past *past,
				 const struct tw_table_entry *entry, uint16_t port)
{
	enum tw_parity verdict = tw_parity_of_entry(parity, past, entry);
	struct tw_parity_ports ports = ports_of(parity, entry);

	if (tw_parity_is_far(parity->low, port))
		return verdict;
	if (parity->far_gone)
		return TW_PARITY_UNCLEAR;
	/* A few near ones beside them are plain. Where they are more, the far half was not enough for bind(). */
	if (verdict == TW_PARITY_FIRST)
		return is_small(entry) || ports.near_held <= ports.far_held / 9 ? TW_PARITY_PLAIN : TW_PARITY_UNCLEAR;
	return verdict;
}

static bool is_surer(const struct tw_table_entry *a, const struct tw_table_entry *b)
{
	return (uint64_t)a->far * tw_table_ports(b) > (uint64_t)b->far * tw_table_ports(a);
}

bool tw_parity_is_alone(const struct tw_parity_work *parity, uint16_t port, const struct tw_table_entry *entry)
{
	return !is_small(entry) || !is_shared(parity, port, entry);
}

enum tw_parity tw_parity_of_port(const struct tw_parity_work *parity, const struct tw_parity_past *past, uint16_t port)
{
	const struct tw_port_holder *holder = tw_port_holders_first(parity->holders, port);
	const struct tw_table_entry *surest = NULL;
	enum tw_parity ret = TW_PARITY_PLAIN;

	for (; holder; holder = tw_port_holders_next(parity->holders, holder)) {
		const struct tw_table_entry *entry = tw_table_find_hash(parity->table, holder->hash);
		enum tw_parity verdict = entry ? judge_port(parity, past, entry, port) : TW_PARITY_UNCLEAR;

		if (verdict == TW_PARITY_FIRST || ret == TW_PARITY_PLAIN)
			ret = verdict;
		if (entry && (!surest || is_surer(entry, surest)))
			surest = entry;
	}
	/* What several have was not bound first by any of them, or else it is a listener's that is gone. */
	if (ret == TW_PARITY_FIRST && (!surest || !tw_parity_is_alone(parity, port, surest)))
		return TW_PARITY_UNCLEAR;
	return ret;
}
