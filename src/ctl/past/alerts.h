/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>

enum tw_alert_end {
	TW_ALERT_OPEN, /* still raised when the records end */
	TW_ALERT_CLEARED,
	TW_ALERT_STOPPED, /* the daemon ended first, or began anew */
};

/* One time that a rule was raised. Times are of CLOCK_REALTIME. */
struct tw_past_alert {
	char rule[TW_RULE_NAME_MAX];
	usec_t raised_usec;
	usec_t ended_usec; /* 0: open */
	enum tw_alert_end end;
	size_t twin; /* tw_alerts_match(): its index in the other list; SIZE_MAX for none */
};

/* In the order in which they were raised. */
struct tw_past_alerts {
	size_t count, room;
	struct tw_past_alert *rows;
};

void tw_alerts_done(struct tw_past_alerts *alerts);

/* A rule is raised; one that is raised already is not raised again. Returns 0 or -ENOMEM. */
int tw_alerts_raise(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec);

/* It is cleared; nothing where it was not raised. */
void tw_alerts_clear(struct tw_past_alerts *alerts, const char *rule, usec_t at_usec);

/* Whatever is raised ends here, not cleared. */
void tw_alerts_stop(struct tw_past_alerts *alerts, usec_t at_usec);

/*
 * Pairs off those of the same rule that were up at one time, or missed each other by `slack` at most; the one that was
 * raised first with the first that fits.
 */
void tw_alerts_match(struct tw_past_alerts *a, struct tw_past_alerts *b, usec_t slack_usec);

/* Whether two were raised and ended at the same times, give or take `slack`. */
bool tw_alerts_same(const struct tw_past_alert *a, const struct tw_past_alert *b, usec_t slack_usec);
