/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include "ctl/simulate/replay.h"
#include "tell/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <errno.h>

#include <cmocka.h>

/* Usable ports are 28232: levels are low, so that six hours of surveys take seconds. */
#define PORTS_MOST 900

static void (*tell_stage)(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event);
static struct sim *sim;
static struct tw_replay *replay;
static struct tw_record record; /* 68 KiB: not for the stack */
static size_t longest;		/* record of a sample, in bytes */
static usec_t last_usec;	/* the last tick of a life */
static usec_t sampled_usec;	/* the last sample */

/* Every event becomes the record that the journal would hold, and is taken back out of it. */
static void tell(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	bool edge = event->kind == TW_EVENT_RAISED || event->kind == TW_EVENT_CLEARED;

	tell_stage(recorder, namespace, event);
	/* The scan of the last tick comes behind the last sample: of what it shows no sample tells. */
	if (edge && sim->now_usec == last_usec && sampled_usec == last_usec)
		return;
	tw_record_build(&record, namespace, event);
	if (event->kind == TW_EVENT_SAMPLE) {
		longest = TW_MAX(longest, record.used);
		sampled_usec = sim->now_usec;
	}
	assert_int_equal(tw_replay_take(replay, sim->now_usec, &record), 0);
}

static unsigned chance(unsigned below)
{
	return (unsigned)random() % below;
}

static unsigned walk(unsigned from, unsigned step, unsigned most)
{
	unsigned up = chance(2 * step + 1);

	return from + up < step ? 0 : TW_MIN(from + up - step, most);
}

static const struct tw_rule_settings rules[] = {
	{ .name = "ports",
	  .metric = TW_METRIC_PORT_USE,
	  .raise_milli = 1500,
	  .clear_milli = 800,
	  .clear_for_usec = 60 * TW_USEC_PER_SEC,
	  .forecast_usec = 15 * TW_USEC_PER_SEC },
	{ .name = "ports-held",
	  .metric = TW_METRIC_PORT_USE,
	  .raise_milli = 1200,
	  .clear_milli = 1000,
	  .raise_for_usec = 20 * TW_USEC_PER_SEC,
	  .clear_for_usec = 10 * TW_USEC_PER_SEC,
	  .forecast_usec = 600 * TW_USEC_PER_SEC },
	{ .name = "soon",
	  .metric = TW_METRIC_PORT_ETA,
	  .raise_milli = 400000,
	  .clear_milli = 2000000,
	  .clear_for_usec = 30 * TW_USEC_PER_SEC },
	{ .name = "overflow",
	  .metric = TW_METRIC_TIME_WAIT_OVERFLOW,
	  .raise_milli = 1000,
	  .clear_milli = 0,
	  .raise_for_usec = 10 * TW_USEC_PER_SEC,
	  .clear_for_usec = 60 * TW_USEC_PER_SEC,
	  .action_count = 1,
	  .actions = { { .kind = TW_ACTION_STEP,
			 .tunable = TW_TUNABLE_MAX_TW_BUCKETS,
			 .step = { .multiplies = true,
				   .by = 2000,
				   .limit = 1048576,
				   .every_usec = 30 * TW_USEC_PER_SEC } } } },
	{ .name = "leak",
	  .metric = TW_METRIC_CLOSE_WAIT_AGED,
	  .age_usec = 60 * TW_USEC_PER_SEC,
	  .raise_milli = 20000,
	  .clear_milli = 5000,
	  .raise_for_usec = 30 * TW_USEC_PER_SEC,
	  .clear_for_usec = 20 * TW_USEC_PER_SEC },
	{ .name = "old",
	  .metric = TW_METRIC_CLOSE_WAIT_AGE,
	  .raise_milli = 90500,
	  .clear_milli = 10000,
	  .clear_for_usec = 10 * TW_USEC_PER_SEC },
	{ .name = "buckets",
	  .metric = TW_METRIC_TIME_WAIT_BUCKETS,
	  .raise_milli = 400,
	  .clear_milli = 200,
	  .raise_for_usec = 5 * TW_USEC_PER_SEC,
	  .clear_for_usec = 5 * TW_USEC_PER_SEC },
	{ .name = "orphans", .metric = TW_METRIC_ORPHANS, .raise_milli = 70123, .clear_milli = 30000 },
	{ .name = "memory",
	  .metric = TW_METRIC_TCP_MEMORY,
	  .raise_milli = 80001,
	  .clear_milli = 20000,
	  .raise_for_usec = 30 * TW_USEC_PER_SEC },
	{ .name = "queue",
	  .metric = TW_METRIC_ACCEPT_QUEUE,
	  .raise_milli = 80000,
	  .clear_milli = 30000,
	  .raise_for_usec = 10 * TW_USEC_PER_SEC,
	  .clear_for_usec = 20 * TW_USEC_PER_SEC },
	{ .name = "cookies",
	  .metric = TW_METRIC_SYN_COOKIES,
	  .raise_milli = 333,
	  .clear_milli = 0,
	  .clear_for_usec = 20 * TW_USEC_PER_SEC },
	{ .name = "few",
	  .metric = TW_METRIC_OF_STATE(TW_STATE_TIME_WAIT),
	  .raise_milli = 50000,
	  .clear_milli = 100000,
	  .raise_for_usec = 10 * TW_USEC_PER_SEC },
};

static struct tw_settings *make_settings(void)
{
	struct tw_settings *settings = tw_settings_new_empty();

	assert_non_null(settings);
	settings->sample_record_usec = settings->interval_usec;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rules); i++) {
		struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

		*rule = rules[i];
		rule->severity = TW_SEVERITY_WARNING;
		rule->remind_usec = TW_USEC_PER_HOUR;
	}
	return settings;
}

/* What the machine is like now. */
struct load {
	unsigned ports, others, age, close_wait, queue, orphans, memory, overflow, cookies;
};

static void set_queue(unsigned queue)
{
	struct tw_flow listener = {
		.state = TW_STATE_LISTEN,
		.family = AF_INET,
		.local.port = 80,
		.receive_queue = queue,
		.send_queue = 128,
	};

	tw_fake_source_clear_state(&sim->source, TW_STATE_LISTEN);
	tw_fake_source_add(&sim->source, &listener);
}

static void set_close_wait(unsigned from, unsigned to)
{
	if (to < from) {
		tw_fake_source_clear_state(&sim->source, TW_STATE_CLOSE_WAIT);
		from = 0;
	}
	tw_fake_source_add_many(&sim->source, TW_STATE_CLOSE_WAIT, 4, 443, (uint16_t)(20000 + from), to - from, 0);
}

static void change(struct load *load)
{
	unsigned close_wait = chance(40) == 0 ? 0 : load->close_wait + chance(4);

	load->ports = chance(30) == 0 ? chance(PORTS_MOST) : walk(load->ports, 90, PORTS_MOST);
	load->others = walk(load->others, 60, PORTS_MOST / 2);
	load->age = walk(load->age, 20, 59);
	load->queue = walk(load->queue, 25, 129);
	load->orphans = walk(load->orphans, 800, 10000);
	load->memory = walk(load->memory, 900, 9000);
	load->overflow = chance(20) == 0 ? chance(4) : chance(5) == 0 ? 0 : load->overflow;
	load->cookies = chance(15) == 0 ? chance(3) : chance(3) == 0 ? 0 : load->cookies;
	set_close_wait(load->close_wait, TW_MIN(close_wait, 60u));
	load->close_wait = TW_MIN(close_wait, 60u);
	set_queue(load->queue);
	tw_fake_source_clear_state(&sim->source, TW_STATE_TIME_WAIT);
	tw_fake_source_add_many(&sim->source, TW_STATE_TIME_WAIT, SIM_HOST, SIM_PORT, 32768, load->ports,
				load->age * 1000);
	/* To the same destination: a record tells the ports of all in one number. */
	tw_fake_source_add_many(&sim->source, TW_STATE_TIME_WAIT, SIM_HOST, SIM_PORT, 40000, load->others, 1000);
	tw_fake_source_settle(&sim->source);
	sim->source.gauge.orphan = load->orphans;
	sim->source.gauge.memory_pages = load->memory;
	/* The dumps move too much for a while. */
	if (chance(200) == 0)
		tw_fake_source_fail(&sim->source, TW_FAKE_INTERRUPTED, 0, 1 + chance(20), -EINTR);
}

static void pass(const struct load *load, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		sim->source.gauge.counters[TW_COUNTER_TIME_WAIT_OVERFLOW].value += load->overflow;
		sim->source.gauge.counters[TW_COUNTER_SYN_COOKIES].value += load->cookies;
		sim_run(sim, 1);
	}
}

static void tell_life(enum tw_event_kind kind)
{
	struct tw_event event = { .kind = kind };

	sim->recorder.tell(&sim->recorder, "host", &event);
}

static void live_on(struct load *load, unsigned seconds)
{
	last_usec = sim->now_usec + seconds * TW_USEC_PER_SEC;
	sim_start(sim, make_settings());
	tell_life(TW_EVENT_STARTED);
	for (unsigned left = seconds; left > 0;) {
		unsigned span = 1 + chance(20);

		span = TW_MIN(span, left);
		change(load);
		pass(load, span);
		left -= span;
	}
	sim_stop(sim);
	tell_life(TW_EVENT_STOPPED);
}

static int begin(void **state TW_UNUSED)
{
	sim = sim_new();
	tell_stage = sim->recorder.tell;
	sim->recorder.tell = tell;
	tw_fake_act_set(&sim->act, TW_TUNABLE_MAX_ORPHANS, 10007);
	sim->source.gauge.sysctls[TW_TUNABLE_MAX_ORPHANS] = (struct tw_live_value){ { { 10007 } }, true };
	sim->source.gauge.memory_limit_pages = (struct tw_count){ 9001, true };
	return 0;
}

static int end(void **state TW_UNUSED)
{
	sim_free(sim);
	replay = tw_replay_free(replay);
	return 0;
}

static const char *when(usec_t at_usec)
{
	static char texts[4][24];
	static unsigned at;

	at = (at + 1) % 4;
	(void)snprintf(texts[at], sizeof(texts[at]), "%llu.%03llu", (unsigned long long)(at_usec / TW_USEC_PER_SEC),
		       (unsigned long long)(at_usec / 1000 % 1000));
	return texts[at];
}

/* Six hours of the real manager on a machine that is never at rest: simulated is what was raised, to the microsecond.
 */
static void test_six_hours_again(void **state TW_UNUSED)
{
	const char *given = getenv("TW_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261122u;
	struct tw_settings *settings = make_settings();
	struct tw_past_alerts *simulated, *recorded;
	struct load load = { 0 };
	bool seen[TW_ARRAY_SIZE(rules)] = { false };

	print_message("# seed %u (set TW_SEED for another)\n", seed);
	srandom(seed);
	assert_int_equal(tw_replay_new(settings, "host", &replay), 0);
	/* It ends and lives again in between. */
	live_on(&load, 7500);
	sim->now_usec += 300 * TW_USEC_PER_SEC;
	live_on(&load, 14100);

	simulated = tw_replay_simulated(replay);
	recorded = tw_replay_recorded(replay);
	print_message("# %zu alerts, %zu samples of %zu bytes at most\n", recorded->count,
		      tw_replay_span(replay).samples, longest);
	for (size_t i = 0; i < TW_MIN(simulated->count, recorded->count); i++) {
		const struct tw_past_alert *a = &simulated->rows[i], *b = &recorded->rows[i];

		for (size_t j = 0; j < TW_ARRAY_SIZE(rules); j++)
			seen[j] = seen[j] || strcmp(rules[j].name, a->rule) == 0;
		if (strcmp(a->rule, b->rule) != 0 || a->raised_usec != b->raised_usec ||
		    a->ended_usec != b->ended_usec || a->end != b->end)
			fail_msg("alert %zu: simulated %s %s to %s, recorded %s %s to %s", i, a->rule,
				 when(a->raised_usec), when(a->ended_usec), b->rule, when(b->raised_usec),
				 when(b->ended_usec));
	}
	assert_int_equal(simulated->count, recorded->count);
	for (size_t j = 0; j < TW_ARRAY_SIZE(rules); j++)
		if (!seen[j])
			fail_msg("%s was never raised: nothing is shown of it", rules[j].name);
	assert_in_range(recorded->count, 100, 100000);
	tw_settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_six_hours_again, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
