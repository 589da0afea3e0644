/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>

/* Messages kept of one configuration: beyond that only their number is known. */
#ifndef TW_PROBLEMS_MAX /* ./dev fuzz sets a lower one, which short inputs reach */
#define TW_PROBLEMS_MAX 100
#endif
#define TW_PROBLEM_TEXT_MAX 512

/* What is wrong with a configuration: "FILE:LINE: what, and what was expected". */
struct tw_problems {
	unsigned count; /* all of them; those beyond TW_PROBLEMS_MAX have no text */
	char texts[TW_PROBLEMS_MAX][TW_PROBLEM_TEXT_MAX];
};

/*
 * A configuration being read: one or more texts, in the order in which later ones override. Within one text a key
 * twice is an error; a later text may set it again. `[rule NAME]` in a later text changes that rule's keys; its
 * `set` lines replace those of the earlier text, and so do `step` and `destroy`.
 */
struct tw_settings_reader;

/*
 * `settings`: borrows; what it holds is what the first text overrides; [daemon] is filled as texts are read, the rules
 * by finish. `problems`: borrows, emptied here; always in the order of texts and lines. NULL without memory.
 */
struct tw_settings_reader *tw_settings_reader_new(struct tw_settings *settings, struct tw_problems *problems);
struct tw_settings_reader *tw_settings_reader_free(struct tw_settings_reader *reader);
TW_DEFINE_CLEANUP(struct tw_settings_reader, tw_settings_reader_free)
#define TW_CLEANUP_SETTINGS_READER TW_CLEANUP(tw_settings_reader_freep)

/* Reads one text; `file` is its name in messages: borrows, until finish. */
void tw_settings_reader_add(struct tw_settings_reader *reader, const char *file, const char *text, size_t length);

/* Notes a problem in place of a text that could not be had. `file` as above. */
void tw_settings_reader_fail(struct tw_settings_reader *reader, const char *file, const char *reason);

/* Checks what only the whole shows (a rule without a metric, raise equal to clear, units that do not fit the metric).
 */
void tw_settings_reader_finish(struct tw_settings_reader *reader);

/* Every key of a section kind ("daemon", "destroy", "rule"), for the man page's test. NULL-terminated; NULL for no such
 * kind. */
const char *const *tw_settings_keys(const char *section);
