/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "config/settings-draft.h"

#include <stdbool.h>

/*
 * What a rule does. Each adds one action to the draft, or returns false with what was expected in `why`; nothing is
 * changed then. `value` is trimmed, not empty and at most TW_SETTINGS_LINE_MAX - 1 long. An action of an earlier text
 * on the same sysctl gives way; one of the same text is a mistake.
 */

/* "net.ipv4.tcp_tw_reuse=1". */
bool tw_action_parse_set(struct tw_rule_draft *draft, const char *value, struct tw_text *why);
/* "net.ipv4.tcp_max_tw_buckets x2 limit 1048576 every 30s". */
bool tw_action_parse_step(struct tw_rule_draft *draft, const char *value, struct tw_text *why);
/* "time-wait older-than 30s port 80 max 5000/s". */
bool tw_action_parse_destroy(struct tw_rule_draft *draft, const char *value, struct tw_text *why);

/* Removes the actions of one kind, for a later text has its own. */
void tw_actions_drop(struct tw_rule_draft *draft, enum tw_action_kind kind);
/* Takes out what is advice alone by now, and remembers it in `settings`. */
void tw_actions_skip(struct tw_rule_draft *draft, struct tw_settings *settings);
/* Adds one, whichever it is; the same way out as above. */
bool tw_actions_add(struct tw_rule_draft *draft, const struct tw_action *action, struct tw_text *why);
