/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/lint/lint-check.h"

/* Words and values that the checks share. */

/* The places of a tunable, the line first. What timewaitd has written is not among them. Returns how many: 0 to 2. */
unsigned tw_lint_places(const struct tw_lint_facts *facts, enum tw_tunable tunable, struct tw_lint_place ret[2]);

/*
 * What another tunable has beside the place: in the files where that is a line, in the kernel where the files say
 * nothing. False where it is not known.
 */
bool tw_lint_beside(const struct tw_lint_facts *facts, const struct tw_lint_place *place, enum tw_tunable tunable,
		    struct tw_tunable_value *ret);

/* Whether timewaitd wrote the value that the kernel has now; `value` may be NULL for "whatever it is". */
bool tw_lint_is_ours(const struct tw_lint_facts *facts, enum tw_tunable tunable, const struct tw_tunable_value *value);

/* Whether a path below /proc/sys is what this program knows about: TCP, local ports, the accept queue. */
bool tw_lint_concerns(const char *path);

/* The value that the kernel sets by itself, as text; NULL where it hangs on the machine and is not known. */
const char *tw_lint_usual(const struct tw_lint_facts *facts, enum tw_tunable tunable, char text[TW_TUNABLE_VALUE_MAX]);

/* The same for those that hang on the size of the kernel's table of connections. */
struct tw_count tw_lint_usual_sized(const struct tw_lint_facts *facts, enum tw_tunable tunable);

/* Fills in key, value and where from a line, or from the kernel for a `setting` that is NULL. */
void tw_lint_fill(struct tw_lint_finding *finding, const char *path, const char *value,
		  const struct tw_sysctl_setting *setting);

/* Over one of the texts of a finding. */
struct tw_text tw_lint_text(char *words, size_t capacity);

/* Says how to be rid of a line, and how to have the value `wanted` now; either may be left out (NULL). */
void tw_lint_say_mend(struct tw_text *text, const struct tw_sysctl_setting *setting, const char *key,
		      const char *wanted);
