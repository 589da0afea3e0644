/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/listeners.h"

#include "base/macros.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void tw_listeners_clear(struct tw_listeners *listeners)
{
	tw_port_set_clear(&listeners->ports);
	memset(listeners->slots, 0, sizeof(listeners->slots));
	listeners->count = 0;
	listeners->beyond = 0;
}

/*
 * The place of the address's row, or the empty one where it would go. Hashed without a secret: only listeners are put
 * in, and their addresses are the admin's. Odd multipliers: one of xxHash, and the fraction of the golden ratio.
 */
static uint16_t *find_slot(struct tw_listeners *listeners, const struct tw_address *address, uint16_t port)
{
	uint64_t words[2];
	uint32_t at;

	memcpy(words, address->bytes, sizeof(words));
	at = (uint32_t)((words[0] * UINT64_C(0xc2b2ae3d27d4eb4f) + words[1] + port) * UINT64_C(0x9e3779b97f4a7c15) >>
			53);
	while (listeners->slots[at] != 0) {
		const struct tw_endpoint *have = &listeners->rows[listeners->slots[at] - 1].address;

		if (have->port == port && tw_address_equal(&have->address, address))
			break;
		at = (at + 1) % TW_LISTENERS_SLOTS;
	}
	return &listeners->slots[at];
}

static struct tw_listener_row *find(struct tw_listeners *listeners, const struct tw_address *address, uint16_t port)
{
	uint16_t slot = *find_slot(listeners, address, port);

	return slot == 0 ? NULL : &listeners->rows[slot - 1];
}

/* Negative where the first queue is fuller. */
static int compare_queues(const struct tw_listener_row *a, const struct tw_listener_row *b)
{
	uint64_t first = (uint64_t)a->queue * tw_listener_room(b->backlog);
	uint64_t second = (uint64_t)b->queue * tw_listener_room(a->backlog);

	return first > second ? -1 : first < second;
}

void tw_listeners_add(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	const struct tw_listener_row fresh = {
		.address = flow->local,
		.queue = flow->receive_queue,
		.backlog = flow->send_queue,
	};
	uint16_t *slot = find_slot(listeners, &flow->local.address, flow->local.port);
	struct tw_listener_row *row;

	tw_port_set_add(&listeners->ports, flow->local.port);
	if (*slot == 0 && listeners->count == TW_LISTENERS_MAX) {
		listeners->beyond++;
		return;
	}
	if (*slot == 0) {
		listeners->rows[listeners->count++] = fresh;
		*slot = (uint16_t)listeners->count;
	}
	row = &listeners->rows[*slot - 1];
	row->sockets++;
	if (compare_queues(&fresh, row) < 0) {
		row->queue = fresh.queue;
		row->backlog = fresh.backlog;
	}
}

/*
 * An IPv4 connection can have been accepted by an IPv6 socket; then its own family is still that one's. The other
 * way round cannot be.
 */
static struct tw_listener_row *find_owner(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	static const struct tw_address any[2] = { { .bytes = { [10] = 0xff, [11] = 0xff } } };
	bool ipv4 = tw_address_is_ipv4(&flow->local.address);
	unsigned own = ipv4 && flow->family == AF_INET ? 0 : 1;
	struct tw_listener_row *row = find(listeners, &flow->local.address, flow->local.port);

	if (!row)
		row = find(listeners, &any[own], flow->local.port);
	if (!row && ipv4)
		row = find(listeners, &any[1 - own], flow->local.port);
	return row;
}

void tw_listeners_attribute(struct tw_listeners *listeners, const struct tw_flow *flow)
{
	struct tw_listener_row *row;

	/* Bound but unconnected: no connection, whatever it is for. */
	if (!tw_port_set_has(&listeners->ports, flow->local.port) || flow->state == TW_STATE_BOUND ||
	    flow->state == TW_STATE_LISTEN)
		return;
	row = find_owner(listeners, flow);
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

static int compare_rows(const void *left, const void *right)
{
	const struct tw_listener_row *a = left, *b = right;
	int order = compare_queues(a, b);

	if (order == 0 && a->connections.value != b->connections.value)
		order = a->connections.value > b->connections.value ? -1 : 1;
	if (order == 0)
		order = memcmp(&a->address.address, &b->address.address, sizeof(a->address.address));
	return order == 0 ? (int)a->address.port - b->address.port : order;
}

/* A count of some only tells nothing. */
static struct tw_count count_if(struct tw_count count, bool known)
{
	return known ? (struct tw_count){ count.value, true } : (struct tw_count){ 0 };
}

/* Of the rows only those are written that there are: of the sample of a quiet namespace most pages stay untouched. */
void tw_listeners_results(struct tw_listeners *listeners, const struct tw_census *census, struct tw_accepting *ret)
{
	bool connections_known = census->ipv6_known[TW_STATE_ESTABLISHED];

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
	for (uint32_t i = 0; i < listeners->count; i++) {
		struct tw_listener_row *row = &listeners->rows[i];

		row->connections = count_if(row->connections, connections_known);
		row->time_wait = count_if(row->time_wait, census->ipv6_known[TW_STATE_TIME_WAIT]);
	}
	qsort(listeners->rows, listeners->count, sizeof(listeners->rows[0]), compare_rows);
	ret->listeners = listeners->count + listeners->beyond;
	ret->row_count = TW_MIN(listeners->count, (uint32_t)TW_TOP_MAX);
	memcpy(ret->rows, listeners->rows, ret->row_count * sizeof(ret->rows[0]));
	/* Without a listener nobody waits. */
	ret->accept_queue = listeners->count > 0 ? tw_listener_fullness(&listeners->rows[0]) : tw_value_of(0);
}
