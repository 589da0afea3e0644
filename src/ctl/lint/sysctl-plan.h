/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Settings that are told apart: a machine has a few hundred. What is beyond is counted. */
#ifndef TW_SYSCTL_SETTINGS_MAX /* ./dev fuzz sets a lower one, which short inputs reach */
#define TW_SYSCTL_SETTINGS_MAX 4096
#endif

/* A file of one of the directories of sysctl.d(5). */
struct tw_sysctl_file {
	unsigned directory; /* the lower, the stronger */
	char name[NAME_MAX + 1];
};

/*
 * Leaves the files that are read, in the order in which they are: of those with one name only that of the strongest
 * directory; by name. Returns how many.
 */
size_t tw_sysctl_files_order(struct tw_sysctl_file *files, size_t count);

/* A line that sets something. */
struct tw_sysctl_setting {
	char *key;	  /* a path below /proc/sys */
	char *value;	  /* NULL: excluded from patterns */
	const char *file; /* borrows from the plan */
	unsigned line;
	bool ignore_errors;
	bool glob;
	bool unread;				  /* stands in a file that is not read at boot */
	bool stands;				  /* no other line has taken its place */
	const struct tw_sysctl_setting *taken_by; /* which gives another value to the same key; NULL: none does */
	/* Whoever can look fills these in. */
	bool absent; /* the kernel has no such file */
	char *live;  /* what it holds now; NULL: not known */
};

/* A line that is not understood. */
struct tw_sysctl_mistake {
	char *text;
	const char *file; /* borrows from the plan */
	unsigned line;
};

/* What the files would set, read in their order. */
struct tw_sysctl_plan {
	struct tw_sysctl_setting *settings; /* memory for the most there can be, so that none ever moves */
	size_t setting_count;
	struct tw_sysctl_mistake *mistakes; /* as many */
	size_t mistake_count;
	size_t beyond; /* lines left out */
	char **files;
	size_t file_count;
};

/* Returns NULL without memory. */
struct tw_sysctl_plan *tw_sysctl_plan_new(void);
struct tw_sysctl_plan *tw_sysctl_plan_free(struct tw_sysctl_plan *plan);
TW_DEFINE_CLEANUP(struct tw_sysctl_plan, tw_sysctl_plan_free)
#define TW_CLEANUP_SYSCTL_PLAN TW_CLEANUP(tw_sysctl_plan_freep)

/*
 * Adds the text of the next file. A later line takes the place of an earlier one with another value for the same key;
 * one with the same value changes nothing. `unread`: it is not read at boot, and stands for itself. Returns 0 or
 * -ENOMEM.
 */
int tw_sysctl_plan_add(struct tw_sysctl_plan *plan, const char *file, bool unread, const char *text, size_t length);

/*
 * The setting that decides about a path: the line with just this key, else the last pattern that matches it. NULL where
 * none does, or where it is excluded.
 */
const struct tw_sysctl_setting *tw_sysctl_plan_find(const struct tw_sysctl_plan *plan, const char *path);
