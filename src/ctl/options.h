/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "ctl/verb.h"

#include <stdbool.h>

/* So often --metric and --ignore can be given. */
#define TW_OPTION_LIST_MAX 64

/* What a verb takes, as bits. */
enum tw_option {
	TW_OPTION_JSON = 1 << 0,
	TW_OPTION_CONFIG = 1 << 1,
	TW_OPTION_BUS = 1 << 2,
	TW_OPTION_WATCH = 1 << 3,
	TW_OPTION_FOLLOW = 1 << 4,
	TW_OPTION_NAMESPACE = 1 << 5,
	TW_OPTION_PAST = 1 << 6,    /* --since, --until, --directory, --file, --input */
	TW_OPTION_CHART = 1 << 7,   /* --metric, --width, --height, --ascii */
	TW_OPTION_OUTPUT = 1 << 8,  /* and -o */
	TW_OPTION_LINT = 1 << 9,    /* --root, --ignore, --state-dir */
	TW_OPTION_OPERAND = 1 << 10 /* no option, but one argument */
};

/* Where timewaitd's records are read back from, and which of them. All borrows. */
struct tw_past_order {
	const char *directory; /* another journal's directory; NULL: the system's journal */
	const char *file;      /* one file of a journal */
	const char *input;     /* what `timewaitd --log=json` wrote, or `journalctl -o json`; "-" for standard input */
	const char *namespace; /* of the network; NULL: all */
	usec_t since_usec;     /* inclusive, CLOCK_REALTIME */
	usec_t until_usec;     /* inclusive */
};

/* What verbs are told. Texts borrow argv; NULL, 0 and false where nothing is said. */
struct tw_ctl_options {
	const char *operand, *config, *bus, *namespace, *output, *root, *state_directory;
	bool json, follow, ascii;
	usec_t watch_usec;
	unsigned width, height;
	unsigned list_count; /* of --metric or --ignore */
	const char *list[TW_OPTION_LIST_MAX];
	usec_t now_usec; /* CLOCK_REALTIME */
	/* With TW_OPTION_PAST. Without --since: the last day of the system's journal, and all that is in anything else. */
	struct tw_past_order order;
};

/* Reads the verb's arguments. Returns -1 to go on, or the exit status where all is said (--help, a mistake). */
int tw_ctl_options_parse(struct tw_ctl_options *options, const struct tw_verb *verb, unsigned allowed, int argc,
			 char *argv[]);

/* Says what is wrong with the command line, and where help is; `verb` NULL: of the program. Returns the exit status. */
int tw_ctl_usage(const struct tw_verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The last lines of the help of verbs that talk to the daemon, and of those about the past. */
#define TW_BUS_HELP                                                                   \
	"  --bus ADDRESS      the D-Bus that the daemon is on, if not the system's\n" \
	"  --help\n"
#define TW_PAST_HELP                                                                                          \
	"  --since TIME, --until TIME\n"                                                                      \
	"                     what lies between: -1h, 2h ago, today, yesterday, 2026-11-22 19:45\n"           \
	"  --namespace NAME   records of this network namespace (host)\n"                                     \
	"  --directory DIR, --file FILE\n"                                                                    \
	"                     another journal than the system's\n"                                            \
	"  --input FILE       what timewaitd --log=json wrote, or journalctl -o json; - for standard input\n" \
	"  --help\n"
