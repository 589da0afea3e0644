/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* A socket in TIME-WAIT and its port's bucket: 168 and 48 bytes (struct tcp_timewait_sock, inet_bind_bucket). */
#define TW_TIME_WAIT_BYTES UINT64_C(216)

/*
 * TIME-WAIT that cannot be on the connecting side. *ret_exact is false where the table of destinations does not hold
 * them all: then it is a lower bound. 0 where TIME-WAIT is not known.
 */
uint64_t tw_side_accepting_time_wait(const struct tw_sample *sample, bool *ret_exact);
