/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/event.h"
#include "model/sample.h"

/*
 * One namespace's sample as an element of the "namespaces" array of `timewaitd --once --json`: name, partial, states,
 * metrics (those that are no state's count; close-wait-aged needs a rule's age and is null), counters, limits (sysctls
 * by the last component of their keys), and the tables of tell/rows.h (at most `top` rows each). Unknown values are
 * null, never 0; so is a table that was not measured, or not whole.
 *
 * A situation, or NULL, is what only the running daemon knows: ages (seconds since each part was measured), rules
 * (state, since, value, levels, severity, finding), changes (what is not at its baseline, and whose it is) and cost
 * (milliseconds of CPU time).
 */
void tw_snapshot_add_json(struct tw_text *json, const char *namespace, const struct tw_sample *sample, unsigned top,
			  const struct tw_situation *situation);

/* The sample for a person: a short page of plain text. */
void tw_snapshot_add_text(struct tw_text *text, const char *namespace, const struct tw_sample *sample, unsigned top);
