/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* One "WORD VALUE" of a value that is made of several: "limit 1048576", "older-than 1min 30s". */
struct tw_clause {
	const char *word;
	bool spaced;	  /* its value may have blanks, as a time span has */
	const char *text; /* borrows; NULL: it is not given */
	size_t length;
};

/*
 * Finds the clauses in (text, length), in any order. Returns false, with what was expected in `why`, where a word is
 * none of them, or one stands twice or without a value.
 */
bool tw_clauses_find(struct tw_clause *clauses, size_t count, const char *text, size_t length, struct tw_text *why);
