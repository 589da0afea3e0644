/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text at all as a file of settings: lines stay inside it, keys become paths, and one line decides about each. */
#include "base/macros.h"
#include "ctl/lint/sysctl-conf.h"
#include "ctl/lint/sysctl-plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_inside(const char *part, size_t length, const char *text, size_t size)
{
	require(part >= text && part <= text + size && length <= (size_t)(text + size - part));
	require(!memchr(part, '\n', length) && !memchr(part, '\0', length));
}

static void check_lines(const char *text, size_t size)
{
	struct tw_sysctl_conf conf;
	struct tw_sysctl_line line;
	unsigned before = 0;

	tw_sysctl_conf_init(&conf, text, size);
	while (tw_sysctl_conf_next(&conf, &line)) {
		require(line.number > before && line.number <= size);
		before = line.number;
		require(!(line.assigned && line.excluded) && line.key_length > 0);
		require_inside(line.key, line.key_length, text, size);
		if (line.assigned)
			require_inside(line.value, line.value_length, text, size);
	}
}

static void check_path(const char *path)
{
	size_t length = strlen(path);

	require(!strstr(path, "//"));
	require(length == 0 || (path[0] != '/' && path[length - 1] != '/'));
}

static void check_plan(const char *text, size_t size)
{
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = tw_sysctl_plan_new();

	require(plan != NULL);
	require(tw_sysctl_plan_add(plan, "one.conf", false, text, size) == 0);
	require(tw_sysctl_plan_add(plan, "two.conf", false, text, size) == 0);
	for (size_t i = 0; i < plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &plan->settings[i];
		const struct tw_sysctl_setting *found = tw_sysctl_plan_find(plan, setting->key);

		check_path(setting->key);
		require(setting->glob == tw_sysctl_key_is_glob(setting->key));
		require(!setting->taken_by || (!setting->stands && setting->taken_by > setting));
		if (setting->stands && !setting->glob)
			require(found == (setting->value ? setting : NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Without a NUL, so that a read beyond the end is seen. */
	TW_CLEANUP_FREE char *text = malloc(size > 0 ? size : 1);

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	check_lines(text, size);
	check_plan(text, size);
	return 0;
}
