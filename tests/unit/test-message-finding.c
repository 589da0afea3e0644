/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/message.h"

#include "base/macros.h"
#include "tell-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define CLOSE_WAIT TW_METRIC_OF_STATE(TW_STATE_CLOSE_WAIT)
#define NEVER                                         \
	{                                             \
		.known = true, .milli = INT64_MAX / 2 \
	}
#define TO_443                                                                                        \
	{                                                                                             \
		.source = { { [15] = 1 } }, .destination = { { [15] = 2 } }, .device = 3, .port = 443 \
	}

static const struct tw_rule_settings exhaustion = {
	.raise_milli = 45000,
	.clear_milli = 25000,
	.forecast_usec = 15 * TW_USEC_PER_SEC,
};

static const struct tw_rule_settings leak = {
	.raise_milli = 100000,
	.clear_milli = 20000,
	.age_usec = TW_USEC_PER_MINUTE,
};

/* Fires when its metric falls. */
static const struct tw_rule_settings downward = { .raise_milli = 1000, .clear_milli = 2000 };

/* Tables that moved too much, and nothing at all. */
static struct tw_sample moved;
static const struct tw_sample nothing;

static int set_up(void **state TW_UNUSED)
{
	moved = sample;
	moved.survey.partial = true;
	moved.accepting.partial = true;
	moved.close_wait.partial = true;
	return 0;
}

#define FIGURE(which, thousandths) .has_metric = true, .metric = (which), .value = KNOWN(thousandths)
#define LISTENER(a, b, c, d, number) \
	.subject = { .has_listener = true, .listener = { .address = IPV4(a, b, c, d), .port = (number) } }
#define UNIT(name) .subject = { .unit = name }
#define HOLDER(name) .subject = { .holds_for_all = true, .unit = name }

#define TOLD(whose, peers, them) ": " whose " was told that its " peers " closed and has not closed " them
#define IT_WAS_TOLD TOLD("it", "peers have", "them")
#define A_PROGRAM_WAS_TOLD TOLD("a program", "peers have", "them")

static const struct tw_sample bound = {
	.survey = {
		.at_usec = TW_USEC_PER_SEC,
		.usable = 8192,
		.exclusive_ports = 8192,
		.bound_ports = 8192,
		.bound_row_count = 2,
		.bound_rows = { { "batch.service", 8000 }, { "web.service", 192 } },
	},
};

static const struct tw_sample bound_first = {
	.survey = {
		.at_usec = TW_USEC_PER_SEC,
		.usable = 2000,
		.exclusive_ports = 1300,
		.bound_first_ports = 1300,
		.binder_count = 2,
		.binders = { { .source = IPV4(10, 0, 0, 1), .ports = 1200 }, { .source = IPV4(10, 0, 0, 9), .ports = 100 } },
	},
};

static const struct tw_sample one_binder = {
	.survey = {
		.at_usec = TW_USEC_PER_SEC,
		.usable = 2000,
		.exclusive_ports = 1200,
		.bound_first_ports = 1200,
		.binder_count = 1,
		.binders = { { .source = IPV4(10, 0, 0, 1), .ports = 1200 } },
	},
};

static const struct tw_sample short_binder = {
	.survey = {
		.at_usec = TW_USEC_PER_SEC,
		.usable = 2000,
		.need_count = 1,
		.needs = { { .source = IPV4(10, 0, 0, 1), .ports = 1520, .holder = TW_HOLDER_ESTABLISHED } },
	},
};

static const struct tw_sample orphaned = {
	.survey = {
		.at_usec = TW_USEC_PER_SEC,
		.usable = 2000,
		.top_count = 1,
		.top = { { .key = TO_8080,
			   .ports = 1800,
			   .held = { [TW_HOLDER_TIME_WAIT] = 10,
				     [TW_HOLDER_FIN_WAIT_2_ORPHANED] = 1700,
				     [TW_HOLDER_CLOSE_WAIT] = 90 },
			   .blocked = 1800 } },
	},
};

#define SHORT(last) .subject = { .has_binder = true, .binder = IPV4(10, 0, 0, last) }
#define BINDER(last) .subject = { .has_binder = true, .holds_for_all = true, .binder = IPV4(10, 0, 0, last) }

#define QUEUE_OF(queued, backlogged, most)                                                                           \
	{                                                                                                            \
		.gauge.sysctls[TW_TUNABLE_SOMAXCONN] = { { { most } }, true },                                       \
		.accepting = {                                                                                       \
			.at_usec = 1,                                                                                \
			.listeners = 1,                                                                              \
			.row_count = 1,                                                                              \
			.rows = { { .address = { IPV4(0, 0, 0, 0), 80 }, .queue = queued, .backlog = backlogged } }, \
		},                                                                                                   \
	}
static const struct tw_sample short_queue = QUEUE_OF(65, 64, 4096);
static const struct tw_sample cut_queue = QUEUE_OF(129, 128, 128);
static const struct tw_sample one_of_four = {
	.accepting = { .at_usec = 1,
		       .row_count = 1,
		       .rows = { { .address.port = 80,
				   .address.address = IPV4(0, 0, 0, 0),
				   .sockets = 4,
				   .queue = 129,
				   .backlog = 128 } } },
};

static const struct {
	struct tw_event event;
	const char *finding;
} cases[] = {
	/* ---- ports */
	{ { FIGURE(TW_METRIC_PORT_USE, 47254), .threshold = KNOWN(45000),
	    .subject = { .has_destination = true, .destination = TO_8080 }, .sample = &sample },
	  "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%), 3871 of 8192, TIME-WAIT 3866, "
	  "ESTABLISHED 4" },
	{ { FIGURE(TW_METRIC_PORT_USE, 47254), .subject = { .has_destination = true, .destination = TO_8080 },
	    .sample = &moved },
	  "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports" },
	/* The sample does not know this one: the numbers of others are not its own. */
	{ { FIGURE(TW_METRIC_PORT_USE, 50000),
	    .subject = { .has_destination = true,
			 .destination = { .source = { { [15] = 1 } }, .destination = { { [15] = 2 } }, .port = 444 } },
	    .sample = &sample },
	  "::1 -> [::2]:444 uses 50% of its ports" },
	{ { FIGURE(TW_METRIC_PORT_USE, 50000), .threshold = KNOWN(45000), .sample = &sample },
	  "port-use 50% (threshold 45%)" },

	{ { FIGURE(TW_METRIC_PORT_USE, 100000), .threshold = KNOWN(45000), HOLDER("batch.service"), .sample = &bound },
	  "100% of the ports are in use (threshold 45%): batch.service holds 8000 of the 8192 that are bound and not "
	  "connected" },
	{ { FIGURE(TW_METRIC_PORT_USE, 100000), HOLDER("other.service"), .sample = &bound },
	  "100% of the ports are in use: 8192 of 8192 are held for all destinations by sockets that listen or are "
	  "bound" },
	{ { FIGURE(TW_METRIC_PORT_USE, 100000), HOLDER(""), .sample = &nothing }, "100% of the ports are in use" },

	{ { FIGURE(TW_METRIC_PORT_USE, 65000), .threshold = KNOWN(45000), BINDER(1), .sample = &bound_first },
	  "10.0.0.1 and 1 other address hold 1300 of 2000 ports by bind() before connect() without "
	  "IP_BIND_ADDRESS_NO_PORT: blocked for every destination, and for every other program that connects without "
	  "bind(); 65% of the ports are in use (threshold 45%)" },
	{ { FIGURE(TW_METRIC_PORT_USE, 60000), .threshold = KNOWN(45000), BINDER(1), .sample = &one_binder },
	  "10.0.0.1 holds 1200 of 2000 ports by bind() before connect() without IP_BIND_ADDRESS_NO_PORT: blocked for "
	  "every destination, and for every other program that connects without bind(); 60% of the ports are in use "
	  "(threshold 45%)" },
	{ { FIGURE(TW_METRIC_PORT_USE, 65000), BINDER(9), .sample = &nothing },
	  "10.0.0.9 holds ports by bind() before connect() without IP_BIND_ADDRESS_NO_PORT: blocked for every "
	  "destination, and for every other program that connects without bind(); 65% of the ports are in use" },
	{ { FIGURE(TW_METRIC_PORT_USE, 52000), .threshold = KNOWN(45000), SHORT(1), .sample = &short_binder },
	  "bind() of 10.0.0.1 before connect() runs out of ports: 1520 of 2000 are held by sockets of this address, "
	  "most in ESTABLISHED; 52% of the half that has more room are in use (threshold 45%)" },
	{ { FIGURE(TW_METRIC_PORT_USE, 52000), SHORT(9), .sample = &short_binder },
	  "bind() of 10.0.0.9 before connect() runs out of ports: 52% of the half that has more room are in use" },
	/* The states that hold most, the orphaned by their name. */
	{ { FIGURE(TW_METRIC_PORT_USE, 90000), .subject = { .has_destination = true, .destination = TO_8080 },
	    .sample = &orphaned },
	  "10.0.0.1 -> 10.0.0.2:8080 uses 90% of its ports, 1800 of 2000, orphaned FIN-WAIT-2 1700, CLOSE-WAIT 90" },

	/* ---- forecasts */
	{ { .rule = &exhaustion,
	    .forecast = true,
	    FIGURE(TW_METRIC_PORT_USE, 47254),
	    .threshold = KNOWN(48000),
	    .subject = { .has_destination = true, .destination = TO_8080 },
	    .sample = &sample },
	  "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports and runs out in 3.9s at the present rate (forecast 15s)" },
	/* Its own use, which is not that of the busiest. It does not grow: then the reason has to say why. */
	{ { .rule = &exhaustion,
	    .forecast = true,
	    FIGURE(TW_METRIC_PORT_USE, 47254),
	    .subject = { .has_destination = true, .destination = TO_443 },
	    .sample = &sample },
	  "::1 -> [::2]:443 uses 0.1% of its ports (forecast 15s)" },
	/* Of a rule whose settings are gone the span is not known. */
	{ { .rule_name = "gone",
	    .forecast = true,
	    FIGURE(TW_METRIC_PORT_USE, 31000),
	    .subject = { .has_destination = true, .destination = TO_443 },
	    .sample = &moved },
	  "::1 -> [::2]:443 uses 31% of its ports" },
	{ { .rule = &exhaustion, .forecast = true, FIGURE(TW_METRIC_PORT_USE, 31000) }, "port-use 31%" },
	{ { .rule = &exhaustion, .forecast = true, FIGURE(TW_METRIC_TIME_WAIT_BUCKETS, 31000) },
	  "time-wait-buckets 31%" },
	{ { .has_metric = true, .metric = TW_METRIC_PORT_ETA, .value = NEVER, .threshold = KNOWN(15000) },
	  "port-eta none (threshold 15s)" },
	{ { FIGURE(TW_METRIC_PORT_ETA, 3940), .threshold = KNOWN(15000),
	    .subject = { .has_destination = true, .destination = TO_8080 } },
	  "port-eta 3.9s (threshold 15s), 10.0.0.1 -> 10.0.0.2:8080" },

	/* ---- accept queues */
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 98238), .threshold = KNOWN(90000), LISTENER(0, 0, 0, 0, 80),
	    .sample = &sample },
	  "the accept queue of 0.0.0.0:80 is 98.2% full (502 of 511), at the fullest of its 2 sockets: the program "
	  "does "
	  "not accept fast enough" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 101562), LISTENER(0, 0, 0, 0, 80), .sample = &short_queue },
	  "the accept queue of 0.0.0.0:80 is 101.6% full (65 of 64): the program does not accept fast enough; "
	  "a backlog of 64 is what it asks for, net.core.somaxconn allows 4096" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 100781), LISTENER(0, 0, 0, 0, 80), .sample = &cut_queue },
	  "the accept queue of 0.0.0.0:80 is 100.8% full (129 of 128): the program does not accept fast enough; "
	  "its backlog of 128 is all that net.core.somaxconn allows" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 100781), LISTENER(0, 0, 0, 0, 80), .sample = &one_of_four },
	  "the accept queue of 0.0.0.0:80 is 100.8% full (129 of 128), at the fullest of its 4 sockets: the program "
	  "does not accept fast enough" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 98238), LISTENER(0, 0, 0, 0, 81), .sample = &sample },
	  "the accept queue of 0.0.0.0:81 is 98.2% full: the program does not accept fast enough" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 98000), LISTENER(10, 0, 0, 1, 80), .sample = &sample },
	  "the accept queue of 10.0.0.1:80 is 98% full: the program does not accept fast enough" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 98000), LISTENER(0, 0, 0, 0, 80), .sample = &moved },
	  "the accept queue of 0.0.0.0:80 is 98% full: the program does not accept fast enough" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 100196),
	    .subject = { .has_listener = true,
			 .listener = { .address = { { [15] = 1 } }, .port = 443 },
			 .unit = "web.service" } },
	  "the accept queue of [::1]:443 is 100.2% full: web.service does not accept fast enough" },
	{ { FIGURE(TW_METRIC_ACCEPT_QUEUE, 98000), .sample = &sample },
	  "an accept queue is 98% full: the program does not accept fast enough" },
	{ { .has_metric = true, .metric = TW_METRIC_ACCEPT_QUEUE, LISTENER(0, 0, 0, 0, 80), .sample = &sample },
	  "accept-queue unknown, listener 0.0.0.0:80" },
	{ { .rule = &downward, FIGURE(TW_METRIC_ACCEPT_QUEUE, 0), .threshold = KNOWN(1000), .sample = &sample },
	  "accept-queue 0% (threshold 1%)" },

	/* ---- CLOSE-WAIT older than an age: of three of the unit's two are. */
	{ { .rule = &leak, FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 2000), UNIT("web.service"), .sample = &sample },
	  "web.service has 2 sockets in CLOSE-WAIT older than 1min, the oldest for 1min 11s" IT_WAS_TOLD },
	{ { .rule = &leak, FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 9000), UNIT("web.service"), .sample = &sample },
	  "web.service has 2 of the 9 sockets in CLOSE-WAIT older than 1min, the oldest for 1min 11s" IT_WAS_TOLD },
	/* What the event counts goes before; in a reminder it counts records. */
	{ { .kind = TW_EVENT_RAISED,
	    .rule = &leak,
	    FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 9000),
	    UNIT("web.service"),
	    .has_count = true,
	    .count = 7,
	    .sample = &sample },
	  "web.service has 7 of the 9 sockets in CLOSE-WAIT older than 1min, the oldest for 1min 11s" IT_WAS_TOLD },
	{ { .kind = TW_EVENT_REMINDED,
	    .rule = &leak,
	    FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 9000),
	    UNIT("web.service"),
	    .has_count = true,
	    .count = 7,
	    .sample = &sample },
	  "web.service has 2 of the 9 sockets in CLOSE-WAIT older than 1min, the oldest for 1min 11s" IT_WAS_TOLD },
	{ { .kind = TW_EVENT_RAISED,
	    .rule = &leak,
	    FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 1000),
	    UNIT("web.service"),
	    .has_count = true,
	    .count = 1,
	    .sample = &sample },
	  "web.service has 1 socket in CLOSE-WAIT older than 1min, for 1min 11s" TOLD("it", "peer has", "it") },
	{ { .rule = &leak, FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 120000), UNIT("web.service") },
	  "web.service has 120 sockets in CLOSE-WAIT older than 1min" IT_WAS_TOLD },
	{ { .rule_name = "gone", FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 120000), UNIT("web.service"), .sample = &sample },
	  "web.service has 120 sockets in CLOSE-WAIT, the oldest for 1min 11s" IT_WAS_TOLD },
	{ { .rule = &leak, FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 120000), .sample = &sample },
	  "120 sockets in CLOSE-WAIT older than 1min, the oldest for 1min 11s" A_PROGRAM_WAS_TOLD },
	{ { .rule = &leak, FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 120000), UNIT("other.service"), .sample = &moved },
	  "other.service has 120 sockets in CLOSE-WAIT older than 1min" IT_WAS_TOLD },

	/* ---- the age itself, and the number whatever the age */
	{ { .rule = &leak, FIGURE(TW_METRIC_CLOSE_WAIT_AGE, 71200), UNIT("web.service"), .sample = &sample },
	  "web.service has 3 of the 4 sockets in CLOSE-WAIT, the oldest for 1min 11s" IT_WAS_TOLD },
	{ { FIGURE(TW_METRIC_CLOSE_WAIT_AGE, 125000), .sample = &sample },
	  "4 sockets in CLOSE-WAIT, the oldest for 2min 5s" A_PROGRAM_WAS_TOLD },
	{ { FIGURE(TW_METRIC_CLOSE_WAIT_AGE, 125000), UNIT("web.service") },
	  "web.service has sockets in CLOSE-WAIT, the oldest for 2min 5s" IT_WAS_TOLD },
	{ { FIGURE(TW_METRIC_CLOSE_WAIT_AGE, 125000), .sample = &nothing },
	  "sockets in CLOSE-WAIT, the oldest for 2min 5s" A_PROGRAM_WAS_TOLD },
	{ { FIGURE(CLOSE_WAIT, 3000), UNIT("web.service"), .sample = &sample },
	  "web.service has 3 sockets in CLOSE-WAIT, the oldest for 1min 11s" IT_WAS_TOLD },
	{ { FIGURE(CLOSE_WAIT, 1000), .sample = &nothing },
	  "1 socket in CLOSE-WAIT" TOLD("a program", "peer has", "it") },
	{ { .has_metric = true, .metric = CLOSE_WAIT, .threshold = KNOWN(5000), .sample = &sample },
	  "close-wait unknown (threshold 5)" },
	{ { .rule = &downward, FIGURE(CLOSE_WAIT, 0), .threshold = KNOWN(1000), .sample = &sample },
	  "close-wait 0 (threshold 1)" },

	/* ---- the others */
	{ { FIGURE(TW_METRIC_LISTEN_OVERFLOW, 12000), .threshold = KNOWN(1000), LISTENER(0, 0, 0, 0, 80) },
	  "listen-overflow 12/s (threshold 1/s), listener 0.0.0.0:80" },
	{ { FIGURE(TW_METRIC_OF_STATE(TW_STATE_TIME_WAIT), 3866000) }, "time-wait 3866" },
	{ { .subject = { .has_destination = true,
			 .destination = TO_8080,
			 .has_listener = true,
			 .listener = { .address = { { [15] = 1 } }, .port = 80 },
			 .unit = "web.service" } },
	  "10.0.0.1 -> 10.0.0.2:8080, listener [::1]:80, unit web.service" },
	{ { .kind = TW_EVENT_RAISED }, "" },
};

static void test_findings(void **state TW_UNUSED)
{
	char bytes[1024];

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		/* Only who says when the ports run out has said what the reason would. */
		assert_int_equal(tw_message_add_finding(&text, &cases[i].event),
				 strstr(cases[i].finding, " runs out in ") != NULL);
		assert_string_equal(bytes, cases[i].finding);
	}
}

/* Ports that do not grow do not run out, and a figure that says so is no span. */
static void test_forecast_of_never(void **state TW_UNUSED)
{
	struct tw_sample steady = sample;
	struct tw_event event = {
		.rule = &exhaustion,
		.forecast = true,
		FIGURE(TW_METRIC_PORT_USE, 47254),
		.subject = { .has_destination = true, .destination = TO_8080 },
		.sample = &steady,
	};
	char bytes[256];
	struct tw_text text;

	steady.survey.top[0].port_eta = tw_value_of(INT64_MAX / 2);
	tw_text_init(&text, bytes, sizeof(bytes));
	assert_false(tw_message_add_finding(&text, &event));
	assert_string_equal(bytes, "10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (forecast 15s)");
}

/* The sockets of a tracker that are not at hand are not counted as none. */
static void test_waiters_missing(void **state TW_UNUSED)
{
	struct tw_sample without = sample;
	struct tw_event event = {
		.rule = &leak,
		FIGURE(TW_METRIC_CLOSE_WAIT_AGED, 120000),
		UNIT("web.service"),
		.sample = &without,
	};
	char bytes[256];
	struct tw_text text;

	without.close_wait.sockets = NULL;
	tw_text_init(&text, bytes, sizeof(bytes));
	assert_false(tw_message_add_finding(&text, &event));
	assert_string_equal(bytes, "web.service has 120 sockets in CLOSE-WAIT older than 1min, the oldest for 1min "
				   "11s" IT_WAS_TOLD);
}

/* More rows than a table has are never read, whatever the sample says. */
static void test_overlong(void **state TW_UNUSED)
{
	struct tw_sample overlong = sample;
	struct tw_event event = { FIGURE(TW_METRIC_ACCEPT_QUEUE, 1000), LISTENER(9, 9, 9, 9, 9), .sample = &overlong };
	char bytes[256];
	struct tw_text text;

	overlong.accepting.row_count = UINT32_MAX;
	overlong.survey.top_count = UINT32_MAX;
	overlong.close_wait.row_count = UINT32_MAX;
	tw_text_init(&text, bytes, sizeof(bytes));
	assert_false(tw_message_add_finding(&text, &event));
	event.metric = TW_METRIC_PORT_USE;
	event.subject = (struct tw_subject){ .has_destination = true, .destination = { .port = 9 } };
	assert_false(tw_message_add_finding(&text, &event));
	event.metric = CLOSE_WAIT;
	event.subject = (struct tw_subject){ .unit = "none.service" };
	assert_false(tw_message_add_finding(&text, &event));
	assert_false(text.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_forecast_of_never),
		cmocka_unit_test(test_waiters_missing),
		cmocka_unit_test(test_overlong),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
