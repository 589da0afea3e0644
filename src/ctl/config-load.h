/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

/*
 * The configuration as the daemon takes it: `config`, or the usual places where that is NULL, or the built-in defaults.
 * Says on standard error what is wrong with it. Returns -1 to go on, with the settings, or the exit status.
 */
int tw_ctl_load_config(const char *config, struct tw_settings **ret);
