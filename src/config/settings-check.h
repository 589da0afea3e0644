/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/settings-draft.h"
#include "config/settings-problems.h"

/* Takes the rules that the settings hold already into the draft, as built in. */
void tw_settings_draft_init(struct tw_settings_draft *draft, struct tw_settings *settings);

/*
 * Checks what only the whole shows, notes the problems, and writes the rules into the settings. What is half right is
 * written too: with problems the settings are not for use.
 */
void tw_settings_check(struct tw_settings_draft *draft, struct tw_problem_log *log);
