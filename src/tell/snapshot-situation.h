/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "model/sample.h"
#include "model/situation.h"

/* The keys "ages", "rules", "changes" and "cost" of a namespace's object, which is open. */
void tw_snapshot_add_situation(struct tw_json *json, const struct tw_sample *sample,
			       const struct tw_situation *situation);
