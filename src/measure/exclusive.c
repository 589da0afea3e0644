/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/exclusive.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Ports asked about in one step: 3 to 4 us each on Linux 6.18. */
#define PORTS_A_STEP 64u
/* Holders of one port that are compared with one another; what more of them have in common stays counted twice. */
#define PAIRED_MAX 64u

int tw_exclusive_init(struct tw_exclusive *exclusive, uint32_t secret)
{
	memset(exclusive, 0, sizeof(*exclusive));
	return tw_port_holders_init(&exclusive->holders, secret);
}

static void free_counts(struct tw_exclusive *exclusive)
{
	free(exclusive->shares);
	free(exclusive->pairs);
	exclusive->shares = NULL;
	exclusive->pairs = NULL;
}

void tw_exclusive_done(struct tw_exclusive *exclusive)
{
	tw_port_holders_done(&exclusive->holders);
	free_counts(exclusive);
}

void tw_exclusive_begin(struct tw_exclusive *exclusive, const struct tw_port_set *range, uint16_t low)
{
	tw_port_holders_clear(&exclusive->holders);
	exclusive->range = *range;
	exclusive->parity.low = low;
	tw_port_set_clear(&exclusive->bound);
	tw_port_set_clear(&exclusive->taken);
	exclusive->asking = exclusive->asked = exclusive->has_devices = false;
}

/* ---- asking */

/* Without those that need no question. */
static uint32_t count_questions(const struct tw_exclusive *exclusive)
{
	uint32_t count = 0;

	for (uint32_t port = 0; tw_port_set_next(&exclusive->holders.held, &port); port++)
		count += tw_exclusive_decides(exclusive, (uint16_t)port) &&
			 !tw_port_set_has(&exclusive->bound, (uint16_t)port);
	return count;
}

void tw_exclusive_ask(struct tw_exclusive *exclusive, uint32_t most)
{
	exclusive->level = exclusive->holders.level;
	exclusive->next_port = 0;
	exclusive->asking = most > 0;
	while (exclusive->asking && exclusive->level < TW_PORT_HOLDERS_LEVEL_MAX && count_questions(exclusive) > most)
		exclusive->level++;
}

bool tw_exclusive_step(struct tw_exclusive *exclusive, struct tw_source *source)
{
	uint16_t ports[PORTS_A_STEP];
	bool taken[PORTS_A_STEP];
	unsigned count = 0;

	if (!exclusive->asking)
		return false;
	for (; count < PORTS_A_STEP && tw_port_set_next(&exclusive->holders.held, &exclusive->next_port);
	     exclusive->next_port++) {
		uint16_t port = (uint16_t)exclusive->next_port;

		if (tw_exclusive_decides(exclusive, port) && !tw_port_set_has(&exclusive->bound, port))
			ports[count++] = port;
	}
	if (count > 0 && (!source->exclusive || source->exclusive(source, ports, count, taken) < 0)) {
		exclusive->asking = false;
		exclusive->level = exclusive->holders.level;
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

static struct tw_exclusive_share *share_of(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry)
{
	return exclusive->shares ? &exclusive->shares[entry - exclusive->parity.table->slots] : NULL;
}

/* Made when the first exclusive port is found: mostly there is none. Without memory they stay zero. */
static void make_shares(struct tw_exclusive *exclusive)
{
	if (exclusive->shares)
		return;
	exclusive->shares = calloc(exclusive->parity.table->slot_count, sizeof(*exclusive->shares));
}

/* Made when the first is found: mostly there is none. Without memory they stay zero. */
static void add_pair(struct tw_exclusive *exclusive, const struct tw_table_entry *entry, bool ripe, bool base_ripe)
{
	const struct tw_table *table = exclusive->parity.table;
	struct tw_port_pair *pair;

	if (!exclusive->pairs)
		exclusive->pairs = calloc(table->slot_count, sizeof(*exclusive->pairs));
	if (!exclusive->pairs)
		return;
	pair = &exclusive->pairs[entry - table->slots];
	pair->ports++;
	pair->ripe = (uint16_t)(pair->ripe + ripe);
	pair->base_ripe = (uint16_t)(pair->base_ripe + base_ripe);
	pair->both_ripe = (uint16_t)(pair->both_ripe + (ripe && base_ripe));
}

/* Whether it is the source port towards several destinations, of one address. */
static bool is_shared(const struct tw_exclusive *exclusive, uint16_t port)
{
	const struct tw_table_entry *entries[PAIRED_MAX];
	const struct tw_port_holder *holder = tw_port_holders_first(&exclusive->holders, port);
	unsigned count = 0;

	for (; holder && count < PAIRED_MAX; holder = tw_port_holders_next(&exclusive->holders, holder)) {
		const struct tw_table_entry *entry = tw_table_find_hash(exclusive->parity.table, holder->hash);

		for (unsigned i = 0; entry && i < count; i++)
			if (tw_address_equal(&entries[i]->key.source, &entry->key.source))
				return true;
		if (entry)
			entries[count++] = entry;
	}
	return false;
}

/* Nobody comes to such a port by connect() alone: each of its holders has bound it, of several addresses each. */
static void count_exclusive(struct tw_exclusive *exclusive, uint16_t port, bool bound)
{
	const struct tw_port_holder *holder = tw_port_holders_first(&exclusive->holders, port);

	make_shares(exclusive);
	for (; holder; holder = tw_port_holders_next(&exclusive->holders, holder)) {
		const struct tw_table_entry *entry = tw_table_find_hash(exclusive->parity.table, holder->hash);
		struct tw_exclusive_share *share = entry ? share_of(exclusive, entry) : NULL;

		if (!share)
			continue;
		share->exclusive++;
		share->ripe = (uint16_t)(share->ripe + holder->ripe);
		share->first =
			(uint16_t)(share->first + (!bound && tw_parity_is_alone(&exclusive->parity, port, entry)));
	}
	if (bound)
		return;
	exclusive->exclusive++;
	exclusive->shared += is_shared(exclusive, port);
}

/*
 * A destination of a device, and the same without one: what both hold is blocked once. Where a port is told of, both
 * are.
 */
static void count_pairs(struct tw_exclusive *exclusive, uint16_t port)
{
	const struct tw_table *table = exclusive->parity.table;
	const struct tw_port_holder *first = tw_port_holders_first(&exclusive->holders, port);

	unsigned on_count = 0;

	for (const struct tw_port_holder *on = first; on && on_count < PAIRED_MAX;
	     on = tw_port_holders_next(&exclusive->holders, on), on_count++) {
		unsigned off_count = 0;
		const struct tw_table_entry *entry = tw_table_find_hash(table, on->hash);
		const struct tw_table_entry *base = entry ? tw_table_find_base(table, entry) : NULL;

		if (!base)
			continue;
		for (const struct tw_port_holder *off = first; off && off_count < PAIRED_MAX;
		     off = tw_port_holders_next(&exclusive->holders, off), off_count++)
			if (off->hash == base->hash)
				add_pair(exclusive, entry, on->ripe, off->ripe);
	}
}

static void decide_port(struct tw_exclusive *exclusive, const struct tw_parity_past *past, uint16_t port)
{
	bool bound = tw_port_set_has(&exclusive->bound, port);
	enum tw_parity parity =
		exclusive->asked ? TW_PARITY_UNCLEAR : tw_parity_of_port(&exclusive->parity, past, port);

	if (exclusive->has_devices)
		count_pairs(exclusive, port);
	exclusive->decided++;
	exclusive->decided_unbound += !bound;
	if (bound || (exclusive->asked ? tw_port_set_has(&exclusive->taken, port) : parity == TW_PARITY_FIRST)) {
		count_exclusive(exclusive, port, bound);
	} else if (!exclusive->asked && parity == TW_PARITY_UNCLEAR) {
		exclusive->unclear++;
		exclusive->unclear_far += tw_parity_is_far(exclusive->parity.low, port);
	}
}

static void decide(struct tw_exclusive *exclusive, const struct tw_parity_past *past)
{
	free_counts(exclusive);
	exclusive->decided = exclusive->decided_unbound = 0;
	exclusive->exclusive = exclusive->shared = exclusive->unclear = exclusive->unclear_far = 0;
	for (uint32_t port = 0; tw_port_set_next(&exclusive->holders.held, &port); port++)
		if (tw_exclusive_decides(exclusive, (uint16_t)port))
			decide_port(exclusive, past, (uint16_t)port);
}

/* ---- what came of it */

static struct tw_exclusive_binder *source_of(struct tw_exclusive *exclusive, const struct tw_address *address)
{
	struct tw_exclusive_binder *source = exclusive->sources;

	for (uint32_t i = 0; i < exclusive->source_count; i++, source++)
		if (tw_address_equal(&source->address, address))
			return source;
	if (exclusive->source_count == TW_EXCLUSIVE_SOURCES_MAX)
		return NULL;
	exclusive->source_count++;
	*source = (struct tw_exclusive_binder){ .address = *address };
	return source;
}

static void add_sources(struct tw_exclusive *exclusive, const struct tw_table *table)
{
	exclusive->source_count = 0;
	for (uint32_t i = 0; exclusive->shares && i < table->slot_count; i++) {
		uint32_t first = exclusive->shares[i].first;
		struct tw_exclusive_binder *source =
			first > 0 ? source_of(exclusive, &table->slots[i].key.source) : NULL;

		if (!source)
			continue;
		source->first += first;
		source->destinations++;
		if (first > source->most_ports) {
			source->most_ports = first;
			source->most = table->slots[i].key;
		}
	}
}

/* Nine in ten of the far half may be bound first, and a good part of it is: then bind() takes near ones too. */
static bool is_far_gone(const struct tw_exclusive *exclusive)
{
	uint32_t all = exclusive->held_unbound, decided = exclusive->decided_unbound;
	uint32_t usable = exclusive->parity.usable.far_usable;
	uint32_t first = tw_exclusive_scale(exclusive->exclusive, all, decided);
	uint32_t may_be = tw_exclusive_scale(exclusive->exclusive + exclusive->unclear_far, all, decided);

	return usable > 0 && first >= usable / 3 && (uint64_t)may_be * 10 >= (uint64_t)usable * 9;
}

void tw_exclusive_settle(struct tw_exclusive *exclusive, const struct tw_table *table, struct tw_parity_past *past)
{
	struct tw_port_set range = exclusive->range, held = exclusive->holders.held;

	tw_port_set_subtract(&range, &exclusive->bound);
	tw_port_set_subtract(&held, &exclusive->bound);
	exclusive->held = tw_port_set_size(&exclusive->holders.held);
	exclusive->held_unbound = tw_port_set_size(&held);
	exclusive->parity.table = table;
	exclusive->parity.holders = &exclusive->holders;
	tw_parity_begin(&exclusive->parity, &range, past);
	for (uint32_t port = 0; !exclusive->asked && tw_port_set_next(&exclusive->holders.held, &port); port++)
		if (tw_exclusive_decides(exclusive, (uint16_t)port))
			tw_parity_pool(&exclusive->parity, (uint16_t)port);
	decide(exclusive, past);
	if (!exclusive->asked && is_far_gone(exclusive)) {
		exclusive->parity.far_gone = true;
		decide(exclusive, past);
	}
	add_sources(exclusive, table);
}

uint32_t tw_exclusive_ports(const struct tw_exclusive *exclusive)
{
	return tw_port_set_size(&exclusive->bound) +
	       tw_exclusive_scale(exclusive->exclusive, exclusive->held_unbound, exclusive->decided_unbound);
}

void tw_exclusive_fill(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry,
		       struct tw_port_holding *holding)
{
	const struct tw_exclusive_share *share = share_of(exclusive, entry);

	if (!share)
		return;
	holding->exclusive =
		TW_MIN(tw_exclusive_scale(share->exclusive, exclusive->held, exclusive->decided), holding->ports);
	holding->exclusive_ripe =
		TW_MIN(tw_exclusive_scale(share->ripe, exclusive->held, exclusive->decided), holding->exclusive);
}

struct tw_port_pair tw_exclusive_pair(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry)
{
	struct tw_port_pair pair = { 0 };

	if (exclusive->pairs)
		pair = exclusive->pairs[entry - exclusive->parity.table->slots];
	pair.ports = (uint16_t)tw_exclusive_scale(pair.ports, exclusive->held, exclusive->decided);
	pair.ripe = (uint16_t)tw_exclusive_scale(pair.ripe, exclusive->held, exclusive->decided);
	pair.base_ripe = (uint16_t)tw_exclusive_scale(pair.base_ripe, exclusive->held, exclusive->decided);
	pair.both_ripe = (uint16_t)tw_exclusive_scale(pair.both_ripe, exclusive->held, exclusive->decided);
	return pair;
}

bool tw_exclusive_first(const struct tw_exclusive *exclusive, const struct tw_table_entry *entry,
			const struct tw_parity_past *past, uint32_t *ret)
{
	const struct tw_exclusive_share *share = share_of(exclusive, entry);

	if (!exclusive->asked && tw_parity_of_entry(&exclusive->parity, past, entry) == TW_PARITY_UNCLEAR)
		return false;
	*ret = share ? TW_MIN(tw_exclusive_scale(share->first, exclusive->held, exclusive->decided),
			      tw_table_ports(entry))
		     : 0;
	return true;
}

static void add_binder_row(const struct tw_exclusive *exclusive, const struct tw_exclusive_binder *source,
			   struct tw_survey *ret)
{
	struct tw_binder_row row = {
		.source = source->address,
		/* One that it has towards several destinations is counted for each. */
		.ports = TW_MIN(tw_exclusive_scale(source->first, exclusive->held_unbound, exclusive->decided_unbound),
				ret->bound_first_ports),
		.destinations = source->destinations,
		.most = source->most,
	};
	unsigned at = ret->binder_count;

	if (at == TW_BINDER_ROWS_MAX && ret->binders[at - 1].ports >= row.ports)
		return;
	ret->binder_count = TW_MIN(at + 1, (unsigned)TW_BINDER_ROWS_MAX);
	for (at = ret->binder_count - 1; at > 0 && ret->binders[at - 1].ports < row.ports; at--)
		ret->binders[at] = ret->binders[at - 1];
	ret->binders[at] = row;
}

void tw_exclusive_results(const struct tw_exclusive *exclusive, struct tw_survey *ret)
{
	ret->bound_first_ports =
		tw_exclusive_scale(exclusive->exclusive, exclusive->held_unbound, exclusive->decided_unbound);
	/* With net.ipv4.ip_autobind_reuse several destinations share a port that was bound first. */
	ret->shared_ports = tw_exclusive_scale(exclusive->shared, exclusive->held_unbound, exclusive->decided_unbound);
	ret->unclear_ports =
		tw_exclusive_scale(exclusive->unclear, exclusive->held_unbound, exclusive->decided_unbound);
	ret->binder_count = 0;
	for (uint32_t i = 0; i < exclusive->source_count; i++)
		add_binder_row(exclusive, &exclusive->sources[i], ret);
}
