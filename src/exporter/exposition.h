/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/metric.h"

#include <stdbool.h>

/* The formats that scrapers read. */
enum tw_format {
	TW_FORMAT_TEXT,		/* Prometheus' text format 0.0.4 */
	TW_FORMAT_OPEN_METRICS, /* OpenMetrics 1.0 */
	TW_FORMAT_COUNT,
};

enum tw_family_kind {
	TW_FAMILY_GAUGE,
	TW_FAMILY_COUNTER,
};

/* What is said of a metric before its samples. */
struct tw_family {
	const char *name; /* "sockets", without "timewaitd_" and without "_total" */
	const char *unit; /* a base unit, which then ends the name; NULL where it is a number of things */
	const char *help;
	enum tw_family_kind kind;
};

struct tw_label {
	const char *name;
	const char *value; /* any text: escaped as both formats want it */
};

struct tw_exposition {
	struct tw_text *text; /* borrows */
	enum tw_format format;
};

/* The "# HELP", "# TYPE" and "# UNIT" of a family. Its samples follow, those of no other between them. */
void tw_exposition_begin(struct tw_exposition *out, const struct tw_family *family);

/*
 * One sample. The number is value.milli thousandths times ten to the power of -`shift`: 2 makes a ratio of a
 * percentage, 3 seconds of milliseconds. Unknown is NaN.
 */
void tw_exposition_add(struct tw_exposition *out, const struct tw_family *family, const struct tw_label *labels,
		       unsigned label_count, struct tw_value value, unsigned shift);

/* Behind the last family. */
void tw_exposition_end(struct tw_exposition *out);

/* The Content-Type of a format. */
const char *tw_format_type(enum tw_format format);

/* The format that fits the Accept header of a request best; NULL: there was none. */
enum tw_format tw_format_choose(const char *accept);
