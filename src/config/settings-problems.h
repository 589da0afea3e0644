/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "config/settings-load.h"

/* Where in the configuration something stands. */
struct tw_place {
	const char *file; /* borrows; NULL: nowhere, it is built in */
	unsigned rank;	  /* which text it was, counted from 1 in the order of reading */
	unsigned line;	  /* counted from 1; 0: the file as a whole */
};

/* Whether `a` was read before `b`; what is built in comes before all. */
bool tw_place_before(const struct tw_place *a, const struct tw_place *b);

/* Keeps the problems in the order of files and lines, in whatever order they are found. */
struct tw_problem_log {
	struct tw_problems *problems; /* borrows */
	struct tw_place places[TW_PROBLEMS_MAX];
};

/* Empties `problems`. */
void tw_problem_log_init(struct tw_problem_log *log, struct tw_problems *problems);

/* Whether a further problem would be told, and not only counted: what its text takes need not be found out otherwise.
 */
bool tw_problem_log_tells(const struct tw_problem_log *log);

/* Adds "FILE:LINE: " and the text. Beyond TW_PROBLEMS_MAX it only counts. */
void tw_problem_log_add(struct tw_problem_log *log, const struct tw_place *place, const char *format, ...)
	TW_PRINTF(3, 4);
