/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "config/settings-problems.h"
#include "model/settings.h"

#include <stddef.h>
#include <stdint.h>

enum tw_daemon_key {
	TW_DAEMON_MODE,
	TW_DAEMON_INTERVAL,
	TW_DAEMON_CENSUS,
	TW_DAEMON_SURVEY,
	TW_DAEMON_CPU_BUDGET,
	TW_DAEMON_NAMESPACES,
	TW_DAEMON_TOP,
	TW_DAEMON_SAMPLE_RECORD,
	TW_DAEMON_PROOF_AFTER,
	TW_DAEMON_ALLOW_UNSAFE,
	TW_DAEMON_MAX_CHANGES,
	TW_DAEMON_KEY_COUNT,
};

enum tw_destroy_key {
	TW_DESTROY_ALLOW,
	TW_DESTROY_KEY_COUNT,
};

enum tw_rule_key {
	TW_RULE_METRIC,
	TW_RULE_RAISE,
	TW_RULE_CLEAR,
	TW_RULE_AGE,
	TW_RULE_UNIT,
	TW_RULE_DESTINATION,
	TW_RULE_LISTENER,
	TW_RULE_RAISE_FOR,
	TW_RULE_CLEAR_FOR,
	TW_RULE_FORECAST,
	TW_RULE_SEVERITY,
	TW_RULE_REMIND,
	TW_RULE_SET,
	TW_RULE_STEP,
	TW_RULE_DESTROY,
	TW_RULE_GATE,
	TW_RULE_PROOF,
	TW_RULE_COOLDOWN,
	TW_RULE_NAMESPACES,
	TW_RULE_KEY_COUNT,
};

/* The longest line that inih takes in one piece: its INI_MAX_LINE of 200 without newline and NUL. */
#define TW_SETTINGS_LINE_MAX 198

/* What the texts said about the keys of one section; a key is a bit, and the row of its last line. */
struct tw_key_marks {
	uint32_t given; /* by a text, or built in */
	uint32_t bad;	/* its value was refused: a problem is noted already */
	struct tw_place places[TW_RULE_KEY_COUNT];
};

_Static_assert((int)TW_DAEMON_KEY_COUNT <= (int)TW_RULE_KEY_COUNT &&
		       (int)TW_DESTROY_KEY_COUNT <= (int)TW_RULE_KEY_COUNT,
	       "tw_key_marks serves every kind of section");

/* A rule while it is read: what its metric has yet to interpret is kept as text. */
struct tw_rule_draft {
	struct tw_rule_settings settings;
	struct tw_place section; /* where it was opened first */
	struct tw_place opened;	 /* and last */
	struct tw_key_marks marks;
	struct tw_place action_places[TW_ACTIONS_MAX];
	enum tw_unit preset_unit; /* of the levels that have no text: they are built in */
	char raise_text[TW_SETTINGS_LINE_MAX];
	char clear_text[TW_SETTINGS_LINE_MAX];
};

/* The configuration while it is read. */
struct tw_settings_draft {
	struct tw_settings *settings; /* borrows; its rules are written by tw_settings_check() alone */
	struct tw_key_marks marks;    /* of [daemon] */
	struct tw_key_marks destroy_marks;
	unsigned rule_count;
	struct tw_rule_draft rules[TW_RULES_MAX];
};

static inline uint32_t tw_key_bit(size_t key)
{
	return UINT32_C(1) << key;
}

/* "; did you mean 'raise'?", or nothing where no word is near. */
void tw_key_suggest(struct tw_text *text, const char *word, const char *const *words, size_t count);
