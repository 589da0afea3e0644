/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/series.h"
#include "ctl/verb.h"

#include <stdbool.h>

/* Options that not every verb about the past takes. */
enum tw_past_option {
	TW_PAST_CHART = 1,  /* --metric, --width, --height, --ascii */
	TW_PAST_CONFIG = 2, /* --config */
	TW_PAST_OUTPUT = 4, /* --output */
	TW_PAST_JSON = 8,   /* --json */
};

/* What the verbs about the past take. */
struct tw_past_options {
	struct tw_past_order order; /* borrows argv; since 0 and until TW_USEC_INFINITY where they are not given */
	usec_t now_usec;	    /* CLOCK_REALTIME */
	const char *config;	    /* borrows argv; NULL: none */
	const char *output;
	unsigned metric_count;
	const char *metrics[TW_METRICS_MAX];
	unsigned width, height; /* 0: not given */
	bool ascii;
	bool json;
};

/* Reads the verb's arguments. Returns -1 to go on, or the exit status where all is said. `allowed` are bits. */
int tw_past_options_parse(struct tw_past_options *options, const struct tw_verb *verb, unsigned allowed, int argc,
			  char *argv[]);

/* The last lines of each verb's help. */
#define TW_PAST_HELP                                                                                          \
	"  --since TIME, --until TIME\n"                                                                      \
	"                     what lies between: -1h, 2h ago, today, yesterday, 2026-11-22 19:45\n"           \
	"  --namespace NAME   records of this network namespace (host)\n"                                     \
	"  --directory DIR, --file FILE\n"                                                                    \
	"                     another journal than the system's\n"                                            \
	"  --input FILE       what timewaitd --log=json wrote, or journalctl -o json; - for standard input\n" \
	"  --help\n"
