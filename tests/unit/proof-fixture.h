/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One proof, step by step: what is in force, and what a sample shows. */
#include "base/macros.h"
#include "base/text.h"
#include "decide/proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define NONE (-1)
#define REUSE TW_TUNABLE_TW_REUSE
#define BUCKETS TW_TUNABLE_MAX_TW_BUCKETS
#define FIN TW_TUNABLE_FIN_TIMEOUT
#define AUTOBIND TW_TUNABLE_AUTOBIND_REUSE

#define HELPED TW_PROOF_EDGE_HELPED
#define FAILED TW_PROOF_EDGE_NO_DIFFERENCE
#define UNTESTED TW_PROOF_EDGE_NOT_TESTED
#define NO TW_PROOF_NO_EDGE

/* Large: not for the stack of each test. */
static struct tw_sample sample;
static struct tw_rule_settings rule;
static struct tw_proof proof;
static struct tw_subject subject;
static bool climbs, over;

static inline struct tw_destination destination(uint8_t first, uint16_t port)
{
	const uint8_t source[] = { 10, 0, 0, 1 }, to[] = { first, 0, 0, 2 };

	return (struct tw_destination){ tw_address_from_ipv4(source), tw_address_from_ipv4(to), 0, port, 0 };
}

static inline void set_live(enum tw_tunable tunable, int64_t value)
{
	sample.gauge.sysctls[tunable] = (struct tw_live_value){ { { value } }, true };
}

static inline int clear(TW_UNUSED void **state)
{
	memset(&sample, 0, sizeof(sample));
	memset(&proof, 0, sizeof(proof));
	tw_rule_settings_init(&rule);
	rule.cooldown_usec = 600 * S;
	subject = (struct tw_subject){ .has_destination = true, .destination = destination(10, 80) };
	climbs = false;
	over = true;
	set_live(REUSE, 2);
	set_live(BUCKETS, 65536);
	set_live(FIN, 60);
	set_live(AUTOBIND, 0);
	return 0;
}

static inline struct tw_proof_case case_of(enum tw_tunable tunable, const struct tw_tunable_value *value, unsigned at)
{
	return (struct tw_proof_case){
		.tunable = tunable,
		.value = value,
		.climbs = climbs,
		.over = over,
		.subject = &subject,
		.rule = &rule,
		.proof_after_usec = 30 * S,
		.sample = &sample,
		.now_usec = at * S,
	};
}

/* What is in force is live at the next look. */
static inline enum tw_proof_edge step(enum tw_tunable tunable, int64_t value, unsigned at)
{
	const struct tw_tunable_value number = { { value } };
	struct tw_proof_case it = case_of(tunable, value == NONE ? NULL : &number, at);
	enum tw_proof_edge edge = tw_proof_step(&proof, &it);

	if (value != NONE)
		set_live(tunable, value);
	return edge;
}

static inline const char *explain(enum tw_tunable tunable)
{
	static char bytes[TW_REASON_MAX];
	struct tw_proof_case it = case_of(tunable, NULL, 0);
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_proof_explain(&proof, &it, &text);
	return bytes;
}

enum whose { OURS, ANOTHER_PORT, LOOPBACK };

/* Two looks at the sockets of one destination: a thousand ports come first. */
struct window {
	unsigned from, until; /* until 0: no more of them */
	uint32_t early, taken, opened, waiting;
	enum whose whose;
	bool partial;
};

static inline void look(const struct window *window)
{
	static const struct {
		uint8_t first;
		uint16_t port;
	} keys[] = { [OURS] = { 10, 80 }, [ANOTHER_PORT] = { 10, 81 }, [LOOPBACK] = { 127, 80 } };

	sample.survey.partial = window->partial;
	sample.survey.at_usec = window->until * S;
	sample.survey.takeovers = (struct tw_takeovers){
		.from_usec = window->from * S,
		.until_usec = window->until * S,
		.key = destination(keys[window->whose].first, keys[window->whose].port),
		.early = window->early,
		.taken = window->taken,
		.near_ports = 1000,
		.opened = window->opened,
		.waiting = window->waiting,
	};
}

static inline void look_at(unsigned from, unsigned until, uint32_t early, uint32_t taken, uint32_t opened,
			   uint32_t waiting)
{
	look(&(struct window){ from, until, early, taken, opened, waiting, OURS, false });
}
