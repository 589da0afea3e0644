/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/verb.h"

#include <stdbool.h>

/* What every reading verb takes. */
struct tw_ctl_options {
	const char *config;  /* borrows argv; NULL: the usual places */
	const char *operand; /* borrows argv; NULL: none */
	bool json;
};

/* Reads the verb's arguments. Returns -1 to go on, or the exit status where all is said (--help, a mistake). */
int tw_ctl_options_parse(struct tw_ctl_options *options, const struct tw_verb *verb, int argc, char *argv[]);

/* Says what is wrong with the command line, and where help is; `verb` NULL: of the program. Returns the exit status. */
int tw_ctl_usage(const struct tw_verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
