/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A sample for the gate, filled by hand: what test-gate and test-gate-text share. */

#include "address.h"
#include "base/macros.h"
#include "base/text.h"
#include "decide/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define UNKNOWN (-1)

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static const struct tw_subject nobody;

static inline int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	return 0;
}

static inline void set_live(enum tw_tunable tunable, int64_t number)
{
	sample.gauge.at_usec = 2 * S;
	sample.gauge.sysctls[tunable] = (struct tw_live_value){ { { number } }, number != UNKNOWN };
}

/* So many a second. */
static inline void set_rate(enum tw_counter counter, int rate)
{
	sample.previous.at_usec = S;
	sample.gauge.at_usec = 2 * S;
	sample.previous.counters[counter] = (struct tw_count){ 7, rate != UNKNOWN };
	sample.gauge.counters[counter] = (struct tw_count){ 7 + (uint64_t)(rate + (rate == UNKNOWN)), true };
}

static inline void set_count(enum tw_state state, int64_t count)
{
	sample.census.at_usec = S;
	sample.census.known[state] = count != UNKNOWN;
	sample.census.count[state] = count == UNKNOWN ? 0 : (uint64_t)count;
}

static inline void set_survey(uint32_t usable)
{
	sample.survey.at_usec = S;
	sample.survey.usable = usable;
	sample.survey.port_use = tw_value_of(0);
}

/* One more destination; its ports are held by TIME-WAIT and, for the rest, by `holder`. All are blocked. */
static inline struct tw_destination_row *add_row(const char *source, const char *destination, uint32_t ports,
						 uint32_t time_wait, enum tw_holder holder)
{
	struct tw_survey *survey = &sample.survey;
	struct tw_destination_row *row = &survey->top[survey->top_count++];

	if (survey->usable == 0)
		set_survey(1000);
	survey->has_busiest = true;
	survey->destinations = survey->top_count;
	*row = (struct tw_destination_row){
		.key = { .source = address(source), .destination = address(destination), .port = 8080 },
		.ports = ports,
		.time_wait = time_wait,
		.blocked = ports,
		.blocked_baseline = ports,
		.bound_first_known = true,
		.port_use = tw_value_percent(ports, survey->usable),
	};
	row->held[TW_HOLDER_TIME_WAIT] = time_wait;
	row->held[holder] += ports - time_wait;
	if (row->port_use.milli > survey->port_use.milli)
		survey->port_use = row->port_use;
	return row;
}

/* Blocked for all: so many, of which so many were bound first, from 10.0.0.1 and a tenth of them from 10.0.0.9. */
static inline void set_exclusive(uint32_t ports, uint32_t bound_first)
{
	struct tw_survey *survey = &sample.survey;

	survey->exclusive_ports = ports;
	survey->bound_first_ports = bound_first;
	survey->binder_count = bound_first > 0 ? 2 : 0;
	survey->binders[0] = (struct tw_binder_row){ .source = address("10.0.0.1"), .ports = bound_first * 9 / 10 };
	survey->binders[1] = (struct tw_binder_row){ .source = address("10.0.0.9"), .ports = bound_first / 10 };
	for (unsigned i = 0; i < survey->top_count; i++)
		survey->top[i].blocked += ports;
}

static inline void set_sides(uint64_t time_wait, uint64_t accepting)
{
	sample.survey.time_wait = time_wait;
	sample.survey.accepting_time_wait = accepting;
}

static inline struct tw_subject subject_of(const struct tw_destination_row *row)
{
	return (struct tw_subject){ .has_destination = true, .destination = row->key };
}
