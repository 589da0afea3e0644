/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/destroyer.h"

/* What became of the sockets of one order. */
struct tw_destroyer_tally {
	uint64_t ended;
	uint64_t gone;			 /* before they could be ended */
	uint64_t failed;		 /* for another reason, the last of which is `error` */
	int error;			 /* -errno */
	uint32_t youngest_ms, oldest_ms; /* of those ended */
};

/* The destroyer's events. */

void tw_destroyer_tell_destroyed(const struct tw_destroyer *destroyer, const struct tw_kill_order *order,
				 const struct tw_destroyer_tally *tally);

/* In observe mode: `count` sockets would be ended. */
void tw_destroyer_tell_advice(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, uint64_t count);

/* The kernel refuses, with `answer`; `ever`: it ends no socket at all, in whatever state. */
void tw_destroyer_tell_refused(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, int answer,
			       bool ever);

/* Degraded: nothing could be ended, and it is tried again. */
void tw_destroyer_tell_failed(const struct tw_destroyer *destroyer, const struct tw_kill_order *order, int error);
