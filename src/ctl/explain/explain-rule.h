/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/page.h"
#include "model/sample.h"
#include "model/settings.h"

/* How a rule stands at one look. */
enum tw_standing {
	TW_STANDING_UNKNOWN, /* its metric has no value */
	TW_STANDING_WELL,
	TW_STANDING_OVER, /* at or beyond its level, or foreseen to be */
};

enum tw_standing tw_explain_rule_standing(const struct tw_rule_settings *rule, const struct tw_sample *sample);

/* What the rule watches, its levels, and how it stands: one paragraph. */
void tw_explain_rule_say(struct tw_page *page, const struct tw_rule_settings *rule, const struct tw_sample *sample);

/* Of a rule that is over: who, how much, and what follows; one paragraph. */
void tw_explain_rule_say_over(struct tw_page *page, const struct tw_rule_settings *rule,
			      const struct tw_sample *sample);

/* What the rule would do, and whether that can help now: a paragraph for each action. */
void tw_explain_rule_say_actions(struct tw_page *page, const struct tw_rule_settings *rule,
				 const struct tw_sample *sample);
