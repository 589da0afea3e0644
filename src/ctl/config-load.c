/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/config-load.h"

#include "base/exit.h"
#include "config/settings-load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int tw_ctl_load_config(const char *config, struct tw_settings **ret)
{
	TW_CLEANUP_FREE struct tw_problems *problems = calloc(1, sizeof(*problems));
	int r = problems ? tw_settings_load(config, TW_SETTINGS_FILE, TW_SETTINGS_DIRECTORY, problems, ret) : -ENOMEM;

	if (r >= 0)
		return -1;
	if (r != -EINVAL) {
		fprintf(stderr, "timewaitctl: cannot load the configuration: %s\n", strerror(-r));
		return TW_EXIT_FAILURE;
	}
	for (unsigned i = 0; i < TW_MIN(problems->count, TW_PROBLEMS_MAX); i++)
		fprintf(stderr, "%s\n", problems->texts[i]);
	if (problems->count > TW_PROBLEMS_MAX)
		fprintf(stderr, "and %u more\n", problems->count - TW_PROBLEMS_MAX);
	return TW_EXIT_CONFIG;
}
