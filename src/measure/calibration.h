/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the number of sockets in ESTABLISHED can be told from the gauge's CurrEstab instead of a dump. Linux counts
 * CLOSE-WAIT in it, too (net/ipv4/tcp.c, tcp_set_state()); RFC 4022 wants it so. That is not taken on trust: each dump
 * that told ESTABLISHED shows how this kernel counts, and whether its counter has gone astray (up to Linux 6.10 it lost
 * one for each connection that went from SYN-RECV to CLOSE-WAIT at once). Sockets come and go between gauge and dump,
 * so that the two never agree quite.
 */
enum tw_counting {
	TW_COUNTING_UNKNOWN,	 /* no dump had enough in CLOSE-WAIT to tell */
	TW_COUNTING_BOTH,	 /* ESTABLISHED and CLOSE-WAIT */
	TW_COUNTING_ESTABLISHED, /* ESTABLISHED alone */
};

/* Zero: nothing learned. */
struct tw_calibration {
	enum tw_counting counting;
	bool agrees;	     /* the last dump that told ESTABLISHED did with the gauge */
	bool none_waited;    /* the last dump told nobody in CLOSE-WAIT */
	uint64_t close_wait; /* of the dumps that agreed since it was known last: the sum; and likewise: */
	int64_t beyond;	     /* what the gauge told beyond ESTABLISHED */
	unsigned __int128 squares_both, squares_established; /* how far off it was, if it counted so */
};

/* What a dump told. */
struct tw_calibration_dump {
	uint64_t established;
	uint64_t close_wait;
};

/* A dump told ESTABLISHED; `gauge`: CurrEstab read just before it. */
void tw_calibration_learn(struct tw_calibration *calibration, uint64_t gauge, const struct tw_calibration_dump *dump);

/* Whether ESTABLISHED may be left out of the dump that comes next. */
bool tw_calibration_allows(const struct tw_calibration *calibration);

/*
 * A dump that left it out told `close_wait`. Returns false where ESTABLISHED cannot be told without a dump of it; then
 * *ret_established is untouched.
 */
bool tw_calibration_derive(struct tw_calibration *calibration, uint64_t gauge, uint64_t close_wait,
			   uint64_t *ret_established);
