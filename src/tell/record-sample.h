/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/sample.h"
#include "tell/record-field.h"

/* Ages by which a sample tells sockets in CLOSE-WAIT apart: those that people put in rules. */
#define TW_RECORD_AGES 24
extern const usec_t tw_record_ages[TW_RECORD_AGES];

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

/*
 * What a sample holds beside the numbers, so that rules can be tried on it later: when each part was measured
 * (TIMEWAITD_GAUGE_AT, _CENSUS_AT, _SURVEY_AT, in us of CLOCK_MONOTONIC); TIMEWAITD_PORT_DEMAND; the destinations that
 * grow, without those that another one is ahead of in both (TIMEWAITD_PORT_FORECASTS, a line each: use in percent,
 * seconds until no port is left); how many sockets in CLOSE-WAIT are older than each of tw_record_ages, as far as there
 * are any (TIMEWAITD_CLOSE_WAIT_AGES); and what a step of tcp_max_tw_buckets is held against.
 */
void tw_record_add_basis(struct tw_record *record, const struct tw_sample *sample);
