/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/exit.h"
#include "tell/record-sink.h"

#include <stdbool.h>

/* What the command line asks for. */
enum tw_job {
	TW_JOB_RUN,
	TW_JOB_CHECK,
	TW_JOB_ONCE,
	TW_JOB_RESTORE,
};

struct tw_options {
	enum tw_job job;
	bool json;
	bool observe;
	enum tw_log log;
	const char *config;    /* borrows argv; NULL: the usual places */
	const char *bus;       /* borrows argv or the environment; NULL: none */
	const char *state_dir; /* borrows argv or the environment */
};

/* Reads the command line. Returns -1 to go on, or the exit status where all is said (--help, --version, a mistake). */
int tw_options_parse(struct tw_options *options, int argc, char *argv[]);
