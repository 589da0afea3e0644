/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/bus.h"
#include "watch/manager.h"
#include "daemon/options.h"

/*
 * Runs the manager in an sd-event loop until SIGTERM or SIGINT: a timer for the ticks, the worker's end of a job,
 * SIGHUP for a reload, the D-Bus, the service manager's watchdog and notifications. The first sample must be in, and
 * the manager use the worker.
 *
 * Returns 0 after an ordered stop, -errno else. The sysctls are the caller's to put back in either case.
 */
int tw_loop_run(struct tw_manager *manager, const struct tw_worker *worker, struct tw_bus *bus,
		const struct tw_options *options);
