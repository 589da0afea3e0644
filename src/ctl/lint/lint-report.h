/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "base/text.h"
#include "model/severity.h"

#include <limits.h>

/* More than anybody mends in one go. */
#define TW_LINT_FINDINGS_MAX 256

#define TW_LINT_KEY_MAX 128
#define TW_LINT_VALUE_MAX 128
#define TW_LINT_WORDS_MAX 768

/* One thing that was found. Every text ends in NUL, and may hold any byte that stands in a file. */
struct tw_lint_finding {
	const char *id; /* static */
	enum tw_severity severity;
	char key[TW_LINT_KEY_MAX];	     /* "net.ipv4.tcp_fin_timeout"; "" where it is about none */
	char value[TW_LINT_VALUE_MAX];	     /* as found; "" where there is none */
	char where[PATH_MAX + 16];	     /* "FILE:LINE" or "live" */
	char finding[TW_LINT_WORDS_MAX];     /* what is so */
	char consequence[TW_LINT_WORDS_MAX]; /* one sentence */
	char advice[2 * TW_LINT_WORDS_MAX];  /* a command, or an edit */
};

struct tw_lint_report {
	struct tw_lint_finding *findings; /* one more than TW_LINT_FINDINGS_MAX: what is beyond is written there */
	unsigned count;
	unsigned beyond;
};

/* Empty. Returns 0 or -ENOMEM. */
int tw_lint_report_init(struct tw_lint_report *report);
void tw_lint_report_done(struct tw_lint_report *report);
#define TW_CLEANUP_LINT_REPORT TW_CLEANUP(tw_lint_report_done)

/* A new finding that is empty but for its id and severity; never NULL. */
struct tw_lint_finding *tw_lint_report_add(struct tw_lint_report *report, const char *id, enum tw_severity severity);

/*
 * One finding as lines for a person: WHERE: SEVERITY: what is so [ID], then the consequence, wrapped at `width`, and
 * how to mend it. Control bytes become '?'.
 */
void tw_lint_finding_add_text(const struct tw_lint_finding *finding, unsigned width, struct tw_text *text);

/* All findings as one JSON array, and a newline. */
void tw_lint_report_add_json(const struct tw_lint_report *report, struct tw_text *text);
