/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"
#include "act/reconcile.h"
#include "measure/source.h"
#include "oracle/net.h"

/* What timewaitd sees of the simulated kernel, and may do to it: sock_diag byte for byte, /proc/net, sysctls. */

#define FACE_DATAGRAM_MAX 32768
#define FACE_UNITS_MAX 64

struct face {
	struct tw_source source;
	struct tw_sysctl_sink sysctl;
	struct tw_socket_sink socket;
	struct net *net; /* borrows */
	bool tells_exclusive;
	/* Unit i has the cgroup i + 1. */
	unsigned unit_count;
	char units[FACE_UNITS_MAX][TW_UNIT_MAX];
	unsigned writes;
	struct tw_diag_query query;
	bool asked_for[TW_STATE_COUNT];
	uint32_t sequence;
	unsigned at;
	_Alignas(8) uint8_t datagram[FACE_DATAGRAM_MAX];
};

/* Borrows `net`. */
void face_init(struct face *face, struct net *net);

/* The cgroup of a unit of this name. */
uint64_t face_cgroup(struct face *face, const char *unit);
