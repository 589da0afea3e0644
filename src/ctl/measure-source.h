/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/sample.h"

/* Between the two reads of the counters, so that there are rates: the daemon's default interval. */
#define TW_MEASURE_SPAN_USEC TW_USEC_PER_SEC

/* One full sample of the network namespace that the process is in, measured without the daemon. */
struct tw_measure;

/* Measures, which takes a second. Returns 0; -ENOENT where the kernel lacks tcp_diag; -errno. */
int tw_measure_new(struct tw_measure **ret);
struct tw_measure *tw_measure_free(struct tw_measure *measure);
TW_DEFINE_CLEANUP(struct tw_measure, tw_measure_free)
#define TW_CLEANUP_MEASURE TW_CLEANUP(tw_measure_freep)

/*
 * Looks again, without a pause: rates are those since the look before. What the sample borrowed from is gone then, and
 * stays where it fails. Returns as above.
 */
int tw_measure_again(struct tw_measure *measure);

/* CPU time that the last look took. */
usec_t tw_measure_cost(const struct tw_measure *measure);

/* Belongs to the measurement. */
const struct tw_sample *tw_measure_sample(const struct tw_measure *measure);
