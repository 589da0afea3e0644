/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/rule.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"

/* The part of tw_reading_take() that reads the survey: ports in use towards destinations. */

/* port-use within the rule's scope: value, pressure and forecast of *ret; untouched without a survey that holds. */
void tw_reading_ports_use(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			  struct tw_reading *ret);

/* port-eta in thousandths of a second; TW_READING_ETA_FAR_MILLI where nothing grows. */
struct tw_value tw_reading_ports_eta(const struct tw_sample *sample, const struct tw_scope *scope);

/*
 * The destination behind port-use or port-eta, and the unit that holds most of the ports where they are bound rather
 * than connected; *ret is untouched where there is none.
 */
void tw_reading_ports_subject(const struct tw_sample *sample, const struct tw_rule_settings *settings,
			      struct tw_subject *ret);
