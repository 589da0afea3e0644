/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/live/screen.h"
#include "remote/snapshot-read.h"

#include <stdbool.h>

/* What the page is about, beside the view. */
struct tw_status_order {
	const struct tw_view *view;
	const struct tw_view_namespace *chosen; /* this one alone, of the view; NULL: the first, and a table of all */
	const char *why_direct;			/* NULL: the view is the daemon's; else why it was not asked */
	unsigned rows;				/* of each table at most */
};

/*
 * Bytes that hold a page: a hundred rows of each table, 64 sentences, escapes and all, of one namespace; of each other
 * one what is raised in it.
 */
#define TW_STATUS_BYTES(namespaces) (524288u + (size_t)(namespaces)*65536u)

/*
 * The state of things on one screen, in the order of importance: what is raised, what was changed and why, the states,
 * the busiest destinations, leaking units, the fullest listeners, and what watching costs. Of several namespaces the
 * first, then what is raised in the others, and a table of all.
 */
void tw_status_add(struct tw_screen *screen, const struct tw_status_order *order);

/* "port-exhaustion warning for 12.5s: FINDING", then what was done: of status and alerts alike. */
void tw_status_add_rule(struct tw_screen *screen, const struct tw_view_namespace *namespace,
			const struct tw_view_rule *rule);

/* The raised rules of a namespace, the most severe first, then the longest raised; returns how many. */
unsigned tw_status_raised(const struct tw_view_namespace *namespace, const struct tw_view_rule *ret[TW_RULES_MAX]);
