/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

/* The usual places, below the directory that the build names. */
#define TW_SETTINGS_FILE TW_SYSCONFDIR "/timewaitd/timewaitd.conf"
#define TW_SETTINGS_DIRECTORY TW_SYSCONFDIR "/timewaitd/timewaitd.conf.d"

/*
 * Loads the configuration. `file` not NULL: that file alone, which must exist. Else `main_file`, then the *.conf files
 * of `drop_in_directory` in the order of their names; where none of them exists, the built-in defaults. Without the
 * main file but with drop-ins, the drop-ins are read over the built-in defaults.
 *
 * Returns 0 and the settings; -EINVAL with `problems` filled; -ENOMEM; an unreadable file is a problem too (with
 * line 0 left out). *ret is untouched on failure.
 */
int tw_settings_load(const char *file, const char *main_file, const char *drop_in_directory,
		     struct tw_problems *problems, struct tw_settings **ret);
