/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "decide/policy.h"
#include "model/sample.h"
#include "model/settings.h"

#include <stdbool.h>

/* When ports are worth the cost of counting them: apart from the policy, whose alerts live on whatever is counted. */

/*
 * Whether a survey is worth its cost now: a rule over an attributed metric is not normal, or could raise because by now
 * more ports can be blocked for one destination than its level allows, or because so many are added that its forecast
 * could come true.
 */
bool tw_policy_wants_survey(const struct tw_policy *policy, const struct tw_settings *settings,
			    const struct tw_sample *sample);

/*
 * Whether the kernel is worth asking which ports are exclusive: a rule over an attributed metric is not normal or the
 * survey could raise it, or what is exclusive, and what may be, reaches its level.
 */
bool tw_policy_asks_exclusive(const struct tw_policy *policy, const struct tw_settings *settings,
			      const struct tw_sample *sample);

/*
 * Whether there is no time to lose: what can be blocked by now for one destination that was not over the level yet
 * (tw_sample_port_bound_below()), and what has been added since the peak of the last seconds, would use up the whole
 * range within the longest forecast of any rule.
 */
bool tw_policy_hurries(const struct tw_settings *settings, const struct tw_sample *sample);

/* The same, were it as many sockets by now. */
bool tw_policy_would_hurry(const struct tw_settings *settings, const struct tw_sample *sample, struct tw_tally now);
