/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What main.c asks of the jobs, which are a file each: none of them is more than one function to it. */
#pragma once

#include "base/exit.h"
#include "config/settings-load.h"
#include "daemon/bus.h"
#include "watch/recover.h"
#include "model/settings.h"
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
	int job; /* an enum tw_job; as getopt_long(3) sets it, like the next two */
	int json;
	int observe;
	enum tw_log log;
	const char *config;    /* borrows argv; NULL: the usual places */
	const char *bus;       /* borrows argv or the environment; NULL: none */
	const char *state_dir; /* borrows argv or the environment */
};

/*
 * loop.c: loads the configuration that the options point to, with what the command line overrides. Returns 0, or
 * -EINVAL with the problems filled, or -ENOMEM.
 */
int tw_load_settings(const struct tw_options *options, struct tw_problems *problems, struct tw_settings **ret);

/* once.c: takes one full sample and prints it, as a page or as one JSON object. Returns 0 or -errno. */
int tw_once(const struct tw_settings *settings, bool json);

/* run.c: what acting needs, as the command line has it. Prints what is wrong. Returns 0 or -errno. */
int tw_open_host(struct tw_host_edges *host, const struct tw_options *options);

/* run.c: lock, recover, first sample, loop, put back. Consumes `settings`. Returns an exit status. */
int tw_run(const struct tw_options *options, struct tw_settings *settings);

/*
 * loop.c: runs the manager in an sd-event loop until SIGTERM or SIGINT: a timer for the ticks, the end of the worker's
 * job, SIGHUP for a reload, the D-Bus, the service manager's watchdog and notifications. The first sample must be in,
 * and the manager use a worker. Returns 0 after an ordered stop, -errno else; the sysctls are the caller's to put back
 * in either case.
 */
int tw_loop_run(struct tw_manager *manager, struct tw_bus *bus, const struct tw_options *options);
