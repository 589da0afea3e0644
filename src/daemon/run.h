/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/options.h"
#include "watch/recover.h"
#include "model/settings.h"

/* What acting needs, as the command line has it. Prints what is wrong. Returns 0 or -errno. */
int tw_run_open(struct tw_host_edges *host, const struct tw_options *options);

/* The daemon's whole life: lock, recover, first sample, loop, put back. Consumes `settings`. Returns an exit status. */
int tw_run(const struct tw_options *options, struct tw_settings *settings);
