/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings-table.h"

static const struct row rows[] = {
	/* sections */
	{ "rule without a key", "[daemon]\n[rule empty]\n", NULL,
	  "a:2: [rule empty] has no 'metric'; every rule needs one\n"
	  "a:2: [rule empty] has no 'raise'; every rule needs one\n"
	  "a:2: [rule empty] has no 'clear'; every rule needs one\n",
	  NULL },
	/* values of [daemon] */
	{ "spans below interval", "[daemon]\ncensus=2s\nsurvey=3s\nsample-record=4s\ninterval=10s\n", NULL,
	  "a:5: census (2s) is shorter than interval (10s); expected the interval or longer\n"
	  "a:5: survey (3s) is shorter than interval (10s); expected the interval or longer\n"
	  "a:5: sample-record (4s) is shorter than interval (10s); expected the interval or longer\n",
	  NULL },
	{ "census below interval", "[daemon]\ncensus=500ms\n", NULL,
	  "a:2: census (500ms) is shorter than interval (1s); expected the interval or longer\n", NULL },
	{ "no second problem of a bad interval", "[daemon]\ninterval=0\ncensus=500ms\n", NULL,
	  "a:2: interval = '0': " EXPECTED_SPAN("100ms", "1h"), NULL },
	/* values of [rule] */
	{ "levels by unit",
	  "[rule a]\nraise=45\nclear=25%\nmetric=port-use\n[rule b]\nmetric=reset\nraise=1\nclear=0/s\n"
	  "[rule c]\nmetric=port-eta\nraise=10%\nclear=1min\n[rule d]\nmetric=close-wait\nraise=10s\nclear=-1\n",
	  NULL,
	  "a:2: raise = '45': expected a percentage from 0% to 100% such as 45%, for the metric is port-use\n"
	  "a:7: raise = '1': expected a rate such as 1/s, for the metric is reset\n"
	  "a:11: raise = '10%': expected a time span such as 30s, for the metric is port-eta\n"
	  "a:15: raise = '10s': expected a number of sockets such as 100, for the metric is close-wait\n"
	  "a:16: clear = '-1': expected a number of sockets such as 100, for the metric is close-wait\n",
	  NULL },
	{ "beyond 100%", "[rule r]\nmetric=port-use\nraise=100.001%\nclear=100%\n", NULL,
	  "a:3: raise = '100.001%': expected a percentage from 0% to 100% such as 45%, for the metric is port-use\n",
	  NULL },
	{ "equal levels", "[rule r]\nmetric=orphans\nclear=20%\nraise=20.0%\n", NULL,
	  "a:4: raise and clear of [rule r] are equal; expected clear below raise, or above it for a rule that "
	  "watches for a fall\n",
	  NULL },
	{ "forecast", RULE "forecast=15s\n", NULL,
	  "a:5: 'forecast' in [rule r] works with metric port-use only, not with time-wait\n", NULL },
	{ "age", PORT_RULE "age=15s\n", NULL,
	  "a:5: 'age' in [rule r] works with metric close-wait-aged only, not with port-use\n", NULL },
	{ "unit", PORT_RULE "unit=web.service\n", NULL,
	  "a:5: 'unit' in [rule r] works with metric close-wait, close-wait-age or close-wait-aged only, not with "
	  "port-use\n",
	  NULL },
	{ "destination", RULE "destination=10.0.0.2\n", NULL,
	  "a:5: 'destination' in [rule r] works with metric port-use or port-eta only, not with time-wait\n", NULL },
	{ "listener", RULE "listener=*:80\n", NULL,
	  "a:5: 'listener' in [rule r] works with metric accept-queue only, not with time-wait\n", NULL },
	{ "forecast of the wrong metric",
	  "[rule r]\nforecast=1s\nraise=1min\nclear=2min\nmetric=port-eta\n[rule s]\nforecast=1s\nraise=2%\nclear=1%\n"
	  "metric=accept-queue\n",
	  NULL,
	  "a:5: 'forecast' in [rule r] works with metric port-use only, not with port-eta\n"
	  "a:10: 'forecast' in [rule s] works with metric port-use only, not with accept-queue\n",
	  NULL },
	{ "every companion", RULE "age=1min\nunit=a.b\ndestination=::1\nlistener=*:1\nforecast=1s\n", NULL,
	  "a:5: 'age' in [rule r] works with metric close-wait-aged only, not with time-wait\n"
	  "a:6: 'unit' in [rule r] works with metric close-wait, close-wait-age or close-wait-aged only, not with "
	  "time-wait\n"
	  "a:7: 'destination' in [rule r] works with metric port-use or port-eta only, not with time-wait\n"
	  "a:8: 'listener' in [rule r] works with metric accept-queue only, not with time-wait\n"
	  "a:9: 'forecast' in [rule r] works with metric port-use only, not with time-wait\n",
	  NULL },
	{ "no second problem of a bad companion", RULE "unit=x y\ndestination=x\nlistener=*\nage=x\n", NULL,
	  "a:5: unit = 'x y': expected the whole name of a systemd unit such as web.service\n"
	  "a:6: destination = 'x': expected an address, with a port or without one, such as 10.0.0.2:443 or "
	  "[2001:db8::2]:443\n"
	  "a:7: listener = '*': expected ADDRESS:PORT or *:PORT, such as 10.0.0.1:80, [2001:db8::1]:80 or *:80\n"
	  "a:8: age = 'x': " EXPECTED_SPAN("1s", "4w"),
	  NULL },
	{ "no second problem of a bad forecast", RULE "forecast=x\n", NULL,
	  "a:5: forecast = 'x': " EXPECTED_SPAN("0", "1h"), NULL },
	{ "no second problem of a bad metric", "[rule r]\nmetric=x\nraise=1\nclear=0\nunit=a.b\nforecast=1s\n", NULL,
	  "a:2: metric = 'x': expected a metric that timewaitd.conf(5) lists\n", NULL },
	{ "port-eta rising", "[rule r]\nmetric=port-eta\nclear=10s\nraise=1min\n", NULL,
	  "a:4: raise is above clear in [rule r]; expected it below, for port-eta is watched for a fall\n", NULL },
	{ "port-eta equal", "[rule r]\nmetric=port-eta\nclear=60s\nraise=1min\n", NULL,
	  "a:4: raise and clear of [rule r] are equal; expected clear below raise, or above it for a rule that "
	  "watches for a fall\n",
	  NULL },
	{ "unsafe", RULE "set=net.ipv4.tcp_tw_recycle=1\n", NULL,
	  "a:5: net.ipv4.tcp_tw_recycle is not safe: it dropped the connections of clients behind NAT, and Linux 4.12 "
	  "removed it; it takes 'allow-unsafe = yes' in [daemon]\n",
	  NULL },
	{ "unsafe allowed later", RULE "set=net.ipv4.tcp_tw_recycle=1\n", "[daemon]\nallow-unsafe=yes\n", "", NULL },
	/* more than one text */
	{ "order", "[rule a]\nmetric=x\n[rule b]\n", "top=1\n[rule a]\nraise=1\nage=x\nclear=1\n",
	  "a:2: metric = 'x': expected a metric that timewaitd.conf(5) lists\n"
	  "a:3: [rule b] has no 'metric'; every rule needs one\n"
	  "a:3: [rule b] has no 'raise'; every rule needs one\n"
	  "a:3: [rule b] has no 'clear'; every rule needs one\n"
	  "b:1: 'top' stands before any section; expected [daemon], [destroy] or [rule NAME] first\n"
	  "b:4: age = 'x': " EXPECTED_SPAN("1s", "4w"),
	  NULL },
	{ "a metric that does not fit", PORT_RULE, "[rule r]\nmetric=time-wait\nclear=1\n",
	  "a:3: raise = '45%': expected a number of sockets such as 100, for the metric is time-wait\n", NULL },
	{ "equal by override", PORT_RULE, "[rule r]\nraise=25%\n",
	  "b:2: raise and clear of [rule r] are equal; expected clear below raise, or above it for a rule that "
	  "watches for a fall\n",
	  NULL },
	{ "forecast by override", PORT_RULE "forecast=15s\n", "[rule r]\nmetric=orphans\n",
	  "b:2: 'forecast' in [rule r] works with metric port-use only, not with orphans\n", NULL },
	{ "unit by override", "[rule r]\nmetric=close-wait\nraise=9\nclear=1\nunit=web.service\n",
	  "[rule r]\nmetric=established\n",
	  "b:2: 'unit' in [rule r] works with metric close-wait, close-wait-age or close-wait-aged only, not with "
	  "established\n",
	  NULL },
	{ "port-eta rising by override", "[rule r]\nmetric=close-wait-age\nraise=2min\nclear=1min\n",
	  "[rule r]\nmetric=port-eta\n",
	  "b:2: raise is above clear in [rule r]; expected it below, for port-eta is watched for a fall\n", NULL },
	{ "interval by override", "[daemon]\ncensus=2s\n", "[daemon]\ninterval=3s\n",
	  "b:2: census (2s) is shorter than interval (3s); expected the interval or longer\n", NULL },
	/* what comes of it */
	{ "what is left out follows interval", "[daemon]\ninterval=10min\n", NULL, "",
	  "daemon: interval=10min census=10min survey=10min sample-record=10min\n" },
	{ "no record stays none", "[daemon]\ninterval=10min\nsample-record=0\n", NULL, "",
	  "daemon: interval=10min census=10min survey=10min sample-record=0\n" },
	{ "a drop-in changes keys and adds rules",
	  "[daemon]\ntop=5\ncensus=6s\n" PORT_RULE "set=net.ipv4.tcp_tw_reuse=1\n",
	  "[rule s]\nmetric=orphans\nraise=50%\nclear=20%\n[rule r]\nclear=30%\nseverity=error\n[daemon]\ntop=6\n", "",
	  "daemon: census=6s top=6\nr: port-use 45 30 severity=error net.ipv4.tcp_tw_reuse=1\n"
	  "s: orphans 50 20\n" },
	{ "a drop-in's set replaces", RULE "set=net.ipv4.tcp_tw_reuse=1\nset=net.ipv4.tcp_fin_timeout=30\n",
	  "[rule r]\nset=net.ipv4.tcp_fin_timeout=20\nset=net.ipv4.tcp_rfc1337=1\n", "",
	  "daemon:\nr: time-wait 9 1 net.ipv4.tcp_fin_timeout=20 net.ipv4.tcp_rfc1337=1\n" },
	{ "a drop-in changes metric and levels", PORT_RULE, "[rule r]\nmetric=reset\nraise=5/s\nclear=1/s\n", "",
	  "daemon:\nr: reset 5 1\n" },
	{ "a level that fits both", RULE, "[rule r]\nmetric=fin-wait-2\n", "", "daemon:\nr: fin-wait-2 9 1\n" },
	{ "a drop-in narrows a rule down", "[rule r]\nmetric=close-wait\nraise=9\nclear=1\nunit=web.service\ngate=no\n",
	  "[rule r]\nunit=db.service\nproof=no\nmetric=close-wait-aged\nage=2min\n", "",
	  "daemon:\nr: close-wait-aged 9 1 age=2min unit=db.service gate=0 proof=0\n" },
	{ "a drop-in takes a forecast away", PORT_RULE "forecast=15s\n", "[rule r]\nmetric=orphans\nforecast=0\n", "",
	  "daemon:\nr: orphans 45 25\n" },
	{ "falls are watched for", "[rule r]\nmetric=port-eta\nraise=30s\nclear=31s\n", NULL, "",
	  "daemon:\nr: port-eta 30 31\n" },
	{ "no forecast", RULE "forecast=0\n", NULL, "", "daemon:\nr: time-wait 9 1\n" },
};

/* A rule that is built in, as a lone drop-in finds it. */
static struct tw_settings *preset(void)
{
	struct tw_settings *settings = tw_settings_new_empty();

	assert_non_null(settings);
	tw_rule_settings_init(&settings->rules[0]);
	(void)tw_text_copy(settings->rules[0].name, sizeof(settings->rules[0].name), "r");
	settings->rules[0].metric = TW_METRIC_PORT_USE;
	settings->rules[0].raise_milli = 45000;
	settings->rules[0].clear_milli = 25000;
	settings->rules[0].forecast_usec = 15 * TW_USEC_PER_SEC;
	settings->rules[0].action_count = 1;
	settings->rules[0].actions[0] = (struct tw_action){ .tunable = TW_TUNABLE_TW_REUSE, .value = { { 1, 0 } } };
	settings->rule_count = 1;
	return settings;
}

static void check_preset(const char *drop_in, const char *expected)
{
	static struct tw_problems problems;
	struct tw_settings *settings = preset(), *usual = tw_settings_new_empty();
	char bytes[2000];
	struct tw_text text;

	read_texts(drop_in, NULL, settings, &problems);
	tw_text_init(&text, bytes, sizeof(bytes));
	render_problems(&text, &problems);
	if (problems.count == 0)
		render_settings(&text, settings, usual);
	assert_string_equal(bytes, expected);
	assert_null(tw_settings_free(settings));
	assert_null(tw_settings_free(usual));
}

static void test_preset(void **state TW_UNUSED)
{
	check_preset("", "daemon:\nr: port-use 45 25 forecast=15s net.ipv4.tcp_tw_reuse=1\n");
	check_preset("[rule r]\nforecast=0\ndestination=10.0.0.2\n",
		     "daemon:\nr: port-use 45 25 destination=10.0.0.2:0 net.ipv4.tcp_tw_reuse=1\n");
	check_preset("[rule r]\nmetric=orphans\n",
		     "a:2: the built-in 'forecast' in [rule r] works with metric port-use "
		     "only, not with orphans\n");
	check_preset("[rule r]\nraise=60%\n", "daemon:\nr: port-use 60 25 forecast=15s net.ipv4.tcp_tw_reuse=1\n");
	check_preset("[rule r]\nset=net.ipv4.tcp_fin_timeout=30\n",
		     "daemon:\nr: port-use 45 25 forecast=15s net.ipv4.tcp_fin_timeout=30\n");
	check_preset("[rule r]\nmetric=orphans\nforecast=0\n", "daemon:\nr: orphans 45 25 net.ipv4.tcp_tw_reuse=1\n");
	check_preset("[rule r]\nraise=25%\n",
		     "a:2: raise and clear of [rule r] are equal; expected clear below raise, or above it for a rule "
		     "that watches for a fall\n");
	check_preset(
		"[rule r]\nraise=9\nforecast=0\nmetric=time-wait\n",
		"a:4: metric = 'time-wait' does not fit the built-in 'clear' of [rule r]; give 'clear' as a number "
		"of sockets such as 100\n");
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_preset),
};

int main(void)
{
	return run_rows("settings-check", rows, TW_ARRAY_SIZE(rows), others, TW_ARRAY_SIZE(others));
}
