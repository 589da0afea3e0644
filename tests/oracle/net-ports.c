/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which port: __inet_hash_connect(), inet_csk_find_open_port() and the bind buckets (net/ipv4, Linux 6.18). */
#include "oracle/net.h"

#include <errno.h>
#include <sys/socket.h>

#define LOOPBACK_DEVICE 1
/* Passed by one connect(), which remembers them from then on. */
#define CROWD 200

static unsigned slot_of(uint16_t local, uint16_t local_port, uint16_t remote, uint16_t remote_port)
{
	return (unsigned)(net_mix(local, local_port, remote, remote_port) >> 48) % NET_HASH;
}

/* A socket without a device takes what comes on any. */
struct net_socket *net_find(struct net *net, uint16_t local, uint16_t local_port, uint16_t remote, uint16_t remote_port,
			    uint16_t device)
{
	struct net_socket *found = net->hash[slot_of(local, local_port, remote, remote_port)];

	while (found && (found->local != local || found->local_port != local_port || found->remote != remote ||
			 found->remote_port != remote_port || (found->device != 0 && found->device != device)))
		found = found->chain;
	return found;
}

void net_hash(struct net *net, struct net_socket *socket)
{
	struct net_crowd *crowd = net_crowd_of(net, socket);
	struct net_socket **head =
		&net->hash[slot_of(socket->local, socket->local_port, socket->remote, socket->remote_port)];

	socket->chain = *head;
	socket->chain_link = head;
	if (*head)
		(*head)->chain_link = &socket->chain;
	*head = socket;
	if (crowd)
		net_crowd_join(crowd, socket);
}

void net_unhash(struct net *net, struct net_socket *socket)
{
	struct net_crowd *crowd;

	if (!socket->chain_link)
		return;
	crowd = net_crowd_of(net, socket);
	if (crowd) {
		crowd->with_device -= socket->device != 0;
		tw_port_set_remove(&crowd->ports, socket->local_port);
	}
	*socket->chain_link = socket->chain;
	if (socket->chain)
		socket->chain->chain_link = socket->chain_link;
	socket->chain_link = NULL;
}

/* inet_csk_update_fastreuse(); connect() marks a port that was nobody's alone. */
static void mark(struct net_port *port, const struct net_socket *socket, bool by_connect)
{
	if (!port->owners)
		port->reuse = by_connect ? -1 : socket->reuse_address;
	else if (!by_connect && !socket->reuse_address)
		port->reuse = 0;
	else if (!by_connect && port->reuse < 0)
		port->reuse = 1;
}

void net_port_join(struct net *net, struct net_socket *socket, uint16_t port, bool by_connect)
{
	struct net_port *to = &net->ports[port];

	mark(to, socket, by_connect);
	socket->local_port = port;
	socket->bound = !by_connect;
	to->bound += socket->bound;
	net->ports_held += !to->owners;
	socket->owner = to->owners;
	socket->owner_link = &to->owners;
	if (to->owners)
		to->owners->owner_link = &socket->owner;
	to->owners = socket;
}

void net_port_leave(struct net *net, struct net_socket *socket)
{
	struct net_port *from = &net->ports[socket->local_port];

	if (!socket->owner_link)
		return;
	*socket->owner_link = socket->owner;
	if (socket->owner)
		socket->owner->owner_link = socket->owner_link;
	socket->owner_link = NULL;
	net->ports_held -= !from->owners;
	from->bound -= socket->bound;
	if (from->bound == 0 && net->kernel.tracks_binders)
		from->reuse = -1;
}

static bool reuse_is_in_force(const struct net *net, const struct net_socket *waiting)
{
	int64_t reuse = net->sysctls[TW_TUNABLE_TW_REUSE][0];

	if (waiting->state != TW_STATE_TIME_WAIT)
		return false;
	if (reuse != 2)
		return reuse != 0;
	return waiting->device == LOOPBACK_DEVICE || net->addresses[waiting->local].loopback ||
	       net->addresses[waiting->remote].loopback;
}

static bool is_ripe(const struct net *net, const struct net_socket *waiting)
{
	if (net->kernel.delays_by_the_second)
		return net->now_usec / TW_USEC_PER_SEC > waiting->since_usec / TW_USEC_PER_SEC;
	return net->now_usec - waiting->since_usec >
	       (usec_t)net->sysctls[TW_TUNABLE_TW_REUSE_DELAY][0] * TW_USEC_PER_MSEC;
}

/* tcp_twsk_unique(): who has bound its port need not wait. */
static bool can_take_over(const struct net *net, const struct net_socket *waiting, bool bound)
{
	return waiting->mini && waiting->timestamps &&
	       (bound || (reuse_is_in_force(net, waiting) && is_ripe(net, waiting)));
}

/* __inet_check_established(). */
static bool is_unique(struct net *net, const struct net_socket *socket, uint16_t port, struct net_socket **ret_waiting)
{
	struct net_socket *other =
		net_find(net, socket->local, port, socket->remote, socket->remote_port, socket->device);

	*ret_waiting = other;
	return !other || can_take_over(net, other, socket->bound);
}

static void take(struct net *net, struct net_socket *socket, uint16_t port, struct net_socket *waiting)
{
	if (!socket->owner_link)
		net_port_join(net, socket, port, true);
	if (waiting) {
		net->counters[TW_COUNTER_TIME_WAIT_REUSED]++;
		net->reused[socket->remote] += !socket->bound;
		net_remove(net, waiting);
	}
	net_hash(net, socket);
}

/* Whether is_unique() can be answered without a look at the socket that is there. */
static bool is_crowded(const struct net *net, const struct net_crowd *crowd, uint16_t port)
{
	int64_t reuse = net->sysctls[TW_TUNABLE_TW_REUSE][0];

	return tw_port_set_has(&crowd->ports, port) &&
	       (reuse == 0 ||
		(reuse == 2 && !net->addresses[crowd->local].loopback && !net->addresses[crowd->remote].loopback));
}

/* What remains of a walk over a range: the kernel's names. */
struct walk {
	uint32_t low, high, remaining, step;
};

static struct walk walk_of(const struct net *net, const struct net_socket *socket)
{
	const int64_t *range = net->sysctls[TW_TUNABLE_PORT_RANGE];
	struct walk walk = { .low = (uint32_t)range[0], .high = (uint32_t)range[1] + 1, .step = 2 };

	if (socket->range_low > 0) {
		walk.low = socket->range_low;
		walk.high = socket->range_high + 1u;
		walk.step = net->kernel.ranges_without_parity ? 1 : 2;
	}
	return walk;
}

static void settle(struct walk *walk)
{
	walk->remaining = walk->high - walk->low;
	if (walk->remaining > 1)
		walk->remaining &= ~1u;
}

/* It goes on behind the port it found, or up to eight steps behind where it began. */
static void step_on(struct net *net, uint32_t *perturb, const struct walk *walk, uint32_t passed)
{
	uint32_t noise = net_chance(net, 8) * walk->step;

	*perturb += TW_MAX(passed, noise) + walk->step;
}

static bool connect_scan(struct net *net, struct net_socket *socket, const struct walk *walk, uint32_t offset,
			 uint32_t *perturb)
{
	const struct net_crowd *crowd = net_crowd_of(net, socket);
	uint32_t port = walk->low + offset;
	unsigned passed = 0;

	for (uint32_t i = 0; i < walk->remaining; i += walk->step, port += walk->step) {
		struct net_socket *waiting = NULL;

		if (port >= walk->high)
			port -= walk->remaining;
		if (tw_port_set_has(&net->reserved, (uint16_t)port) || net_is_exclusive(net, (uint16_t)port))
			continue;
		if (crowd && crowd->with_device == 0 && is_crowded(net, crowd, (uint16_t)port))
			continue;
		if (!net->ports[port].owners || is_unique(net, socket, (uint16_t)port, &waiting)) {
			take(net, socket, (uint16_t)port, waiting);
			step_on(net, perturb, walk, i);
			return true;
		}
		if (++passed == CROWD)
			net_crowd_make(net, socket);
	}
	return false;
}

int net_port_pick(struct net *net, struct net_socket *socket)
{
	struct walk walk = walk_of(net, socket);
	uint64_t where = net_mix(socket->local, 0, socket->remote, socket->remote_port);
	uint32_t *perturb = &net->perturb[where % NET_PERTURB];
	struct net_socket *waiting;
	uint32_t offset;

	if (socket->owner_link) {
		if (!is_unique(net, socket, socket->local_port, &waiting))
			return -EADDRNOTAVAIL;
		take(net, socket, socket->local_port, waiting);
		return 0;
	}
	settle(&walk);
	offset = (*perturb + (uint32_t)(where >> 32)) % walk.remaining;
	if (walk.step == 1)
		return connect_scan(net, socket, &walk, offset, perturb) ? 0 : -EADDRNOTAVAIL;
	offset &= ~1u;
	if (connect_scan(net, socket, &walk, offset, perturb))
		return 0;
	if (walk.remaining > 1 && connect_scan(net, socket, &walk, offset + 1, perturb)) {
		net->far_parity++;
		return 0;
	}
	return -EADDRNOTAVAIL;
}

/* ---- bind() */

static bool overlap(const struct net *net, uint16_t a, uint16_t b)
{
	const struct net_address *one = &net->addresses[a], *other = &net->addresses[b];

	if (a == b || a == NET_ANY6 || b == NET_ANY6)
		return true;
	return one->family == other->family && (one->any || other->any);
}

/* inet_bind_conflict(). */
static bool is_in_the_way(const struct net *net, const struct net_socket *socket, uint16_t address,
			  const struct net_socket *other, bool relaxed)
{
	if (other == socket || !overlap(net, address, other->local))
		return false;
	if (socket->device != 0 && other->device != 0 && socket->device != other->device)
		return false;
	if (socket->reuse_address && other->reuse_address && other->state != TW_STATE_LISTEN)
		return !relaxed;
	return true;
}

static bool can_bind(const struct net *net, const struct net_socket *socket, uint16_t address, uint16_t port,
		     bool relaxed)
{
	const struct net_socket *other = net->ports[port].owners;

	while (other && !is_in_the_way(net, socket, address, other, relaxed))
		other = other->owner;
	return !other;
}

static uint32_t bind_scan(const struct net *net, const struct net_socket *socket, uint16_t address,
			  const struct walk *walk, uint32_t offset, bool relaxed)
{
	uint32_t port = walk->low + offset;

	for (uint32_t i = 0; i < walk->remaining; i += walk->step, port += walk->step) {
		if (port >= walk->high)
			port -= walk->remaining;
		if (!tw_port_set_has(&net->reserved, (uint16_t)port) &&
		    can_bind(net, socket, address, (uint16_t)port, relaxed))
			return port;
	}
	return 0;
}

/* One half of the range, 1 or 2, or with 0 all of it. */
static uint32_t bind_part(struct net *net, const struct net_socket *socket, uint16_t address, unsigned part,
			  bool relaxed)
{
	struct walk walk = walk_of(net, socket);
	uint32_t half = walk.low + (((walk.high - walk.low) >> 2) << 1);
	uint32_t offset, port;

	if (part == 1)
		walk.high = half;
	else if (part == 2)
		walk.low = half;
	settle(&walk);
	offset = net_chance(net, walk.remaining);
	if (walk.step == 1)
		return bind_scan(net, socket, address, &walk, offset, relaxed);
	offset |= 1;
	port = bind_scan(net, socket, address, &walk, offset, relaxed);
	return port > 0 ? port : bind_scan(net, socket, address, &walk, offset - 1, relaxed);
}

/* inet_csk_find_open_port(). 0: there is none. */
static uint32_t find_open_port(struct net *net, const struct net_socket *socket, uint16_t address)
{
	struct walk walk = walk_of(net, socket);
	bool halves = socket->reuse_address && walk.high - walk.low >= 4;

	for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
		uint32_t port;

		if (relaxed && net->sysctls[TW_TUNABLE_AUTOBIND_REUSE][0] == 0)
			break;
		port = bind_part(net, socket, address, halves ? 1 : 0, relaxed);
		if (port == 0 && halves)
			port = bind_part(net, socket, address, 2, relaxed);
		if (port > 0)
			return port;
	}
	return 0;
}

/* What bind() of a port of the program's own choice asks. */
static bool may_have(const struct net *net, const struct net_socket *socket, uint16_t address, uint16_t port)
{
	const struct net_port *at = &net->ports[port];

	return (at->owners && at->reuse > 0 && socket->reuse_address) || can_bind(net, socket, address, port, true);
}

int net_bind(struct net *net, struct net_socket *socket, uint16_t address, uint16_t port)
{
	if (port == 0 && socket->late) {
		socket->local = address;
		return 0;
	}
	if (port == 0)
		port = (uint16_t)find_open_port(net, socket, address);
	else if (!may_have(net, socket, address, port))
		port = 0;
	if (port == 0)
		return -EADDRINUSE;
	socket->local = address;
	net_port_join(net, socket, port, false);
	net_enter(net, socket, TW_STATE_BOUND);
	return 0;
}

static const struct net_socket *first_bound(const struct net_port *port)
{
	const struct net_socket *owner = port->owners;

	while (owner && !owner->bound)
		owner = owner->owner;
	return owner ? owner : port->owners;
}

const struct net_socket *net_next_in_the_way(struct net *net, const struct net_socket *socket, uint16_t port,
					     const struct net_socket *after)
{
	const struct net_socket *other = after ? after->owner : net->ports[port].owners;

	while (other && !is_in_the_way(net, socket, socket->local, other, false))
		other = other->owner;
	return other;
}

bool net_is_blocked(struct net *net, const struct net_socket *socket, bool binds, uint16_t port,
		    const struct net_socket **ret_holder)
{
	const struct net_socket *other = net->ports[port].owners;
	struct net_socket *waiting;

	*ret_holder = NULL;
	if (binds) {
		*ret_holder = net_next_in_the_way(net, socket, port, NULL);
		return *ret_holder != NULL;
	}
	if (net_is_exclusive(net, port))
		*ret_holder = first_bound(&net->ports[port]);
	else if (other && !is_unique(net, socket, port, &waiting))
		*ret_holder = waiting;
	return *ret_holder != NULL;
}
