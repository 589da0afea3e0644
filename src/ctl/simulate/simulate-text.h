/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/out.h"
#include "ctl/simulate/replay.h"

/*
 * What came of a replay, when all records are taken: each alert beside what did happen, marked where they differ, and
 * for each rule what samples could not tell. Lines are at most `width` columns where words allow.
 */
void tw_simulate_add_text(struct tw_replay *replay, unsigned width, struct tw_out *out);

/* The same as one JSON object. */
void tw_simulate_add_json(struct tw_replay *replay, struct tw_out *out);
