/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "watch/manager.h"

/* What every job needs of the running process: its clocks and its secret. */

/* CLOCK_MONOTONIC alone. */
usec_t tw_process_now(void);

/* That, and the CPU time of the calling thread; a system call, which the one above is not. */
struct tw_time tw_process_time(void);

/* The same as a tw_clock; static. */
struct tw_clock *tw_process_clock(void);

/* CPU time of the calling thread. */
usec_t tw_process_thread_cpu(void);

/* CLOCK_REALTIME, for those who ask from outside. */
usec_t tw_process_realtime(void);

/* A fresh random secret. Returns 0 or -errno of getrandom(2). */
int tw_process_secret(struct tw_hash_key *ret);
