/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oracle/net.h"

/* Programs that use the simulated kernel, each of a unit: what they do depends on their seed alone, not on the time. */

enum program_kind {
	PROGRAM_CLIENT, /* opens connections at its pace, each of which lives for a while */
	PROGRAM_POOL,	/* keeps so many open */
	PROGRAM_SERVER,
};

/* How its connections end. */
enum program_ending {
	ENDING_NEAR,   /* it closes first */
	ENDING_FAR,    /* the other end closes first, then it does */
	ENDING_ORPHAN, /* it closes, the other end never */
	ENDING_LEAK,   /* the other end closes, it never does */
	ENDING_HALF,   /* the other end closes at once, and is sent data until it is done */
	ENDING_RESET,
};

/* What a connection attempt came to, where it did not succeed. */
struct program_failure {
	usec_t at_usec;
	unsigned program;
	int error;		  /* -EADDRNOTAVAIL, -EADDRINUSE; -EAGAIN: the accept queue was full */
	struct net_socket socket; /* as it asked */
	uint16_t source;	  /* which address it would have had */
};

#define PROGRAM_LINE_MAX 4096

struct program {
	char unit[48];
	enum program_kind kind;
	enum program_ending ending;
	enum net_path path;
	bool bind, late, reuse_address, timestamps;
	uint64_t cgroup_id;
	uint16_t sources[2];
	unsigned source_count; /* 0: by route */
	uint16_t address;      /* of a server: its own */
	unsigned address_count, port_count;
	uint16_t port;
	usec_t interval_usec; /* between two connections, on average */
	usec_t life_usec;
	usec_t begin_usec, until_usec;
	usec_t on_usec, off_usec; /* works for so long, and is silent for so long; 0: works always */
	unsigned size;		  /* of a pool */
	usec_t growth_usec;	  /* a pool grows by one each so often; 0: never */
	usec_t restart_usec;	  /* all its sockets are closed and opened again so often; 0: never */
	usec_t accept_usec;	  /* a server accepts one each so often; 0: at once */
	uint32_t backlog;

	/* Its own. */
	uint64_t chance;
	usec_t next_usec, accept_next_usec, restart_next_usec;
	unsigned opened, connected; /* tried, and with success */
	struct net_socket *listener;
	unsigned first, count; /* what is open, in the order in which it ends */
	struct {
		usec_t ends_usec;
		struct net_socket *socket;
		unsigned stage;
	} line[PROGRAM_LINE_MAX];
};

/* Makes it ready; its fields are set. */
void program_begin(struct program *program, uint64_t seed);

/* When it does something next. */
usec_t program_next(const struct program *program);

/* Does what is due. Returns whether a connection failed, which *ret_failure then tells. */
bool program_step(struct program *program, struct net *net, struct program_failure *ret_failure);
