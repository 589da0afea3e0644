/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/settings-load.h"
#include "watch/manager.h"
#include "daemon/options.h"

/*
 * Loads the configuration that the options point to, with what the command line overrides. Returns 0, or -EINVAL with
 * the problems filled, or -ENOMEM.
 */
int tw_reload_settings(const struct tw_options *options, struct tw_problems *problems, struct tw_settings **ret);

/*
 * Reads the configuration anew and carries on under it; a bad one is told, error by error, and the old one stays.
 * Returns 0, -EINVAL with the errors in *ret_problems, which the caller frees, or -errno.
 */
int tw_reload(struct tw_manager *manager, const struct tw_options *options, struct tw_problems **ret_problems);
