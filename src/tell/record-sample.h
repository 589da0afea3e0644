/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"
#include "tell/record-field.h"

/*
 * The history: every metric of the sample that is known, the states' counts among them, under its name in the
 * journal's spelling (TIMEWAITD_TIME_WAIT, TIMEWAITD_PORT_USE ...), a plain decimal in the metric's unit; and
 * TIMEWAITD_USABLE_PORTS, and what watching costs in ms of CPU time (TIMEWAITD_COST_CENSUS ...).
 */
void tw_record_add_numbers(struct tw_record *record, const struct tw_sample *sample);

/*
 * The flight recorder: what an expert would ask for besides. Known sysctls (TIMEWAITD_SYSCTL_TCP_TW_REUSE ...), what
 * counters came to in all (TIMEWAITD_TOTAL_TIME_WAIT_OVERFLOW ...), reserved and bound ports, machine-wide numbers,
 * and the tables of tell/record-top.h with at most `top` rows each.
 */
void tw_record_add_flight(struct tw_record *record, const struct tw_sample *sample, unsigned top);
