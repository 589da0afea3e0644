/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"

/* Times of people, in us since 1970 (CLOCK_REALTIME), and in the time zone of the process. */

/*
 * Reads a point in time as systemd.time(7) writes it: "now", "today", "yesterday", "-1h 30min", "+5min", "2h ago",
 * "@1700000000", "2026-11-22", "2026-11-22 19:45[:30]" (also with a T between, and " UTC" or "Z" behind), "19:45[:30]".
 * Returns 0, or -EINVAL; *ret_usec is untouched then.
 */
int tw_when_parse(const char *text, usec_t now_usec, usec_t *ret_usec);

/* "2026-11-22 19:45:44". */
void tw_when_add(struct tw_text *text, usec_t at_usec);

/* "19:45:44" where it is on the day of `of_usec`, the day in front elsewhere. */
void tw_when_add_after(struct tw_text *text, usec_t at_usec, usec_t of_usec);

/* "2026-11-22T19:45:44.000000Z": for programs. */
void tw_when_add_utc(struct tw_text *text, usec_t at_usec);
