/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/past.h"
#include "model/sample.h"

/* Times of CLOCK_MONOTONIC are moved on by this, so that even those of a fresh boot have a past. */
#define TW_REPLAY_SHIFT_USEC (2000 * TW_USEC_PER_SEC)

/* Sockets in CLOSE-WAIT that a record may claim: more than the daemon tracks. */
#define TW_REPLAY_WAITERS_MAX 65536u

/*
 * The sample that a record was made of, as far as rules read it: with every metric of the whole namespace, but neither
 * addresses nor units. Its waiters point into `waiters`, memory for TW_REPLAY_WAITERS_MAX of them. Times are shifted.
 * Returns false where the record does not say when it was measured.
 */
bool tw_replay_sample(const struct tw_record *record, struct tw_close_wait_socket *waiters, struct tw_sample *ret);
