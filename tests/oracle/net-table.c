/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of sockets with its counts and timers: apart from what connections do to it. */
#include "oracle/net.h"

#include "base/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct net_kernel net_kernel_of(const char *release)
{
	unsigned major = 0, minor = 0;

	(void)sscanf(release, "%u.%u", &major, &minor);
	return (struct net_kernel){
		.tells_bound = major * 100 + minor >= 608,
		.delays_by_the_second = major * 100 + minor < 614,
		.ranges_without_parity = major * 100 + minor >= 608,
		.tracks_binders = major * 100 + minor >= 618,
	};
}

uint32_t net_chance(struct net *net, uint32_t most)
{
	net->chance ^= net->chance << 13;
	net->chance ^= net->chance >> 7;
	net->chance ^= net->chance << 17;
	return (uint32_t)((net->chance >> 32) * most >> 32);
}

static void set_defaults(struct net *net)
{
	static const struct {
		enum tw_tunable tunable;
		int64_t first, second;
	} defaults[] = {
		{ TW_TUNABLE_TW_REUSE, 2, 0 },	       { TW_TUNABLE_TW_REUSE_DELAY, 1000, 0 },
		{ TW_TUNABLE_FIN_TIMEOUT, 60, 0 },     { TW_TUNABLE_MAX_TW_BUCKETS, 131072, 0 },
		{ TW_TUNABLE_TIMESTAMPS, 1, 0 },       { TW_TUNABLE_PORT_RANGE, 32768, 60999 },
		{ TW_TUNABLE_SYNCOOKIES, 1, 0 },       { TW_TUNABLE_SOMAXCONN, 4096, 0 },
		{ TW_TUNABLE_MAX_ORPHANS, 65536, 0 },  { TW_TUNABLE_KEEPALIVE_TIME, 7200, 0 },
		{ TW_TUNABLE_KEEPALIVE_INTVL, 75, 0 }, { TW_TUNABLE_KEEPALIVE_PROBES, 9, 0 },
		{ TW_TUNABLE_SYNACK_RETRIES, 5, 0 },   { TW_TUNABLE_MAX_SYN_BACKLOG, 4096, 0 },
	};

	for (unsigned i = 0; i < TW_ARRAY_SIZE(defaults); i++) {
		net->sysctls[defaults[i].tunable][0] = defaults[i].first;
		net->sysctls[defaults[i].tunable][1] = defaults[i].second;
	}
}

struct net *net_new(uint64_t seed, struct net_kernel kernel)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		abort();
	net->kernel = kernel;
	net->chance = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned i = 0; i < 8; i++)
		(void)net_chance(net, 2);
	for (unsigned i = 0; i < NET_PERTURB; i++)
		net->perturb[i] = net_chance(net, UINT32_MAX);
	set_defaults(net);
	net->addresses[NET_ANY] = (struct net_address){ tw_address_from_ipv4("\0\0\0\0"), AF_INET, true, false, true };
	net->addresses[NET_ANY6] = (struct net_address){ .family = AF_INET6, .local = true, .any = true };
	net->address_count = 2;
	return net;
}

static void free_all(struct net_socket *first)
{
	while (first) {
		struct net_socket *next = first->chain;

		free(first);
		first = next;
	}
}

struct net *net_free(struct net *net)
{
	if (!net)
		return NULL;
	for (unsigned i = 0; i < net->socket_count; i++)
		free(net->sockets[i]);
	for (unsigned i = 0; i < NET_PERTURB; i++)
		free(net->crowds[i]);
	free_all(net->spare);
	free(net->sockets);
	free(net);
	return NULL;
}

uint16_t net_address(struct net *net, const struct tw_address *address, bool local)
{
	uint16_t at = (uint16_t)net->address_count;

	for (uint16_t i = 0; i < net->address_count; i++)
		if (tw_address_equal(&net->addresses[i].address, address))
			return i;
	if (net->address_count == NET_ADDRESSES_MAX)
		abort();
	net->addresses[net->address_count++] = (struct net_address){
		.address = *address,
		.family = tw_address_is_ipv4(address) ? AF_INET : AF_INET6,
		.loopback = tw_address_is_loopback(address),
		.local = local || tw_address_is_loopback(address),
	};
	return at;
}

uint16_t net_address_of(struct net *net, const char *text, bool local)
{
	struct tw_address address;

	if (tw_address_parse(text, strlen(text), &address) < 0)
		abort();
	return net_address(net, &address, local);
}

/* ---- the table */

static bool is_full(const struct net_socket *socket)
{
	return socket->in_table && !socket->mini && socket->state != TW_STATE_BOUND &&
	       socket->state != TW_STATE_SYN_RECV;
}

void net_count(struct net *net, const struct net_socket *socket, int by)
{
	if (!socket->in_table)
		return;
	net->in_state[socket->state] += (uint64_t)by;
	net->minis += socket->mini ? (uint64_t)by : 0;
	if (is_full(socket))
		net->full[socket->family == AF_INET6] += (uint64_t)by;
}

static void add_to_table(struct net *net, struct net_socket *socket)
{
	if (net->socket_count == net->socket_room) {
		net->socket_room = TW_MAX(1024u, 2 * net->socket_room);
		net->sockets = realloc(net->sockets, net->socket_room * sizeof(struct net_socket *));
		if (!net->sockets)
			abort();
	}
	socket->index = net->socket_count;
	net->sockets[net->socket_count++] = socket;
	socket->in_table = true;
}

void net_enter(struct net *net, struct net_socket *socket, enum tw_state state)
{
	net_count(net, socket, -1);
	if (!socket->in_table)
		add_to_table(net, socket);
	socket->state = state;
	socket->since_usec = net->now_usec;
	net_count(net, socket, 1);
}

void net_stop_timer(struct net_socket *socket)
{
	struct net_timers *timers = socket->timers;

	if (!timers)
		return;
	*(socket->timer_before ? &socket->timer_before->timer : &timers->first) = socket->timer;
	*(socket->timer ? &socket->timer->timer_before : &timers->last) = socket->timer_before;
	socket->timers = NULL;
}

/* Those of one list last about as long, so that the place of a new one is near the end. */
void net_set_timer(struct net *net, struct net_socket *socket, struct net_timers *timers, usec_t span_usec)
{
	struct net_socket *before = timers->last;

	net_stop_timer(socket);
	socket->ends_usec = net->now_usec + span_usec;
	while (before && before->ends_usec > socket->ends_usec)
		before = before->timer_before;
	socket->timers = timers;
	socket->timer_before = before;
	socket->timer = before ? before->timer : timers->first;
	*(before ? &before->timer : &timers->first) = socket;
	*(socket->timer ? &socket->timer->timer_before : &timers->last) = socket;
}

/* Nobody's any more. */
void net_let_go(struct net *net, struct net_socket *socket)
{
	if (socket->in_table || socket->held)
		return;
	socket->chain = net->spare;
	net->spare = socket;
}

void net_remove(struct net *net, struct net_socket *socket)
{
	if (!socket->in_table)
		return;
	net_count(net, socket, -1);
	socket->in_table = false;
	net->sockets[socket->index] = net->sockets[--net->socket_count];
	net->sockets[socket->index]->index = socket->index;
	net_stop_timer(socket);
	net_unhash(net, socket);
	net_port_leave(net, socket);
	if (socket->peer)
		socket->peer->peer = NULL;
	socket->peer = NULL;
	net_let_go(net, socket);
}

struct net_socket *net_make(struct net *net, uint8_t family)
{
	struct net_socket *socket = net->spare;

	if (socket)
		net->spare = socket->chain;
	else
		socket = malloc(sizeof(*socket));
	if (!socket)
		abort();
	*socket = (struct net_socket){ .family = family, .cookie = ++net->last_cookie };
	socket->local = socket->remote = family == AF_INET6 ? NET_ANY6 : NET_ANY;
	return socket;
}

struct net_socket *net_socket(struct net *net, uint8_t family)
{
	struct net_socket *socket = net_make(net, family);

	socket->held = true;
	return socket;
}
