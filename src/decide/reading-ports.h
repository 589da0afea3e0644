/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/reading.h"

/* The part of tw_reading_next() that reads the survey, apart for its length. The survey is whole. */
bool tw_reading_ports_next(const struct tw_sample *sample, const struct tw_rule_settings *settings, unsigned *cursor,
			   struct tw_reading_row *ret);
