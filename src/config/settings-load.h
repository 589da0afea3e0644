/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

#include <stddef.h>

/* The usual places, below the directory that the build names. */
#define TW_SETTINGS_FILE TW_SYSCONFDIR "/timewaitd/timewaitd.conf"
#define TW_SETTINGS_DIRECTORY TW_SYSCONFDIR "/timewaitd/timewaitd.conf.d"

/* Messages kept of one configuration: beyond that only their number is known. */
#ifndef TW_PROBLEMS_MAX /* ./dev fuzz sets a lower one, which short inputs reach */
#define TW_PROBLEMS_MAX 100
#endif
#define TW_PROBLEM_TEXT_MAX 512

/* What is wrong with a configuration: "FILE:LINE: what, and what was expected", in the order of files and lines. */
struct tw_problems {
	unsigned count; /* all of them; those beyond TW_PROBLEMS_MAX have no text */
	char texts[TW_PROBLEMS_MAX][TW_PROBLEM_TEXT_MAX];
};

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

/*
 * A configuration being read: one or more texts, in the order in which later ones override. Within one text a key
 * twice is an error; a later text may set it again. `[rule NAME]` in a later text changes that rule's keys; its
 * `set` lines replace those of the earlier text, and so do `step` and `destroy`.
 */
struct tw_settings_reader;

/*
 * `settings`: borrows; what it holds is what the first text overrides; [daemon] is filled as texts are read, the rules
 * by finish. `problems`: borrows, emptied here. free() it. NULL without memory.
 */
struct tw_settings_reader *tw_settings_reader_new(struct tw_settings *settings, struct tw_problems *problems);

/* Reads one text; `file` is its name in messages: borrows, until finish. */
void tw_settings_reader_add(struct tw_settings_reader *reader, const char *file, const char *text, size_t length);

/* Notes a problem in place of a text that could not be had. `file` as above. */
void tw_settings_reader_fail(struct tw_settings_reader *reader, const char *file, const char *reason);

/*
 * Checks what only the whole shows (a rule without a metric, units that do not fit the metric), and writes the rules
 * into the settings. What is half right is written too: with problems the settings are not for use.
 */
void tw_settings_reader_finish(struct tw_settings_reader *reader);

/* The keys of a section kind ("daemon", "destroy", "rule") one by one, for the manual's test; NULL behind the last. */
const char *tw_settings_key(const char *section, size_t at);
