/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/exclusive.h"

/*
 * How many ports are left to who calls bind() before connect(). Apart from exclusive.h, which is about what such a
 * program takes from all others: here it is the one that finds ports taken.
 */

/* Fills the needs of *ret: of its binders, and of those that `previous` knew. After tw_exclusive_results(). */
void tw_binder_needs_fill(const struct tw_exclusive *exclusive, const struct tw_survey *previous, usec_t at_usec,
			  struct tw_survey *ret);
