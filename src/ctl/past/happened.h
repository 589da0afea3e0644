/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/past/chart.h"
#include "ctl/past/past.h"

#include <stddef.h>

/* What a record other than a sample tells. The texts are as they were read: whatever anybody wrote. */
struct tw_happening {
	usec_t at_usec;
	enum tw_event_kind kind;
	unsigned priority; /* of syslog(3): 0 to 7 */
	char *rule;	   /* "" for none; consumes, as the others */
	char *message;
	char *sysctl, *old, *new;
};

/* All of them, in the order of time. */
struct tw_happened {
	size_t count, room;
	struct tw_happening *rows;
	struct tw_chart_event *marks; /* as many; those of a kind that a chart does not mark too */
};

void tw_happened_done(struct tw_happened *happened);

/* Takes a record in. Returns 0 or -ENOMEM. */
int tw_happened_take(struct tw_happened *happened, usec_t at_usec, enum tw_event_kind kind,
		     const struct tw_record *record);
