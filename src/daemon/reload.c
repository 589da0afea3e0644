/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reload.h"

#include "config/settings-load.h"

#include <errno.h>
#include <string.h>

int tw_reload_settings(const struct tw_options *options, struct tw_problems *problems, struct tw_settings **ret)
{
	int r;

	problems->count = 0;
	r = tw_settings_load(options->config, TW_SETTINGS_FILE, TW_SETTINGS_DIRECTORY, problems, ret);
	if (r < 0)
		return r;
	if (options->observe)
		(*ret)->mode = TW_MODE_OBSERVE;
	return 0;
}

static void tell_problems(struct tw_manager *manager, const struct tw_problems *problems)
{
	for (unsigned i = 0; i < TW_MIN(problems->count, TW_PROBLEMS_MAX); i++)
		tw_manager_tell(manager, TW_EVENT_RELOAD_FAILED, "%s", problems->texts[i]);
	if (problems->count > TW_PROBLEMS_MAX)
		tw_manager_tell(manager, TW_EVENT_RELOAD_FAILED, "and %u more problems",
				problems->count - TW_PROBLEMS_MAX);
}

int tw_reload(struct tw_manager *manager, const struct tw_options *options, struct tw_problems **ret_problems)
{
	TW_CLEANUP_FREE struct tw_problems *problems = calloc(1, sizeof(*problems));
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	int r = problems ? tw_reload_settings(options, problems, &settings) : -ENOMEM;

	if (r == -EINVAL && problems->count > 0) {
		tell_problems(manager, problems);
		*ret_problems = TW_TAKE_PTR(problems);
		return r;
	}
	if (r < 0) {
		tw_manager_tell(manager, TW_EVENT_RELOAD_FAILED, "%s", strerror(-r));
		return r == -EINVAL ? -EIO : r;
	}
	tw_manager_reload(manager, TW_TAKE_PTR(settings));
	tw_manager_tell(manager, TW_EVENT_RELOADED, "%u rule%s, %s mode", manager->settings->rule_count,
			manager->settings->rule_count == 1 ? "" : "s", tw_manager_mode(manager));
	tw_manager_tell_skipped(manager);
	return 0;
}
