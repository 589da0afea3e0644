/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/sysctl-plan.h"

#include "ctl/lint/sysctl-conf.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static int compare_files(const void *a, const void *b)
{
	const struct tw_sysctl_file *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order != 0 ? order : (left->directory > right->directory) - (left->directory < right->directory);
}

size_t tw_sysctl_files_order(struct tw_sysctl_file *files, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(files, count, sizeof(*files), compare_files);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(files[kept - 1].name, files[i].name) != 0)
			files[kept++] = files[i];
	return kept;
}

struct tw_sysctl_plan *tw_sysctl_plan_new(void)
{
	TW_CLEANUP_SYSCTL_PLAN struct tw_sysctl_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->settings = calloc(TW_SYSCTL_SETTINGS_MAX, sizeof(*plan->settings));
	plan->mistakes = calloc(TW_SYSCTL_SETTINGS_MAX, sizeof(*plan->mistakes));
	return plan->settings && plan->mistakes ? TW_TAKE_PTR(plan) : NULL;
}

struct tw_sysctl_plan *tw_sysctl_plan_free(struct tw_sysctl_plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->setting_count; i++) {
		free(plan->settings[i].key);
		free(plan->settings[i].value);
		free(plan->settings[i].live);
	}
	for (size_t i = 0; i < plan->mistake_count; i++)
		free(plan->mistakes[i].text);
	for (size_t i = 0; i < plan->file_count; i++)
		free(plan->files[i]);
	free(plan->settings);
	free(plan->mistakes);
	free(plan->files);
	free(plan);
	return NULL;
}

static const char *add_name(struct tw_sysctl_plan *plan, const char *file)
{
	char **files = reallocarray(plan->files, plan->file_count + 1, sizeof(*files));

	if (!files)
		return NULL;
	plan->files = files;
	files[plan->file_count] = strdup(file);
	return files[plan->file_count] ? files[plan->file_count++] : NULL;
}

static bool same_value(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Against the line that decides about the same key up to now. */
static void settle(struct tw_sysctl_plan *plan, struct tw_sysctl_setting *made)
{
	if (made->unread)
		return;
	made->stands = true;
	for (size_t i = 0; i < plan->setting_count; i++) {
		struct tw_sysctl_setting *before = &plan->settings[i];

		if (!before->stands || strcmp(before->key, made->key) != 0)
			continue;
		if (same_value(before->value, made->value)) {
			made->stands = false;
			return;
		}
		before->stands = false;
		before->taken_by = made;
		return;
	}
}

static int add_setting(struct tw_sysctl_plan *plan, const struct tw_sysctl_line *line, const char *file, bool unread)
{
	struct tw_sysctl_setting *made = &plan->settings[plan->setting_count];
	TW_CLEANUP_FREE char *key = strndup(line->key, line->key_length);
	TW_CLEANUP_FREE char *value = line->assigned ? strndup(line->value, line->value_length) : NULL;

	if (!key || (line->assigned && !value))
		return -ENOMEM;
	tw_sysctl_key_normalize(key);
	*made = (struct tw_sysctl_setting){
		.file = file,
		.line = line->number,
		.ignore_errors = line->ignore_errors,
		.glob = tw_sysctl_key_is_glob(key),
		.unread = unread,
	};
	made->key = TW_TAKE_PTR(key);
	made->value = TW_TAKE_PTR(value);
	settle(plan, made);
	plan->setting_count++;
	return 0;
}

static int add_mistake(struct tw_sysctl_plan *plan, const struct tw_sysctl_line *line, const char *file)
{
	struct tw_sysctl_mistake *made = &plan->mistakes[plan->mistake_count];

	made->text = strndup(line->key, line->key_length);
	if (!made->text)
		return -ENOMEM;
	made->file = file;
	made->line = line->number;
	plan->mistake_count++;
	return 0;
}

int tw_sysctl_plan_add(struct tw_sysctl_plan *plan, const char *file, bool unread, const char *text, size_t length)
{
	const char *name = add_name(plan, file);
	struct tw_sysctl_conf conf;
	struct tw_sysctl_line line;

	if (!name)
		return -ENOMEM;
	tw_sysctl_conf_init(&conf, text, length);
	while (tw_sysctl_conf_next(&conf, &line)) {
		bool understood = line.assigned || line.excluded;
		int r = 0;

		if ((understood ? plan->setting_count : plan->mistake_count) == TW_SYSCTL_SETTINGS_MAX)
			plan->beyond++;
		else
			r = understood ? add_setting(plan, &line, name, unread) : add_mistake(plan, &line, name);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct tw_sysctl_setting *tw_sysctl_plan_find(const struct tw_sysctl_plan *plan, const char *path)
{
	const struct tw_sysctl_setting *pattern = NULL;

	for (size_t i = 0; i < plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &plan->settings[i];

		if (!setting->stands)
			continue;
		if (!setting->glob && strcmp(setting->key, path) == 0)
			return setting->value ? setting : NULL;
		if (setting->glob && setting->value && fnmatch(setting->key, path, FNM_PATHNAME) == 0)
			pattern = setting;
	}
	return pattern;
}
