/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of a SOCK_DESTROY request: a netlink header and struct inet_diag_req_v2. */
#define TW_DESTROY_REQUEST_SIZE 72

/*
 * Writes a SOCK_DESTROY request (sock_diag(7)) for exactly this socket, with an answer asked for in any case. It is
 * asked for in its own family, also where its addresses are v4-mapped. Returns 0; -EINVAL for a cookie that would mean
 * any socket of the tuple.
 */
int tw_destroy_build(uint8_t buffer[TW_DESTROY_REQUEST_SIZE], const struct tw_candidate *candidate, uint32_t sequence);

/*
 * Reads one datagram of answers, any bytes, to `count` requests whose sequence numbers begin with `first`. answers[i]
 * becomes 0 or the kernel's -errno for each that is told; an answer to another request is passed over. Returns how many
 * were told, or -EPROTO for a malformed message.
 */
int tw_destroy_parse(const void *datagram, size_t length, uint32_t first, unsigned count, int answers[]);

/* Sockets that are ended by one call: 4.5 KiB of requests, and answers that fit into any receive buffer. */
#define TW_SOCKET_BATCH_MAX 64u

/* Ends sockets, for one network namespace: socket-sink.h, or its in-memory twin. */
struct tw_socket_sink {
	/*
	 * Ends exactly these sockets, by tuple and cookie; `count` is 1 to TW_SOCKET_BATCH_MAX. ret_answers[i] is 0, or
	 * the kernel's -errno: -ENOENT it is gone; -EOPNOTSUPP the kernel cannot; -EPERM. Returns 0, or -errno where
	 * the answers could not be had; then nothing is known of these sockets.
	 */
	int (*end)(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[]);
};

/* What stands of one order from one tick to the next. */
struct tw_destroyer_row {
	char rule[TW_RULE_NAME_MAX];
	struct tw_destroy destroy;
	usec_t filled_usec; /* until when the bucket is filled */
	uint64_t credit;    /* sockets that may be ended now, in millionths */
	bool resting;	    /* refused: nothing more until it is no longer wanted */
	bool failed_told;
	bool advised;
};

/*
 * Ends the sockets that a search found, order by order. An order is carried out at its pace: a bucket that fills
 * with `max` a second, holds one second's worth and is empty at first. What the kernel refuses is told once, and the
 * order rests until it is no longer wanted. In observe mode nothing is asked of the kernel: each order is told once as
 * advice.
 */
struct tw_destroyer {
	struct tw_socket_sink *sink;  /* borrows */
	struct tw_recorder *recorder; /* borrows */
	const char *namespace;	      /* for records; borrows */
	bool probed;
	int probe; /* what the kernel answered to a request for a socket that cannot be */
	unsigned count;
	struct tw_destroyer_row rows[TW_KILLS_MAX]; /* one for each order of the last tick, in the same places */
};

void tw_destroyer_init(struct tw_destroyer *destroyer, struct tw_socket_sink *sink, struct tw_recorder *recorder,
		       const char *namespace);

/*
 * At each tick, also without any order: forgets those that are no longer wanted, and says how many sockets of each may
 * be ended now. The first order that is to be carried out asks the kernel whether it can end sockets at all; where it
 * cannot, each order is told as refused.
 */
void tw_destroyer_quota(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders, enum tw_mode mode,
			usec_t now_usec, struct tw_kill_quota *ret);

/*
 * Ends what a search for the orders of the last tick found, within the quota that it was given: one `destroyed` event
 * an order of which at least one socket was ended. In observe mode: one `advice` an order, once.
 */
void tw_destroyer_end(struct tw_destroyer *destroyer, const struct tw_kill_orders *orders,
		      const struct tw_destroy_found *found, enum tw_mode mode);
