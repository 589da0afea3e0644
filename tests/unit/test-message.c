/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message-fixture.h"

/* Fires when its metric falls. */
static const struct tw_rule_settings running_out = {
	.name = "running-out",
	.metric = TW_METRIC_PORT_ETA,
	.raise_milli = 15000,
	.clear_milli = 60000,
};

static struct tw_sample growing = {
	.survey = {
		.at_usec = 1,
		.top_count = 1,
		.top = { { .key = TO_8080, .port_use = KNOWN(31000), .port_eta = KNOWN(3900) } },
	},
};

static struct tw_sample idle = {
	.census = { .at_usec = 1, .known = { [TW_STATE_LISTEN] = true, [TW_STATE_TIME_WAIT] = true } },
};

static struct tw_sample in_part = {
	.census = { .at_usec = 1,
		    .partial = true,
		    .known = { [TW_STATE_TIME_WAIT] = true },
		    .count = { [TW_STATE_TIME_WAIT] = 7 } },
};

static const struct {
	const char *namespace;
	struct tw_event event;
	const char *sentence;
} cases[] = {
	{ "host",
	  { .kind = TW_EVENT_STARTED, .reason = "timewaitd 0.1.0, 3 rules, enforce mode" },
	  "Started: timewaitd 0.1.0, 3 rules, enforce mode." },
	{ "host",
	  { .kind = TW_EVENT_STOPPED, .reason = "everything is put back" },
	  "Stopped: everything is put back." },
	{ "host", { .kind = TW_EVENT_STOPPED }, "Stopped." },
	{ "host",
	  { .kind = TW_EVENT_RELOADED, .reason = "2 rules, observe mode" },
	  "Configuration reloaded: 2 rules, observe mode." },
	{ "host",
	  { .kind = TW_EVENT_RELOAD_FAILED, .reason = "/etc/timewaitd/timewaitd.conf:3: unknown key \"rais\"." },
	  "Configuration not reloaded, the old one stays in force: "
	  "/etc/timewaitd/timewaitd.conf:3: unknown key \"rais\"." },
	{ "host",
	  { .kind = TW_EVENT_RELOAD_FAILED, .reason = "a.conf:3: unknown key 'rais'; did you mean 'raise'?" },
	  "Configuration not reloaded, the old one stays in force: a.conf:3: unknown key 'rais'; did you mean "
	  "'raise'?" },

	{ "host",
	  { .kind = TW_EVENT_SAMPLE, .sample = &busy },
	  "LISTEN 3, ESTABLISHED 12, TIME-WAIT 3866, port-use 47.3% (10.0.0.1 -> 10.0.0.2:8080)." },
	{ "host", { .kind = TW_EVENT_SAMPLE, .sample = &idle }, "No TCP socket." },
	{ "host", { .kind = TW_EVENT_SAMPLE, .sample = &in_part }, "TCP sockets not counted." },
	{ "blue", { .kind = TW_EVENT_SAMPLE }, "blue: TCP sockets not counted." },

	{ "host",
	  { .kind = TW_EVENT_RAISED, PORT_USE(47254, 45000), .sample = &busy },
	  "port-exhaustion raised: 10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%), 3871 of 8192, "
	  "TIME-WAIT 3866, ESTABLISHED 5." },
	{ "host",
	  { .kind = TW_EVENT_RAISED, PORT_USE(47254, 45000), .has_count = true, .count = 3, .more = true },
	  "port-exhaustion raised for 3 more: they are beyond the level as well, and are not told one by one." },
	{ "blue",
	  { .kind = TW_EVENT_RAISED, PORT_USE(47254, 45000) },
	  "blue: port-exhaustion raised: 10.0.0.1 -> 10.0.0.2:8080 uses 47.3% of its ports (threshold 45%)." },
	{ "host",
	  { .kind = TW_EVENT_RAISED,
	    PORT_USE(31000, 45000),
	    .sample = &growing,
	    .forecast = true,
	    .reason = "all ports are in use in 3.9s" },
	  "port-exhaustion raised ahead of its level: 10.0.0.1 -> 10.0.0.2:8080 uses 31% of its ports and runs out in "
	  "3.9s at the present rate (forecast 15s)." },
	/* What the sample does not tell the reason does. */
	{ "host",
	  { .kind = TW_EVENT_RAISED,
	    PORT_USE(31000, 45000),
	    .forecast = true,
	    .reason = "all ports are in use in 3.9s" },
	  "port-exhaustion raised ahead of its level: 10.0.0.1 -> 10.0.0.2:8080 uses 31% of its ports (forecast 15s): "
	  "all ports are in use in 3.9s." },
	{ "host",
	  { .kind = TW_EVENT_RAISED,
	    .rule_name = "close-wait-leak",
	    .has_metric = true,
	    .metric = TW_METRIC_CLOSE_WAIT_AGED,
	    .value = KNOWN(120000),
	    .threshold = KNOWN(100000),
	    .subject.unit = "web.service",
	    .advice = "restart it" },
	  "close-wait-leak raised: web.service has 120 sockets in CLOSE-WAIT: it was told that its peers have closed "
	  "and has not closed them; what to do: restart it" },
	{ "host",
	  { .kind = TW_EVENT_RAISED,
	    .rule = &running_out,
	    .has_metric = true,
	    .metric = TW_METRIC_PORT_ETA,
	    .threshold = KNOWN(15000) },
	  "running-out raised: port-eta unknown (threshold 15s)." },

	{ "host",
	  { .kind = TW_EVENT_REMINDED, PORT_USE(52000, 45000), .lasted_usec = 3600 * S, .has_count = true, .count = 1 },
	  "port-exhaustion still raised after 1h (1 record not written since the last one): 10.0.0.1 -> 10.0.0.2:8080 "
	  "uses 52% of its ports (threshold 45%)." },
	{ "host",
	  { .kind = TW_EVENT_REMINDED, PORT_USE(52000, 45000), .lasted_usec = 90 * S, .has_count = true, .count = 3 },
	  "port-exhaustion still raised after 1min 30s (3 records not written since the last one): 10.0.0.1 -> "
	  "10.0.0.2:8080 uses 52% of its ports (threshold 45%)." },
	{ "blue",
	  { .kind = TW_EVENT_REMINDED,
	    .rule_name = "full",
	    .has_metric = true,
	    .metric = TW_METRIC_ACCEPT_QUEUE,
	    .value = KNOWN(98000),
	    .subject = { .has_listener = true, .listener = { .address = IPV4(0, 0, 0, 0), .port = 80 } },
	    .lasted_usec = 2 * 3600 * S,
	    .has_count = true },
	  "blue: full still raised after 2h: the accept queue of 0.0.0.0:80 is 98% full: the program does not accept "
	  "fast enough." },

	{ "host",
	  { .kind = TW_EVENT_CLEARED, PORT_USE(3100, 25000), .lasted_usec = 125 * S + 7 },
	  "port-exhaustion cleared after 2min 5s: port-use 3.1%, below 25%." },
	{ "host",
	  { .kind = TW_EVENT_CLEARED, PORT_USE(25000, 25000), .lasted_usec = 9 * S },
	  "port-exhaustion cleared after 9s: port-use 25%, at 25%." },
	{ "host",
	  { .kind = TW_EVENT_CLEARED, PORT_USE(41000, 25000), .lasted_usec = 1300000 },
	  "port-exhaustion cleared after 1.3s: port-use 41%, falling below 25%." },
	{ "host",
	  { .kind = TW_EVENT_CLEARED,
	    .rule = &running_out,
	    .has_metric = true,
	    .metric = TW_METRIC_PORT_ETA,
	    .value = KNOWN(90000),
	    .threshold = KNOWN(60000),
	    .lasted_usec = 60 * S },
	  "running-out cleared after 1min: port-eta 1min 30s, above 1min." },
	{ "host",
	  { .kind = TW_EVENT_CLEARED,
	    .rule = &running_out,
	    .has_metric = true,
	    .metric = TW_METRIC_PORT_ETA,
	    .value = { .known = true, .milli = INT64_MAX / 2 },
	    .threshold = KNOWN(60000),
	    .lasted_usec = 61 * S },
	  "running-out cleared after 1min 1s: port-eta none, above 1min." },
	{ "host",
	  { .kind = TW_EVENT_CLEARED,
	    .rule = &running_out,
	    .has_metric = true,
	    .metric = TW_METRIC_PORT_ETA,
	    .value = KNOWN(59000),
	    .threshold = KNOWN(60000),
	    .lasted_usec = 9 * S },
	  "running-out cleared after 9s: port-eta 59s, rising above 1min." },
	/* Of a rule that is gone it is not known which way it fired. */
	{ "host",
	  { .kind = TW_EVENT_CLEARED,
	    .rule_name = "gone",
	    .has_metric = true,
	    .metric = TW_METRIC_PORT_ETA,
	    .value = KNOWN(90000),
	    .threshold = KNOWN(60000),
	    .lasted_usec = 9 * S },
	  "gone cleared after 9s: port-eta 1min 30s, above 1min." },
	{ "host",
	  { .kind = TW_EVENT_CLEARED, PORT_USE(50000, 25000), .lasted_usec = S, .reason = "the rule is gone" },
	  "port-exhaustion cleared after 1s: the rule is gone." },

	{ "host",
	  { .kind = TW_EVENT_ADVICE,
	    PORT_USE(47254, 45000),
	    REUSE(2, 1),
	    .reason = "mode = observe",
	    .advice = "sysctl -w net.ipv4.tcp_tw_reuse=1" },
	  "Observe mode: net.ipv4.tcp_tw_reuse would be set from 2 to 1 for port-exhaustion "
	  "(10.0.0.1 -> 10.0.0.2:8080); what to do: sysctl -w net.ipv4.tcp_tw_reuse=1" },
	{ "blue",
	  { .kind = TW_EVENT_ADVICE,
	    PORT_USE(47254, 45000),
	    REUSE(2, 1),
	    .elsewhere = true,
	    .advice = "sysctl -w net.ipv4.tcp_tw_reuse=1" },
	  "blue: No action in this namespace: net.ipv4.tcp_tw_reuse would be set from 2 to 1 for port-exhaustion "
	  "(10.0.0.1 -> 10.0.0.2:8080); what to do: sysctl -w net.ipv4.tcp_tw_reuse=1" },
	{ "host",
	  { .kind = TW_EVENT_ADJUSTED, PORT_USE(47254, 45000), REUSE(2, 1), .baseline = LIVE(2) },
	  "net.ipv4.tcp_tw_reuse set from 2 to 1 for port-exhaustion (10.0.0.1 -> 10.0.0.2:8080)." },
	{ "host",
	  { .kind = TW_EVENT_ADJUSTED,
	    .rule_name = "wide",
	    .has_sysctl = true,
	    .sysctl = TW_TUNABLE_PORT_RANGE,
	    .old = { .known = true, .value = { { 32768, 60999 } } },
	    .new = { .known = true, .value = { { 15000, 60999 } } } },
	  "net.ipv4.ip_local_port_range set from 32768 60999 to 15000 60999 for wide." },
	{ "host",
	  { .kind = TW_EVENT_RESTORED,
	    .rule_name = "port-exhaustion",
	    REUSE(1, 2),
	    .subject = { .has_destination = true, .destination = TO_8080 },
	    .reason = "no rule wants another value any more" },
	  "net.ipv4.tcp_tw_reuse put back from 1 to 2, as it was before port-exhaustion (10.0.0.1 -> 10.0.0.2:8080)." },
	{ "host",
	  { .kind = TW_EVENT_RESTORED, REUSE(1, 2) },
	  "net.ipv4.tcp_tw_reuse put back from 1 to 2, as it was before its rule." },
	{ "host",
	  { .kind = TW_EVENT_YIELDED,
	    .rule = &exhaustion,
	    REUSE(0, 1),
	    .baseline = LIVE(2),
	    .reason = "not said twice" },
	  "net.ipv4.tcp_tw_reuse was changed to 0 by somebody else (timewaitd had set 1, before that it was 2): left "
	  "alone until port-exhaustion clears." },
	{ "host",
	  { .kind = TW_EVENT_YIELDED, .rule_name = "port-exhaustion", REUSE(0, 1) },
	  "net.ipv4.tcp_tw_reuse was changed to 0 by somebody else (timewaitd had set 1, before that it was an unknown "
	  "value): left alone." },
	/* Of what is no tunable the reason says all. */
	{ "host",
	  { .kind = TW_EVENT_YIELDED, .rule_name = "wide", .reason = "somebody else set it" },
	  "Left alone: somebody else set it." },
	{ "host",
	  { .kind = TW_EVENT_RESTORED, .rule_name = "wide", .reason = "it is as it was" },
	  "Put back: it is as it was." },
	{ "host",
	  { .kind = TW_EVENT_REFUSED,
	    PORT_USE(47254, 45000),
	    REUSE(2, 1),
	    .reason = "net.ipv4.tcp_tw_reuse would do nothing: it needs net.ipv4.tcp_timestamps, which is 0 here",
	    .advice = "turn net.ipv4.tcp_timestamps on" },
	  "net.ipv4.tcp_tw_reuse was not set to 1 for port-exhaustion: net.ipv4.tcp_tw_reuse would do nothing: it "
	  "needs "
	  "net.ipv4.tcp_timestamps, which is 0 here. Instead: turn net.ipv4.tcp_timestamps on." },
	{ "host",
	  { .kind = TW_EVENT_REFUSED, .rule_name = "port-exhaustion", REUSE(2, 1), .reason = "it rests." },
	  "net.ipv4.tcp_tw_reuse was not set to 1 for port-exhaustion: it rests." },
	/* It is there all the same, for the sake of another alert. */
	{ "host",
	  { .kind = TW_EVENT_REFUSED,
	    .rule_name = "port-exhaustion",
	    REUSE(1, 1),
	    .reason = "4000 of 4000 ports are held by open connections",
	    .advice = "let the client pool" },
	  "net.ipv4.tcp_tw_reuse=1 does not help port-exhaustion: 4000 of 4000 ports are held by open connections. "
	  "Instead: let the client pool." },
	{ "host",
	  { .kind = TW_EVENT_REFUSED, .rule_name = "leak", .advice = "wait." },
	  "Nothing was done for leak. Instead: wait." },
	{ "host",
	  { .kind = TW_EVENT_EFFECT,
	    PORT_USE(12000, 45000),
	    REUSE(2, 1),
	    .reason = "5210 ports in TIME-WAIT were taken over by connections to 10.0.0.2:8080 in 30s" },
	  "net.ipv4.tcp_tw_reuse=1 helped: 5210 ports in TIME-WAIT were taken over by connections to 10.0.0.2:8080 in "
	  "30s." },
	{ "host",
	  { .kind = TW_EVENT_EFFECT,
	    PORT_USE(12000, 45000),
	    REUSE(2, 1),
	    .effect = TW_EFFECT_NOT_TESTED,
	    .reason = "0 ports in TIME-WAIT were taken over by connections to 10.0.0.2:8080 in 1s" },
	  "net.ipv4.tcp_tw_reuse=1 is not tested yet, and stays: 0 ports in TIME-WAIT were taken over by connections "
	  "to 10.0.0.2:8080 in 1s." },
	{ "host",
	  { .kind = TW_EVENT_EFFECT,
	    PORT_USE(12000, 45000),
	    REUSE(2, 1),
	    .effect = TW_EFFECT_NO_DIFFERENCE,
	    .reason = "0 ports in TIME-WAIT were taken over by connections to 10.0.0.2:8080 in 30s",
	    .advice = "it is put back and rests for 10min" },
	  "net.ipv4.tcp_tw_reuse=1 made no difference: 0 ports in TIME-WAIT were taken over by connections to "
	  "10.0.0.2:8080 in 30s; it is put back and rests for 10min." },
	{ "host",
	  { .kind = TW_EVENT_EFFECT,
	    .rule_name = "gone",
	    REUSE(2, 1),
	    .effect = TW_EFFECT_NO_DIFFERENCE,
	    .reason = "orphans 1 -> 1",
	    .advice = "it stays: the cooldown is 0." },
	  "net.ipv4.tcp_tw_reuse=1 made no difference: orphans 1 -> 1; it stays: the cooldown is 0." },
	{ "host", { .kind = TW_EVENT_EFFECT, .has_sysctl = true }, "net.ipv4.tcp_tw_reuse helped." },
	{ "host",
	  { .kind = TW_EVENT_DESTROYED,
	    .rule_name = "leak",
	    .subject.unit = "web.service",
	    .has_count = true,
	    .count = 1 },
	  "1 socket destroyed for leak (unit web.service)." },
	{ "host",
	  { .kind = TW_EVENT_DESTROYED, .rule_name = "leak", .count = 250 },
	  "250 sockets destroyed for leak." },
	{ "host",
	  { .kind = TW_EVENT_DESTROYED,
	    .rule_name = "leak",
	    .has_count = true,
	    .count = 2,
	    .reason = "CLOSE-WAIT older than 10min: the youngest for 11min, the oldest for 12min",
	    .advice = "restart web.service" },
	  "2 sockets destroyed for leak: CLOSE-WAIT older than 10min: the youngest for 11min, the oldest for 12min; "
	  "what to do: restart web.service" },
	{ "host",
	  { .kind = TW_EVENT_ADVICE,
	    .rule_name = "full",
	    .has_count = true,
	    .count = 250,
	    .reason = "TIME-WAIT older than 30s, at most 100 of them a second" },
	  "Observe mode: 250 sockets would be ended for full: TIME-WAIT older than 30s, at most 100 of them a "
	  "second." },
	{ "host",
	  { .kind = TW_EVENT_REFUSED,
	    .rule_name = "full",
	    .reason = "TIME-WAIT older than 30s is not ended: this kernel cannot" },
	  "Nothing was done for full: TIME-WAIT older than 30s is not ended: this kernel cannot." },

	{ "host",
	  { .kind = TW_EVENT_STRETCHED, .reason = "the budget is spent" },
	  "Measuring less often: the budget is spent." },
	{ "host",
	  { .kind = TW_EVENT_PARTIAL, .reason = "the table moved too much" },
	  "Measurement not complete: the table moved too much." },
	{ "host",
	  { .kind = TW_EVENT_DEGRADED, REUSE(1, 2), .reason = "cannot put it back" },
	  "Degraded: net.ipv4.tcp_tw_reuse: cannot put it back." },
	{ "host",
	  { .kind = TW_EVENT_DEGRADED, REUSE(1, 2), .reason = "cannot read net.ipv4.tcp_tw_reuse" },
	  "Degraded: cannot read net.ipv4.tcp_tw_reuse." },
	{ "blue", { .kind = TW_EVENT_NAMESPACE_NEW }, "Network namespace blue is there and watched from now on." },
	{ "host",
	  { .kind = TW_EVENT_REQUESTED, .reason = "observe mode, by user 0, process 41" },
	  "Asked over D-Bus: observe mode, by user 0, process 41." },
	{ "blue",
	  { .kind = TW_EVENT_NAMESPACE_GONE, .reason = "the configuration does not have it any more" },
	  "Network namespace blue is not watched any more: the configuration does not have it any more." },
};

static void test_sentences(void **state TW_UNUSED)
{
	char bytes[2048];

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_message_add(&text, cases[i].namespace, &cases[i].event);
		assert_string_equal(bytes, cases[i].sentence);
		assert_false(text.cut);
	}
}

static void test_every_kind_has_a_case(void **state TW_UNUSED)
{
	bool seen[TW_EVENT_COUNT] = { false };

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++)
		seen[cases[i].event.kind] = true;
	for (size_t i = 0; i < TW_EVENT_COUNT; i++)
		assert_true(seen[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_every_kind_has_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
