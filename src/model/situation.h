/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/event.h"
#include "model/ports.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>

/* How far a rule has got; decide/alert.h draws the way from one to the next. */
enum tw_rule_state {
	TW_RULE_NORMAL,
	TW_RULE_RISING,
	TW_RULE_RAISED,
	TW_RULE_CLEARING,
};

/* How one rule stands at a moment. */
struct tw_rule_situation {
	const struct tw_rule_settings *rule; /* borrows */
	enum tw_rule_state state;
	usec_t since_usec;	   /* when it came into that state; 0: not looked at yet */
	struct tw_value value;	   /* as measured last; unknown where it has none now */
	bool forecast;		   /* raised ahead of its level, where it is not yet */
	struct tw_subject subject; /* who is behind the value now; nobody where the rule is normal */
};

/* A sysctl that was changed. */
struct tw_change_situation {
	enum tw_tunable sysctl;
	bool yielded; /* somebody else has changed it since: left alone */
	struct tw_tunable_value baseline;
	struct tw_live_value value; /* in force now */
	char rule[TW_RULE_NAME_MAX];
};

/* How everything stands in one namespace: what a sample does not tell. */
struct tw_situation {
	usec_t now_usec;
	unsigned rule_count;
	struct tw_rule_situation rules[TW_RULES_MAX];
	unsigned change_count;
	struct tw_change_situation changes[TW_TUNABLE_COUNT];
};
