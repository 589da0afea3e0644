/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "measure/scan.h"
#include "measure/source.h"
#include "model/sample.h"

#include <stdbool.h>

/* What a look needs of its caller. */
struct tw_look_order {
	struct tw_hash_key key; /* the process's secret */
	bool bound_known;	/* the kernel tells bound-but-unconnected sockets */
	uint32_t ask_most;	/* as in a scan's order */
	usec_t at_usec;		/* the sample's time */
};

/*
 * One full look at a network namespace: gauge and survey, at once and to the end. The gauge that *sample held becomes
 * the previous one, so that there are rates; a sample that is zero has none. The sample borrows from `past`, which may
 * be zero. Returns 0, -ENOMEM or the source's -errno.
 */
int tw_look_take(struct tw_source *source, const struct tw_look_order *order, struct tw_scan_past *past,
		 struct tw_sample *sample);
