/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/survey.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct tw_hash_key secret = { .k0 = 1, .k1 = 2 };

struct fixture {
	struct tw_source source;
	enum tw_timestamps timestamps; /* what each living socket says that is asked */
	unsigned asked;
	struct tw_survey_work work;
	struct tw_port_set range, listening;
	struct tw_gauge gauge;
	struct tw_live_value baseline;
	struct tw_parity_past past;
	struct tw_watched watched;
	struct tw_survey survey, previous;
};

static inline int say_timestamps(struct tw_source *source, const struct tw_flow *flow, struct tw_idle *ret)
{
	struct fixture *fixture = (struct fixture *)(void *)((char *)source - offsetof(struct fixture, source));

	assert_false(flow->mini);
	fixture->asked++;
	*ret = (struct tw_idle){ .timestamps = fixture->timestamps };
	return 0;
}

static inline void again(struct fixture *fixture)
{
	tw_survey_work_begin(&fixture->work, &fixture->range, &fixture->listening, &fixture->gauge, &fixture->baseline,
			     &fixture->past);
}

static inline void set_reuse(struct fixture *fixture, int64_t value)
{
	fixture->gauge.sysctls[TW_TUNABLE_TW_REUSE] =
		(struct tw_live_value){ .value.numbers = { value }, .known = true };
}

static inline void begin(struct fixture *fixture, uint16_t low, uint16_t high)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->source.idle = say_timestamps;
	assert_int_equal(tw_survey_work_init(&fixture->work, &secret), 0);
	tw_port_set_add_range(&fixture->range, low, high);
	again(fixture);
}

/* At a time in seconds; its memory stays. */
static inline const struct tw_survey *look(struct fixture *fixture, usec_t at)
{
	tw_exclusive_ask(&fixture->work.exclusive, 0);
	while (tw_survey_work_step(&fixture->work, &fixture->source))
		;
	tw_survey_work_results(&fixture->work, &fixture->watched, &fixture->previous, at * TW_USEC_PER_SEC, false);
	fixture->survey = fixture->previous = fixture->work.survey;
	return &fixture->survey;
}

static inline const struct tw_survey *end(struct fixture *fixture)
{
	const struct tw_survey *survey = look(fixture, 1000);

	tw_survey_work_done(&fixture->work);
	return survey;
}

/* Sockets of 10.0.0.`source` on local ports from `first` on, to 10.0.1.`host`:80. */
static inline void add_of(struct fixture *fixture, uint8_t source, enum tw_state state, uint8_t host, uint16_t first,
			  unsigned count, uint32_t expires_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct tw_flow flow = {
			.state = state,
			.family = AF_INET,
			.local = { tw_address_from_ipv4((uint8_t[]){ 10, 0, 0, source }), (uint16_t)(first + i) },
			.remote = { tw_address_from_ipv4((uint8_t[]){ 10, 0, 1, host }), 80 },
			.expires_ms = expires_ms,
		};

		tw_survey_work_add(&fixture->work, &flow);
	}
}

static inline void add(struct fixture *fixture, enum tw_state state, uint8_t host, uint16_t first, unsigned count,
		       uint32_t expires_ms)
{
	add_of(fixture, 1, state, host, first, count, expires_ms);
}

static inline void assert_percent(struct tw_value value, int64_t milli)
{
	assert_true(value.known);
	assert_int_equal(value.milli, milli);
}
