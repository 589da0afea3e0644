/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/rule.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What port-eta reads where no destination's ports grow: farther than any level. Were it no value, a rule over it would
 * be frozen most of its life, and could never clear.
 */
#define TW_READING_ETA_FAR_MILLI (INT64_MAX / 2)

/*
 * What a sample says to one rule: its metric within its scope (`unit`, `destination`, `listener`, `age`), and who is
 * behind it. An unscoped rule reads the metric of the whole namespace. Where the scope is not in a table that holds the
 * largest rows only, the figure is 0: it is smaller than that of each row.
 */
struct tw_reading tw_reading_take(const struct tw_sample *sample, const struct tw_rule_settings *settings);

/* Who is behind the figure, as far as the sample tells; nothing where it does not. */
void tw_reading_subject(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			struct tw_subject *ret);

/*
 * Of a rule over CLOSE-WAIT: how many sockets of `unit` count for it. Returns false where the metric is another one, or
 * the sample does not tell the sockets by unit.
 */
bool tw_reading_count(const struct tw_sample *sample, const struct tw_rule_settings *settings, const char *unit,
		      uint64_t *ret);
