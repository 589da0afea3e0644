/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

#include <stdint.h>

/* How many sockets a gauge counted. */
struct tw_tally {
	usec_t at_usec; /* 0: there is none */
	uint64_t sockets;
};

/*
 * For so long a tally is remembered: longer than the kernel's timers for TIME-WAIT are coarse. They end those of two
 * seconds at once where CONFIG_HZ is 250, of 4 s at 1000 and of 5 s at 100 (the table in kernel/time/timer.c). What
 * comes back after such a drop is no growth.
 */
#define TW_RECENT_PEAK_SECONDS 8

/* The highest tally of each of the last seconds, and the last of all: what is above them has grown. */
struct tw_recent_peak {
	struct tw_tally seconds[TW_RECENT_PEAK_SECONDS];
	struct tw_tally last;
};

/* A tally that is not earlier than those before it. */
void tw_recent_peak_add(struct tw_recent_peak *peak, struct tw_tally tally);

/*
 * The highest that is not older than TW_RECENT_PEAK_SECONDS, of equal ones the later. Where all are older, the last of
 * them; without any, one of the time 0.
 */
struct tw_tally tw_recent_peak_highest(const struct tw_recent_peak *peak, usec_t now_usec);
