/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "ctl/verb.h"

#include <stdbool.h>

/* Options that not every verb that talks to the daemon takes. */
enum tw_remote_option {
	TW_REMOTE_OPTION_JSON = 1,
	TW_REMOTE_OPTION_WATCH = 2,
	TW_REMOTE_OPTION_FOLLOW = 4,
	TW_REMOTE_OPTION_OPERAND = 8, /* no option, but one argument */
	TW_REMOTE_OPTION_NAMESPACE = 16,
};

/* What the verbs that talk to the daemon take. */
struct tw_remote_options {
	const char *address;   /* borrows argv; NULL: the system's bus */
	const char *operand;   /* borrows argv; NULL: none */
	const char *namespace; /* borrows argv; NULL: none was chosen */
	usec_t watch_usec;     /* 0: once */
	bool json;
	bool follow;
};

/* Reads the verb's arguments. Returns -1 to go on, or the exit status where all is said. `allowed` are bits. */
int tw_remote_options_parse(struct tw_remote_options *options, const struct tw_verb *verb, unsigned allowed, int argc,
			    char *argv[]);

/*
 * Says why the daemon could not be told or asked, and what to do: `error` and `words` are those of bus-source.h.
 * Returns the exit status 1.
 */
int tw_remote_complain(const struct tw_verb *verb, int error, const char *words);

/* The last lines of each such verb's help. */
#define TW_REMOTE_HELP                                                                \
	"  --bus ADDRESS      the D-Bus that the daemon is on, if not the system's\n" \
	"  --help\n"
