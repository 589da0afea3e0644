/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/net.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* How long FIN is sent again where nobody acknowledges it: tcp_orphan_retries as it is by default, some 102 s. */
#define UNACKNOWLEDGED_USEC (102 * TW_USEC_PER_SEC)
/* The shortest life of an orphaned FIN-WAIT-2: 3.5 times the retransmission timeout, which is 200 ms on a near path. */
#define ORPHAN_LEAST_USEC (700 * TW_USEC_PER_MSEC)
/* TCP_TIMEWAIT_LEN. */
#define TIME_WAIT_USEC (60 * TW_USEC_PER_SEC)

/* ---- how connections end */

static void time_wait(struct net *net, struct net_socket *socket, enum tw_state state, usec_t span_usec)
{
	int64_t most = net->sysctls[TW_TUNABLE_MAX_TW_BUCKETS][0];

	if (!socket->mini && most >= 0 && net->minis >= (uint64_t)most) {
		net->counters[TW_COUNTER_TIME_WAIT_OVERFLOW]++;
		net_remove(net, socket);
		return;
	}
	net_count(net, socket, -1);
	socket->mini = true;
	net_count(net, socket, 1);
	net_enter(net, socket, state);
	net_set_timer(net, socket, state == TW_STATE_TIME_WAIT ? &net->time_wait : &net->fin_wait, span_usec);
}

/* No program has it: the kernel keeps it for tcp_fin_timeout, as a mini-socket for a minute at the most. */
static void orphan(struct net *net, struct net_socket *socket)
{
	usec_t span_usec =
		TW_MAX((usec_t)TW_MAX(net->sysctls[TW_TUNABLE_FIN_TIMEOUT][0], 0) * TW_USEC_PER_SEC, ORPHAN_LEAST_USEC);

	if (span_usec > TIME_WAIT_USEC)
		net_set_timer(net, socket, &net->other, span_usec - TIME_WAIT_USEC);
	else
		time_wait(net, socket, TW_STATE_FIN_WAIT_2, span_usec);
}

static void take_fin(struct net *net, struct net_socket *socket)
{
	net->segments += 2;
	if (socket->state == TW_STATE_ESTABLISHED)
		net_enter(net, socket, TW_STATE_CLOSE_WAIT);
	else if (socket->state == TW_STATE_FIN_WAIT_2)
		time_wait(net, socket, TW_STATE_TIME_WAIT, TIME_WAIT_USEC);
}

static void send_fin(struct net *net, struct net_socket *socket)
{
	struct net_socket *peer = socket->peer;
	bool last = socket->state == TW_STATE_CLOSE_WAIT;

	net->segments += 2;
	if (socket->dead) {
		net_enter(net, socket, last ? TW_STATE_LAST_ACK : TW_STATE_FIN_WAIT_1);
		net_set_timer(net, socket, &net->other, UNACKNOWLEDGED_USEC);
		return;
	}
	if (last)
		net_remove(net, socket);
	else
		net_enter(net, socket, TW_STATE_FIN_WAIT_2);
	if (peer && peer->in_table)
		take_fin(net, peer);
}

void net_shutdown(struct net *net, struct net_socket *socket)
{
	if (socket->in_table && (socket->state == TW_STATE_ESTABLISHED || socket->state == TW_STATE_CLOSE_WAIT))
		send_fin(net, socket);
}

/* tcp_done() with an error, as RST brings it about. */
static void abort_one(struct net *net, struct net_socket *socket)
{
	if (!socket->in_table)
		return;
	if (socket->state == TW_STATE_ESTABLISHED || socket->state == TW_STATE_CLOSE_WAIT)
		net->counters[TW_COUNTER_RESET]++;
	if (socket->state == TW_STATE_SYN_SENT || socket->state == TW_STATE_SYN_RECV)
		net->counters[TW_COUNTER_CONNECT_FAIL]++;
	net_remove(net, socket);
}

static void abort_both(struct net *net, struct net_socket *socket)
{
	struct net_socket *peer = socket->peer;

	net->segments++;
	abort_one(net, socket);
	if (peer && (!peer->mini || peer->state == TW_STATE_FIN_WAIT_2))
		abort_one(net, peer);
}

static void close_listener(struct net *net, struct net_socket *listener)
{
	struct net_socket *child;

	while ((child = net_accept(listener))) {
		child->held = false;
		abort_both(net, child);
	}
	net_remove(net, listener);
}

/* A program's descriptor is gone, and with it what nobody else has. */
static bool drop(struct net *net, struct net_socket *socket)
{
	socket->held = false;
	if (!socket->in_table)
		net_let_go(net, socket);
	return socket->in_table;
}

void net_close(struct net *net, struct net_socket *socket)
{
	if (!socket->in_table) {
		(void)drop(net, socket);
		return;
	}
	socket->held = false;
	switch (socket->state) {
	case TW_STATE_LISTEN:
		close_listener(net, socket);
		break;
	case TW_STATE_BOUND:
	case TW_STATE_SYN_SENT:
	case TW_STATE_SYN_RECV:
		net_remove(net, socket);
		break;
	case TW_STATE_ESTABLISHED:
		send_fin(net, socket);
		if (socket->in_table && !socket->mini && socket->state == TW_STATE_FIN_WAIT_2)
			orphan(net, socket);
		break;
	case TW_STATE_CLOSE_WAIT:
		send_fin(net, socket);
		break;
	case TW_STATE_FIN_WAIT_2:
		if (!socket->mini)
			orphan(net, socket);
		break;
	case TW_STATE_FIN_WAIT_1:
	case TW_STATE_LAST_ACK:
	case TW_STATE_CLOSING:
	case TW_STATE_TIME_WAIT:
	case TW_STATE_COUNT:
		break;
	}
}

void net_reset(struct net *net, struct net_socket *socket)
{
	if (drop(net, socket) && !socket->mini)
		abort_both(net, socket);
}

void net_hang_up(struct net *net, struct net_socket *socket)
{
	if (socket->in_table)
		take_fin(net, socket);
}

void net_reset_by_peer(struct net *net, struct net_socket *socket)
{
	if (socket->in_table && !(socket->mini && socket->state == TW_STATE_TIME_WAIT))
		abort_both(net, socket);
}

void net_destroy(struct net *net, struct net_socket *socket)
{
	if (socket->mini)
		net_remove(net, socket);
	else
		abort_both(net, socket);
}

static void expire(struct net *net, struct net_timers *timers)
{
	while (timers->first && timers->first->ends_usec <= net->now_usec) {
		struct net_socket *socket = timers->first;

		if (!socket->mini && socket->state == TW_STATE_FIN_WAIT_2) {
			net_stop_timer(socket);
			time_wait(net, socket, TW_STATE_FIN_WAIT_2, TIME_WAIT_USEC);
		} else {
			net_remove(net, socket);
		}
	}
}

void net_advance(struct net *net, usec_t now_usec)
{
	net->now_usec = now_usec;
	expire(net, &net->time_wait);
	expire(net, &net->fin_wait);
	expire(net, &net->other);
}

void net_send(struct net *net, struct net_socket *socket, uint32_t unsent)
{
	net->segments += 2;
	socket->sent_usec = net->now_usec;
	socket->unsent = unsent;
}

/* ---- how they begin */

int net_listen(struct net *net, struct net_socket *socket, uint32_t backlog)
{
	for (const struct net_socket *other = net->ports[socket->local_port].owners; other; other = other->owner)
		if (other != socket && other->state == TW_STATE_LISTEN && other->local == socket->local)
			return -EADDRINUSE;
	/* It gets its port once more, and a listener shares none. */
	net->ports[socket->local_port].reuse = 0;
	socket->backlog = (uint32_t)TW_MIN((int64_t)backlog, net->sysctls[TW_TUNABLE_SOMAXCONN][0]);
	net_enter(net, socket, TW_STATE_LISTEN);
	return 0;
}

static struct net_socket *find_listener(const struct net *net, uint16_t address, uint16_t port)
{
	struct net_socket *best = NULL;

	for (struct net_socket *at = net->ports[port].owners; at; at = at->owner)
		if (at->state == TW_STATE_LISTEN &&
		    (at->local == address ||
		     (!best &&
		      (at->local == NET_ANY6 || (at->local == NET_ANY && net->addresses[address].family == AF_INET)))))
			best = at;
	return best;
}

struct net_socket *net_accept(struct net_socket *listener)
{
	struct net_socket *child = listener->waits;

	if (!child)
		return NULL;
	listener->waits = child->waits;
	if (!listener->waits)
		listener->waits_last = NULL;
	child->waits = NULL;
	listener->queued--;
	child->held = true;
	return child;
}

/* Its end of a connection; NULL where the queue is full. */
static struct net_socket *beget(struct net *net, struct net_socket *listener, uint16_t local, uint16_t remote,
				uint16_t port)
{
	struct net_socket *child;

	if (listener->queued > listener->backlog) {
		net->counters[TW_COUNTER_LISTEN_OVERFLOW]++;
		net->counters[TW_COUNTER_LISTEN_DROP]++;
		return NULL;
	}
	child = net_make(net, listener->family);
	child->local = local;
	child->remote = remote;
	child->remote_port = port;
	child->cgroup_id = listener->cgroup_id;
	child->reuse_address = listener->reuse_address;
	child->sent_usec = net->now_usec;
	net_port_join(net, child, listener->local_port, true);
	child->bound = true;
	net->ports[child->local_port].bound++;
	net_hash(net, child);
	net_enter(net, child, TW_STATE_ESTABLISHED);
	*(listener->waits ? &listener->waits_last->waits : &listener->waits) = child;
	listener->waits_last = child;
	listener->queued++;
	net->counters[TW_COUNTER_PASSIVE_OPEN]++;
	return child;
}

struct net_socket *net_arrive(struct net *net, struct net_socket *listener, uint16_t address, uint16_t port)
{
	uint16_t local = net->addresses[listener->local].any ? net->source : listener->local;
	struct net_socket *before = net_find(net, local, listener->local_port, address, port, 0);
	struct net_socket *child;

	net->segments += 3;
	if (before && !before->mini)
		return NULL;
	/* A new SYN takes its place. */
	if (before)
		net_remove(net, before);
	child = beget(net, listener, local, address, port);
	if (child)
		child->timestamps = net->sysctls[TW_TUNABLE_TIMESTAMPS][0] > 0;
	return child;
}

static int connect_local(struct net *net, struct net_socket *socket)
{
	struct net_socket *listener = find_listener(net, socket->remote, socket->remote_port);
	struct net_socket *before =
		net_find(net, socket->remote, socket->remote_port, socket->local, socket->local_port, socket->device);

	if (before && before->mini)
		net_remove(net, before);
	if (!listener) {
		abort_one(net, socket);
		return -ECONNREFUSED;
	}
	socket->peer = before && !before->mini
			       ? NULL
			       : beget(net, listener, socket->remote, socket->local, socket->local_port);
	if (!socket->peer)
		return -EINPROGRESS;
	socket->peer->peer = socket;
	socket->peer->timestamps = socket->timestamps;
	net_enter(net, socket, TW_STATE_ESTABLISHED);
	return 0;
}

uint16_t net_source_towards(const struct net *net, uint16_t address)
{
	const struct net_address *to = &net->addresses[address];

	if (to->local)
		return address;
	return to->family == AF_INET6 ? net->source6 : net->source;
}

int net_connect(struct net *net, struct net_socket *socket, uint16_t address, uint16_t port, enum net_path path,
		bool timestamps)
{
	bool local = net->addresses[address].local;
	uint16_t before = socket->local;
	int r;

	if (net->addresses[before].any)
		socket->local = net_source_towards(net, address);
	socket->remote = address;
	socket->remote_port = port;
	r = net_port_pick(net, socket);
	if (r < 0) {
		socket->local = before;
		return r;
	}
	net->counters[TW_COUNTER_ACTIVE_OPEN]++;
	net->segments += 3;
	socket->sent_usec = net->now_usec;
	socket->timestamps = net->sysctls[TW_TUNABLE_TIMESTAMPS][0] > 0 && (local || timestamps);
	net_enter(net, socket, TW_STATE_SYN_SENT);
	if (local)
		return connect_local(net, socket);
	if (path == NET_SILENT)
		return -EINPROGRESS;
	if (path == NET_REFUSES) {
		abort_one(net, socket);
		return -ECONNREFUSED;
	}
	net_enter(net, socket, TW_STATE_ESTABLISHED);
	return 0;
}
