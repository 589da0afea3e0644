/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/rule.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

/*
 * What a sample says to one rule: its metric within its scope (`unit`, `destination`, `listener`, `age`), and who is
 * behind it. An unscoped rule reads the metric of the whole namespace.
 */
struct tw_reading tw_reading_take(const struct tw_sample *sample, const struct tw_rule_settings *settings);

/* Who is behind the figure, as far as the sample tells; nothing where it does not. */
void tw_reading_subject(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			struct tw_subject *ret);
