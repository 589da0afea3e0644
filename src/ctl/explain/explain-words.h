/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/flow.h"
#include "model/metric.h"
#include "model/tunable.h"

/* What is true of a thing on every machine, in whole sentences. Static. */
struct tw_explain_words {
	const char *means;
	const char *costs;
	const char *helps;
	const char *vain; /* what does not help, and why */
	/* Of a sysctl alone, as phrases: what it is good for, and what it does not do. */
	const char *good_for, *not_for;
};

/* In explain-state.c, explain-metric.c and explain-tunable.c. A metric that counts a state has the state's words. */
const struct tw_explain_words *tw_explain_state_words(enum tw_state state);
const struct tw_explain_words *tw_explain_metric_words(enum tw_metric metric);
const struct tw_explain_words *tw_explain_tunable_words(enum tw_tunable tunable);
