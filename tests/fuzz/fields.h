/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/parse.h"
#include "ctl/past/past.h"

#include <string.h>

/* The journal takes no time of this or later. */
#define FIELDS_TIME_END_USEC (UINT64_C(1) << 55)

/* Longer inputs are more of the same, and slow. */
#define FIELDS_SIZE_MAX 1024

/*
 * The next record of an input: "NAME=value" lines up to an empty one; "AT=" is its time, held to what can be one.
 * Returns false where there is none left.
 */
static inline bool fields_next(const char **cursor, const char *end, struct tw_record *record, usec_t *ret_usec)
{
	bool any = false;

	tw_record_init(record);
	*ret_usec = 1;
	while (*cursor < end) {
		const char *line = *cursor;
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *line_end = newline ? newline : end;
		const char *equals = memchr(line, '=', (size_t)(line_end - line));
		uint64_t number;

		*cursor = newline ? newline + 1 : end;
		if (line == line_end && any)
			return true;
		if (!equals)
			continue;
		any = true;
		if (!tw_parse_is(line, (size_t)(equals - line), "AT"))
			(void)tw_past_add(record, line, (size_t)(equals - line), equals + 1,
					  (size_t)(line_end - equals - 1));
		else if (tw_parse_u64(equals + 1, (size_t)(line_end - equals - 1), &number) >= 0)
			*ret_usec = 1 + number % (FIELDS_TIME_END_USEC - 1);
	}
	return any;
}
