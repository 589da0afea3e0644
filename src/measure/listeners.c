/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/listeners.h"

#include "base/macros.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

void tw_listeners_clear(struct tw_listeners *listeners)
{
	tw_port_set_clear(&listeners->ports);
	tw_port_set_clear(&listeners->exact);
	memset(listeners->slots, 0, sizeof(listeners->slots));
	listeners->count = 0;
	listeners->beyond = 0;
}

/*
 * Without a secret: only listeners are put in, and their addresses are the admin's. Odd multipliers: the fraction of
 * the golden ratio, and two of xxHash.
 */
static inline uint32_t slot_of(const struct tw_address *address, uint16_t port)
{
	uint64_t high, low, mixed;

	memcpy(&high, address->bytes, sizeof(high));
	memcpy(&low, address->bytes + sizeof(high), sizeof(low));
	mixed = (high + port) * UINT64_C(0x9e3779b97f4a7c15) + low * UINT64_C(0xc2b2ae3d27d4eb4f);
	mixed ^= mixed >> 32;
	mixed *= UINT64_C(0x165667b19e3779f9);
	return (uint32_t)(mixed >> 32) % TW_LISTENERS_SLOTS;
}

/* The place of the address's row, or the empty one where it would go. */
static inline uint32_t find_slot(const struct tw_listeners *listeners, const struct tw_address *address, uint16_t port)
{
	uint32_t at = slot_of(address, port);

	while (listeners->slots[at] != 0) {
		const struct tw_endpoint *have = &listeners->rows[listeners->slots[at] - 1].address;

		if (have->port == port && memcmp(&have->address, address, sizeof(*address)) == 0)
			break;
		at = (at + 1) % TW_LISTENERS_SLOTS;
	}
	return at;
}

static inline struct tw_listener_row *find(struct tw_listeners *listeners, const struct tw_address *address,
					   uint16_t port)
{
	uint32_t slot = find_slot(listeners, address, port);

	return listeners->slots[slot] == 0 ? NULL : &listeners->rows[listeners->slots[slot] - 1];
}

/* Whether the first queue is fuller. */
static bool is_fuller(uint32_t queue, uint32_t backlog, uint32_t than_queue, uint32_t than_backlog)
{
	return (uint64_t)queue * tw_listener_room(than_backlog) > (uint64_t)than_queue * tw_listener_room(backlog);
}

void tw_listeners_add(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	uint32_t slot = find_slot(listeners, &flow->local.address, flow->local.port);
	struct tw_listener_row *row;

	tw_port_set_add(&listeners->ports, flow->local.port);
	if (listeners->slots[slot] == 0) {
		if (listeners->count == TW_LISTENERS_MAX) {
			listeners->beyond++;
			return;
		}
		row = &listeners->rows[listeners->count++];
		listeners->slots[slot] = (uint16_t)listeners->count;
		*row = (struct tw_listener_row){ .address = flow->local };
		if (!tw_address_is_any(&flow->local.address))
			tw_port_set_add(&listeners->exact, flow->local.port);
	}
	row = &listeners->rows[listeners->slots[slot] - 1];
	if (row->sockets++ == 0 || is_fuller(flow->receive_queue, flow->send_queue, row->queue, row->backlog)) {
		row->queue = flow->receive_queue;
		row->backlog = flow->send_queue;
	}
}

/*
 * An IPv4 connection can have been accepted by an IPv6 socket; then its own family is still that one's. The other
 * way round cannot be.
 */
static struct tw_listener_row *find_wildcard(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	static const struct tw_address any_ipv4 = { .bytes = { [10] = 0xff, [11] = 0xff } };
	static const struct tw_address any_ipv6 = { 0 };
	bool ipv4 = tw_address_is_ipv4(&flow->local.address);
	const struct tw_address *first = ipv4 && flow->family == AF_INET ? &any_ipv4 : &any_ipv6;
	struct tw_listener_row *row = find(listeners, first, flow->local.port);

	if (!row && ipv4)
		row = find(listeners, first == &any_ipv4 ? &any_ipv6 : &any_ipv4, flow->local.port);
	return row;
}

void tw_listeners_count_flow(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	struct tw_listener_row *row = NULL;

	/* Bound but unconnected: no connection, whatever it is for. */
	if (flow->state == TW_STATE_BOUND || flow->state == TW_STATE_LISTEN)
		return;
	if (tw_port_set_has(&listeners->exact, flow->local.port))
		row = find(listeners, &flow->local.address, flow->local.port);
	if (!row)
		row = find_wildcard(listeners, flow);
	if (!row)
		return;
	if (flow->state == TW_STATE_TIME_WAIT) {
		row->time_wait.value++;
		return;
	}
	row->connections.value++;
	row->close_wait += flow->state == TW_STATE_CLOSE_WAIT;
	row->syn_recv += flow->state == TW_STATE_SYN_RECV;
}

/* `by_connections`: those of all states were counted. */
static bool ranks_above(const struct tw_listener_row *a, const struct tw_listener_row *b, bool by_connections)
{
	int order;

	if (is_fuller(a->queue, a->backlog, b->queue, b->backlog))
		return true;
	if (is_fuller(b->queue, b->backlog, a->queue, a->backlog))
		return false;
	if (by_connections && a->connections.value != b->connections.value)
		return a->connections.value > b->connections.value;
	order = memcmp(&a->address.address, &b->address.address, sizeof(a->address.address));
	return order < 0 || (order == 0 && a->address.port < b->address.port);
}

static unsigned find_top(const struct tw_listeners *listeners, bool by_connections,
			 const struct tw_listener_row *top[TW_TOP_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < listeners->count; i++) {
		const struct tw_listener_row *row = &listeners->rows[i];
		unsigned at;

		if (count == TW_TOP_MAX && !ranks_above(row, top[count - 1], by_connections))
			continue;
		if (count < TW_TOP_MAX)
			count++;
		for (at = count - 1; at > 0 && ranks_above(row, top[at - 1], by_connections); at--)
			top[at] = top[at - 1];
		top[at] = row;
	}
	return count;
}

/* Without a listener nobody waits. */
static struct tw_value fullest_queue(const struct tw_listeners *listeners)
{
	const struct tw_listener_row *fullest = NULL;

	for (uint32_t i = 0; i < listeners->count; i++) {
		const struct tw_listener_row *row = &listeners->rows[i];

		if (!fullest || is_fuller(row->queue, row->backlog, fullest->queue, fullest->backlog))
			fullest = row;
	}
	return fullest ? tw_listener_fullness(fullest) : tw_value_of(0);
}

/* A count of some only tells nothing. */
static struct tw_count count_if(struct tw_count count, bool known)
{
	return known ? (struct tw_count){ count.value, true } : (struct tw_count){ 0 };
}

void tw_listeners_results(const struct tw_listeners *listeners, bool connections_known, bool time_wait_known,
			  struct tw_accepting *ret)
{
	const struct tw_listener_row *top[TW_TOP_MAX];

	ret->listeners = listeners->count + listeners->beyond;
	ret->accept_queue = fullest_queue(listeners);
	ret->row_count = find_top(listeners, connections_known, top);
	for (unsigned i = 0; i < ret->row_count; i++) {
		ret->rows[i] = *top[i];
		ret->rows[i].connections = count_if(top[i]->connections, connections_known);
		ret->rows[i].time_wait = count_if(top[i]->time_wait, time_wait_known);
	}
}

/* Of the rows only those are written that there are: of the sample of a quiet namespace most pages stay untouched. */
void tw_listeners_accepting(const struct tw_listeners *listeners, const struct tw_census *census,
			    bool connections_known, bool time_wait_known, struct tw_accepting *ret)
{
	ret->at_usec = census->at_usec;
	ret->partial = census->partial;
	ret->listeners = 0;
	ret->row_count = 0;
	ret->connections = (struct tw_count){ 0 };
	ret->accept_queue = tw_value_unknown();
	if (ret->partial)
		return;
	ret->connections.known = connections_known;
	for (unsigned i = 0; i < TW_STATE_COUNT && connections_known; i++)
		if (i != TW_STATE_LISTEN && i != TW_STATE_TIME_WAIT)
			ret->connections.value += census->count[i];
	tw_listeners_results(listeners, connections_known, time_wait_known, ret);
}
