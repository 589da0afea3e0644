/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oracle/world.h"

/* One mix, played by everybody: what would have helped, and what was said. Apart from score.h, which judges it. */

/* A shortage that nobody has named by then is not named; a queue has its raise-for of 10 s, and a look each 5 s. */
#define NAMED_WITHIN_USEC (20 * TW_USEC_PER_SEC)

/* One seed, played by everybody. */
struct trial {
	struct world *alone, *watched;
	struct world *reusing; /* tcp_tw_reuse forced; NULL: not needed */
	struct world *larger;  /* tcp_max_tw_buckets forced */
	FILE *story;
	unsigned losses;
};

enum help {
	HELP_NONE,
	HELP_UNSURE, /* a little, or perhaps by chance: either claim is right */
	HELP_SURE,
};

/* The sysctl that the shipped rules would set for it. */
enum tw_tunable trial_remedy_of(const struct world_shortage *shortage);
/*
 * Whether that makes the failures fewer: by half, and by more than two deviations of two such counts, it helps; by less
 * than a tenth it does not.
 */
enum help trial_help_of(const struct trial *trial, const struct world_shortage *shortage);

/* Whether ports are short that are blocked for every destination. */
bool trial_is_exclusive(const struct world_shortage *shortage);
bool trial_is_about(const struct trial *trial, const struct world_shortage *shortage, const struct tw_event *event);

/* The alert for it that stands when it begins, or that is raised soon after. */
const struct watcher_claim *trial_find_raised(const struct trial *trial, const struct world_shortage *shortage);
/* The last of this kind about it, from when it was raised to when it was over. */
const struct watcher_claim *trial_find_last(const struct trial *trial, const struct world_shortage *shortage,
					    usec_t from_usec, enum tw_event_kind kind);
/* Of what was refused on its behalf, that which says what is in the way: it may have come to stand in several ways. */
bool trial_is_state_said(const struct trial *trial, const struct world_shortage *shortage, usec_t from_usec);
/* Whether it was said, from then on, that a destination would be given back what it has in TIME-WAIT itself. */
bool trial_is_left_said(const struct trial *trial, const struct world_shortage *shortage, usec_t from_usec);

/* Whether some change of the watcher's was in force while it would have lasted, or soon before. */
bool trial_is_remedy_near(const struct trial *trial, const struct world_shortage *shortage);

/* Whether the watcher's change is in force at that time, or left to who has changed it since. */
bool trial_is_in_force(const struct trial *trial, enum tw_tunable tunable, usec_t at_usec);
bool trial_is_yielded(const struct trial *trial, enum tw_tunable tunable, usec_t at_usec);
