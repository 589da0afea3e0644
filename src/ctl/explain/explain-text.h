/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/explain/explain-topic.h"
#include "ctl/page.h"
#include "model/sample.h"
#include "model/settings.h"

/* Bytes that hold any page: 64 rules that are all over are the longest. */
#define TW_EXPLAIN_TEXT_MAX (256 * 1024)

/* One thing: what it means, how it stands here, what it costs, what helps and what does not, and who watches it. */
void tw_explain_topic(struct tw_page *page, const struct tw_topic *topic, const struct tw_settings *settings,
		      const struct tw_sample *sample);

/* The whole: what is wrong now by the rules, and why the large numbers are harmless. */
void tw_explain_now(struct tw_page *page, const struct tw_settings *settings, const struct tw_sample *sample);
