/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/metric.h"

#include <stdbool.h>
#include <stdint.h>

/* Looks that a trace goes back: three minutes of looks two seconds apart; divided by each width that it is drawn in. */
#define TW_TRACE_LENGTH 90
/* Names that are traced at a time: those that were seen longest ago make room. */
#define TW_TRACE_NAMES_MAX 512
#define TW_TRACE_NAME_MAX 336

/* How one figure of each name went over the last looks. */
struct tw_trace {
	uint32_t look; /* counts looks, from 1 on */
	unsigned count;
	struct tw_trace_line {
		char name[TW_TRACE_NAME_MAX];
		uint32_t seen;			  /* the look that told of it last */
		uint32_t values[TW_TRACE_LENGTH]; /* of look N at N % TW_TRACE_LENGTH; TW_TRACE_UNKNOWN */
	} lines[TW_TRACE_NAMES_MAX];
};
#define TW_TRACE_UNKNOWN UINT32_MAX

/* A new look begins: what it does not tell of is unknown in it. Zeroed memory is a trace without one. */
void tw_trace_begin(struct tw_trace *trace);

/* The figure of a name in this look; held at what 32 bits take. */
void tw_trace_note(struct tw_trace *trace, const char *name, struct tw_value value);

/*
 * The line of a name in so many columns (a divisor of TW_TRACE_LENGTH), the newest to the right, each the highest of
 * its looks, from 0 to the highest of all; blank where nothing is known. Blocks of UTF-8, or ASCII.
 */
void tw_trace_add(const struct tw_trace *trace, const char *name, unsigned columns, bool utf8, struct tw_text *text);
