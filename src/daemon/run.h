/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/options.h"
#include "model/settings.h"

/* The daemon's whole life: lock, recover, first sample, loop, put back. Consumes `settings`. Returns an exit status. */
int tw_run(const struct tw_options *options, struct tw_settings *settings);
