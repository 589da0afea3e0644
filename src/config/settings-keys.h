/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "config/settings-draft.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind of section and its keys. */
struct tw_key_table {
	const char *section;
	const char *const *names; /* NULL-terminated */
	size_t count;
	uint32_t repeatable; /* bits of the keys that may stand more than once */
};

extern const struct tw_key_table tw_daemon_keys;
extern const struct tw_key_table tw_destroy_keys;
extern const struct tw_key_table tw_rule_keys;

/* The row of a key. Returns false where the section has no such key. */
bool tw_key_find(const struct tw_key_table *table, const char *name, size_t *ret_key);

/* The kind of section that has a key of this name; NULL for none. */
const struct tw_key_table *tw_key_home(const char *name);

/*
 * Reads a value into the settings, or the draft. Returns false, with what was expected in `why`, where the value is
 * none for this key; nothing is changed then. `value` is trimmed, not empty and at most TW_SETTINGS_LINE_MAX - 1 long.
 */
bool tw_daemon_key_parse(size_t key, struct tw_settings *settings, const char *value, struct tw_text *why);
bool tw_destroy_key_parse(size_t key, struct tw_settings *settings, const char *value, struct tw_text *why);
bool tw_rule_key_parse(size_t key, struct tw_rule_draft *draft, const char *value, struct tw_text *why);

/* Whether a key adds an action, and then of which kind. */
bool tw_rule_key_acts(size_t key, enum tw_action_kind *ret_kind);
