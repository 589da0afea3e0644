/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/flow.h"
#include "model/metric.h"
#include "model/port-model.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A network namespace in memory whose connect() and bind() pick ports as Linux does: bind buckets and their marks,
 * parity, TIME-WAIT and who may take it over, orphans, accept queues. It knows nothing of timewaitd. The scripts of
 * this directory are held against the real kernel. Time is an argument; so is chance, by its seed.
 */

/* Where kernels differ. */
struct net_kernel {
	bool tells_bound;	    /* 6.8: bound-but-unconnected sockets in a dump */
	bool delays_by_the_second;  /* before 6.14: a TIME-WAIT may be taken over in the next second, there is no delay
				     */
	bool ranges_without_parity; /* 6.8: connect() of a socket with a range of its own takes any parity */
	bool tracks_binders; /* 6.18: a port can be taken by connect() again as soon as its last binder is gone */
};

/* "6.12.1": what that version does. */
struct net_kernel net_kernel_of(const char *release);

/* Addresses are told by number. These two are always there. */
#define NET_ANY 0
#define NET_ANY6 1
#define NET_ADDRESSES_MAX 4096

/* What the other end of a connection to another machine does. */
enum net_path {
	NET_ANSWERS,
	NET_REFUSES,
	NET_SILENT, /* a SYN is not answered */
};

struct net_socket {
	/* Set by its program before anything else. */
	uint8_t family;
	bool reuse_address;		/* SO_REUSEADDR */
	bool late;			/* IP_BIND_ADDRESS_NO_PORT */
	uint16_t device;		/* SO_BINDTODEVICE; 1 is lo */
	uint16_t range_low, range_high; /* IP_LOCAL_PORT_RANGE; 0: none */
	uint64_t cgroup_id;

	/* Read by everybody. */
	uint64_t cookie;
	enum tw_state state;	   /* while it is in the table */
	bool in_table, mini, held; /* a mini-socket; a program has it open */
	uint16_t local, remote, local_port, remote_port;
	uint32_t queued, backlog; /* of a listener */
	uint32_t unsent;
	usec_t since_usec, sent_usec, ends_usec; /* entered its state; sent data last; its timer */

	/* The kernel's own. */
	bool bound, timestamps, dead; /* by bind(), or a child of such; negotiated; the other machine is gone */
	struct net_socket *peer;      /* the other end, where that is in this namespace too */
	struct net_socket *waits, *waits_last;	  /* of a listener: what is to be accepted; of those: the next */
	struct net_socket *chain, *owner, *timer; /* the next of the same tuple's hash, port, timer list */
	struct net_socket **chain_link, **owner_link, *timer_before;
	struct net_timers *timers;
	unsigned index;
};

/* Sockets in the order in which their timers end. */
struct net_timers {
	struct net_socket *first, *last;
};

struct net_port {
	struct net_socket *owners;
	uint32_t bound; /* of these: by bind() */
	int8_t reuse;	/* the kernel's fastreuse: -1 by connect() alone, 0, 1 by bind() with SO_REUSEADDR */
};

/* The ports that a destination has sockets on, once it has so many that connect() looks at one after the other. */
struct net_crowd {
	uint16_t local, remote, remote_port;
	unsigned with_device; /* sockets: of these a port may have several */
	struct tw_port_set ports;
};

#define NET_HASH 65536
/* The kernel has 65536 of them. */
#define NET_PERTURB 4096

struct net {
	struct net_kernel kernel;
	usec_t now_usec;
	uint64_t chance;
	int64_t sysctls[TW_TUNABLE_COUNT][2];
	struct tw_port_set reserved;
	uint64_t counters[TW_COUNTER_COUNT];
	uint64_t segments, far_parity; /* connect() found no port of the parity that it tries first */
	uint64_t in_state[TW_STATE_COUNT], minis, full[2]; /* full: hashed sockets of IPv4, IPv6 */
	unsigned address_count;
	struct net_address {
		struct tw_address address;
		uint8_t family;
		bool local, loopback, any;
	} addresses[NET_ADDRESSES_MAX];
	uint32_t reused[NET_ADDRESSES_MAX]; /* TIME-WAIT towards each that was taken over */
	uint16_t source, source6;	    /* by route, to what is not local; of either family */
	struct net_socket **sockets;	    /* in the table */
	unsigned socket_count, socket_room;
	uint64_t last_cookie;
	struct net_timers time_wait, fin_wait, other;
	struct net_socket *hash[NET_HASH];
	struct net_port ports[65536];
	unsigned ports_held;	       /* by anybody */
	uint32_t perturb[NET_PERTURB]; /* where connect() goes on, by destination */
	struct net_crowd *crowds[NET_PERTURB];
	struct net_socket *spare;
};

struct net *net_new(uint64_t seed, struct net_kernel kernel);
struct net *net_free(struct net *net);

/* The next of its chances, below `most`. */
uint32_t net_chance(struct net *net, uint32_t most);

/* The number of an address, which is this machine's own or not. */
uint16_t net_address(struct net *net, const struct tw_address *address, bool local);
/* The same by its text. Aborts where that is none. */
uint16_t net_address_of(struct net *net, const char *text, bool local);

/* Lets time pass: timers end. */
void net_advance(struct net *net, usec_t now_usec);

/* ---- what programs do. All return 0 or -errno. */

/* Held by its program until net_close(). */
struct net_socket *net_socket(struct net *net, uint8_t family);
/* -EADDRINUSE. */
int net_bind(struct net *net, struct net_socket *socket, uint16_t address, uint16_t port);
int net_listen(struct net *net, struct net_socket *socket, uint32_t backlog);
/*
 * -EADDRNOTAVAIL, -ECONNREFUSED; -EINPROGRESS: no answer came, it stays in SYN-SENT. `timestamps`: the other machine
 * has them; `path` is of other machines alone.
 */
int net_connect(struct net *net, struct net_socket *socket, uint16_t address, uint16_t port, enum net_path path,
		bool timestamps);
/* Which address of this machine a connection to that one has, where its program does not say. */
uint16_t net_source_towards(const struct net *net, uint16_t address);
/* A connection comes from another machine. NULL: the queue is full. */
struct net_socket *net_arrive(struct net *net, struct net_socket *listener, uint16_t address, uint16_t port);
/* The next that waits; NULL for none. */
struct net_socket *net_accept(struct net_socket *listener);
void net_send(struct net *net, struct net_socket *socket, uint32_t unsent);
void net_shutdown(struct net *net, struct net_socket *socket);
void net_close(struct net *net, struct net_socket *socket);
/* close() with SO_LINGER 0. */
void net_reset(struct net *net, struct net_socket *socket);

/* ---- what other machines do */

/* The other end's FIN, RST. */
void net_hang_up(struct net *net, struct net_socket *socket);
void net_reset_by_peer(struct net *net, struct net_socket *socket);

/* ---- what an administrator does */

/* SOCK_DESTROY. */
void net_destroy(struct net *net, struct net_socket *socket);

/* Whether no plain connect() can have this port, whatever its destination. */
static inline bool net_is_exclusive(const struct net *net, uint16_t port)
{
	return net->ports[port].owners && net->ports[port].reuse >= 0;
}

/*
 * Whether a socket that asks as this one, by bind() to port 0 or by connect() alone, cannot have this port now. Then
 * *ret_holder is who is in the way.
 */
bool net_is_blocked(struct net *net, const struct net_socket *socket, bool binds, uint16_t port,
		    const struct net_socket **ret_holder);

/* Who has it and is in the way of bind() to it, after that one; NULL: the first. NULL where there is none more. */
const struct net_socket *net_next_in_the_way(struct net *net, const struct net_socket *socket, uint16_t port,
					     const struct net_socket *after);

/* ---- for each other */

static inline uint64_t net_mix(uint16_t local, uint16_t local_port, uint16_t remote, uint16_t remote_port)
{
	uint64_t words = (uint64_t)local << 48 | (uint64_t)local_port << 32 | (uint64_t)remote << 16 | remote_port;

	words *= UINT64_C(0x9e3779b97f4a7c15);
	return (words ^ words >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* NULL where it has none. */
struct net_crowd *net_crowd_of(const struct net *net, const struct net_socket *socket);
void net_crowd_join(struct net_crowd *crowd, const struct net_socket *socket);
void net_crowd_make(struct net *net, const struct net_socket *socket);
void net_port_join(struct net *net, struct net_socket *socket, uint16_t port, bool by_connect);
void net_port_leave(struct net *net, struct net_socket *socket);
/* The port that connect() takes; it is taken. 0 or -EADDRNOTAVAIL. */
int net_port_pick(struct net *net, struct net_socket *socket);
struct net_socket *net_find(struct net *net, uint16_t local, uint16_t local_port, uint16_t remote, uint16_t remote_port,
			    uint16_t device);
void net_hash(struct net *net, struct net_socket *socket);
void net_unhash(struct net *net, struct net_socket *socket);
struct net_socket *net_make(struct net *net, uint8_t family);
void net_enter(struct net *net, struct net_socket *socket, enum tw_state state);
void net_count(struct net *net, const struct net_socket *socket, int by);
void net_set_timer(struct net *net, struct net_socket *socket, struct net_timers *timers, usec_t span_usec);
void net_stop_timer(struct net_socket *socket);
/* Out of the table. */
void net_remove(struct net *net, struct net_socket *socket);
/* What is in no table and held by no program is nobody's. */
void net_let_go(struct net *net, struct net_socket *socket);
