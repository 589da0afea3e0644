/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings-table.h"

static const struct row rows[] = {
	/* values of [daemon] */
	{ "mode", "[daemon]\nmode=Enforce\n", NULL, "a:2: mode = 'Enforce': expected enforce or observe\n", NULL },
	{ "interval", "[daemon]\ninterval=99ms\n", NULL, "a:2: interval = '99ms': " EXPECTED_SPAN("100ms", "1h"),
	  NULL },
	{ "interval too long", "[daemon]\ninterval=1h 1us\n", NULL,
	  "a:2: interval = '1h 1us': " EXPECTED_SPAN("100ms", "1h"), NULL },
	{ "interval is none", "[daemon]\ninterval=-1s\n", NULL, "a:2: interval = '-1s': " EXPECTED_SPAN("100ms", "1h"),
	  NULL },
	{ "survey", "[daemon]\nsurvey=25h\n", NULL, "a:2: survey = '25h': " EXPECTED_SPAN("100ms", "1d"), NULL },
	{ "cpu-budget", "[daemon]\ncpu-budget=0.09%\n", NULL,
	  "a:2: cpu-budget = '0.09%': expected a percentage from 0.1% to 100%\n", NULL },
	{ "cpu-budget too high", "[daemon]\ncpu-budget=100.1%\n", NULL,
	  "a:2: cpu-budget = '100.1%': expected a percentage from 0.1% to 100%\n", NULL },
	{ "cpu-budget without a unit", "[daemon]\ncpu-budget=1\n", NULL,
	  "a:2: cpu-budget = '1': expected a percentage from 0.1% to 100%\n", NULL },
	{ "namespaces with a slash", "[daemon]\nnamespaces=host a/b\n", NULL,
	  "a:2: namespaces = 'host a/b': expected host, all, or names of network namespaces as `ip netns` shows them, "
	  "without a slash\n",
	  NULL },
	{ "namespaces that are none", "[daemon]\nnamespaces=..\n", NULL,
	  "a:2: namespaces = '..': expected host, all, or names of network namespaces as `ip netns` shows them, "
	  "without a slash\n",
	  NULL },
	{ "namespaces with commas", "[daemon]\nnamespaces=host,web\n", NULL,
	  "a:2: namespaces = 'host,web': expected host, all, or names with a blank between them\n", NULL },
	{ "namespaces in capitals", "[daemon]\nnamespaces=web ALL\n", NULL,
	  "a:2: namespaces = 'web ALL': expected host, all, or names; did you mean 'all'?\n", NULL },
	{ "namespaces of a rule", RULE "namespaces=Host\n", NULL,
	  "a:5: namespaces = 'Host': expected host, all, or names; did you mean 'host'?\n", NULL },
	{ "top", "[daemon]\ntop=101\n", NULL, "a:2: top = '101': expected a number from 1 to 100\n", NULL },
	{ "top beyond 2^64", "[daemon]\ntop=18446744073709551617\n", NULL,
	  "a:2: top = '18446744073709551617': expected a number from 1 to 100\n", NULL },
	{ "proof-after", "[daemon]\nproof-after=500ms\n", NULL,
	  "a:2: proof-after = '500ms': " EXPECTED_SPAN("1s", "1h"), NULL },
	{ "allow-unsafe", "[daemon]\nallow-unsafe=maybe\n", NULL, "a:2: allow-unsafe = 'maybe': expected yes or no\n",
	  NULL },
	{ "max-changes", "[daemon]\nmax-changes=3601\n", NULL,
	  "a:2: max-changes = '3601': expected a number from 0 to 3600\n", NULL },
	/* values of [rule] */
	{ "metric", "[rule r]\nmetric=port-usage\nraise=x\nclear=x\n[rule s]\nmetric=port-uses\nraise=1\nclear=1\n",
	  NULL,
	  "a:2: metric = 'port-usage': expected a metric that timewaitd.conf(5) lists; did you mean 'port-use'?\n"
	  "a:6: metric = 'port-uses': expected a metric that timewaitd.conf(5) lists; did you mean 'port-use'?\n",
	  NULL },
	{ "severity", RULE "severity=warn\n", NULL,
	  "a:5: severity = 'warn': expected info, notice, warning, error or critical\n", NULL },
	{ "near metric",
	  "[rule r]\nmetric=close-wait-ages\nraise=9\nclear=1\n[rule s]\nmetric=accept-que\nraise=9%\nclear=1%\n"
	  "[rule t]\nmetric=port_eta\nraise=9s\nclear=10s\n",
	  NULL,
	  "a:2: metric = 'close-wait-ages': expected a metric that timewaitd.conf(5) lists; did you mean "
	  "'close-wait-age'?\n"
	  "a:6: metric = 'accept-que': expected a metric that timewaitd.conf(5) lists; did you mean 'accept-queue'?\n"
	  "a:10: metric = 'port_eta': expected a metric that timewaitd.conf(5) lists; did you mean 'port-eta'?\n",
	  NULL },
	{ "forecast",
	  PORT_RULE "forecast=15\nforecast=1\n[rule s]\nforecast=61min\nmetric=port-use\nraise=2%\n"
		    "clear=1%\n",
	  NULL,
	  "a:6: 'forecast' again in [rule r]; it stands in line 5 already\n"
	  "a:8: forecast = '61min': " EXPECTED_SPAN("0", "1h"),
	  NULL },
	{ "gate and proof", RULE "gate=maybe\nproof=2\n", NULL,
	  "a:5: gate = 'maybe': expected yes or no\na:6: proof = '2': expected yes or no\n", NULL },
	{ "gate and proof without a value", RULE "gate=\nproof= ; yes\n", NULL,
	  "a:5: 'gate' has no value; expected KEY = VALUE\na:6: 'proof' has no value; expected KEY = VALUE\n", NULL },
	{ "gate and proof twice", RULE "gate=no\nproof=no\nproof=no\ngate=no\n", NULL,
	  "a:7: 'proof' again in [rule r]; it stands in line 6 already\n"
	  "a:8: 'gate' again in [rule r]; it stands in line 5 already\n",
	  NULL },
	/* set */
	{ "no sysctl", RULE "set=net.ipv4.tcp_tw_reuse\n", NULL,
	  "a:5: set = 'net.ipv4.tcp_tw_reuse': expected SYSCTL=VALUE, such as net.ipv4.tcp_tw_reuse=1\n", NULL },
	{ "near sysctl", RULE "set=net.ipv4.tcp_tw_resue=1\nset=tcp_fin_timeout=30\nset=vm.swappiness=1\nset==1\n",
	  NULL,
	  "a:5: set = 'net.ipv4.tcp_tw_resue=1': timewaitd knows no sysctl 'net.ipv4.tcp_tw_resue'; did you mean "
	  "'net.ipv4.tcp_tw_reuse'?\n"
	  "a:6: set = 'tcp_fin_timeout=30': timewaitd knows no sysctl 'tcp_fin_timeout'; did you mean "
	  "'net.ipv4.tcp_fin_timeout'?\n"
	  "a:7: set = 'vm.swappiness=1': timewaitd knows no sysctl 'vm.swappiness'\n"
	  "a:8: set = '=1': timewaitd knows no sysctl ''\n",
	  NULL },
	{ "bounds",
	  RULE "set=net.ipv4.tcp_tw_reuse=3\nset=net.ipv4.tcp_tw_reuse=-1\nset=net.ipv4.tcp_tw_reuse=\n"
	       "set=net.ipv4.tcp_tw_reuse=1 2\n",
	  NULL,
	  "a:5: set = 'net.ipv4.tcp_tw_reuse=3': net.ipv4.tcp_tw_reuse takes a number from 0 to 2\n"
	  "a:6: set = 'net.ipv4.tcp_tw_reuse=-1': net.ipv4.tcp_tw_reuse takes a number from 0 to 2\n"
	  "a:7: set = 'net.ipv4.tcp_tw_reuse=': net.ipv4.tcp_tw_reuse takes a number from 0 to 2\n"
	  "a:8: set = 'net.ipv4.tcp_tw_reuse=1 2': net.ipv4.tcp_tw_reuse takes a number from 0 to 2\n",
	  NULL },
	{ "sysctl twice", RULE "set=net.ipv4.tcp_tw_reuse=1\nset=net/ipv4/tcp_tw_reuse = 2\n", NULL,
	  "a:6: set = 'net/ipv4/tcp_tw_reuse = 2': the rule sets net.ipv4.tcp_tw_reuse already\n", NULL },
	{ "too many actions",
	  RULE "set=net.ipv4.tcp_tw_reuse=1\nset=net.ipv4.tcp_fin_timeout=30\nset=net.ipv4.tcp_syncookies=1\n"
	       "set=net.ipv4.tcp_timestamps=1\nset=net.ipv4.tcp_rfc1337=1\nset=net.ipv4.tcp_synack_retries=3\n"
	       "set=net.ipv4.tcp_keepalive_time=600\nset=net.ipv4.tcp_keepalive_probes=3\n"
	       "set=net.ipv4.tcp_keepalive_intvl=10\n",
	  NULL, "a:13: set = 'net.ipv4.tcp_keepalive_intvl=10': a rule takes at most 8 actions\n", NULL },
	/* what is accepted */
	{ "lowest of [daemon]",
	  "[daemon]\nmode=observe\ninterval=100ms\ncensus=100ms\nsurvey=100ms\ncpu-budget=0.1%\nnamespaces=host\n"
	  "top=1\nsample-record=0\nproof-after=1s\nallow-unsafe=yes\nmax-changes=0\n",
	  NULL, "",
	  "daemon: mode=1 interval=100ms census=100ms survey=100ms cpu-budget=0.1 top=1 sample-record=0 "
	  "proof-after=1s allow-unsafe=1 max-changes=0\n" },
	{ "highest of [daemon]",
	  "[daemon]\nmode=enforce\ninterval=1h\ncensus=1h\nsurvey=1d\ncpu-budget=100%\ntop=100\n"
	  "sample-record=4w\nproof-after=1h\nallow-unsafe=no\nmax-changes=3600\n",
	  NULL, "",
	  "daemon: interval=1h census=1h survey=1d cpu-budget=100 top=100 sample-record=4w proof-after=1h "
	  "max-changes=3600\n" },
	{ "blanks and comments", "[ daemon ] ; x\ninterval\t=  1min 30s\t; census=1s\ntop=7;x=1\n", NULL,
	  "a:3: top = '7;x=1': expected a number from 1 to 100\n", NULL },
	{ "every key of a rule",
	  "[rule a.b-c_D9]\nset = net.ipv4.tcp_tw_reuse = 1 ; x\ncooldown=1s\nremind=0\nseverity=critical\n"
	  "proof=no\ngate=no\ndestination=10.0.0.2\nforecast=15s\nclear-for=0\nraise-for=2h\nclear=0%\nraise=100%"
	  "\nmetric=port-use\n",
	  NULL, "",
	  "daemon:\na.b-c_D9: port-use 100 0 raise-for=2h clear-for=0 forecast=15s remind=0 cooldown=1s "
	  "severity=critical destination=10.0.0.2:0 gate=0 proof=0 net.ipv4.tcp_tw_reuse=1\n" },
	{ "gate and proof are on", RULE "gate=yes\nproof=on\n[rule s]\nmetric=bound\nraise=9\nclear=1\n", NULL, "",
	  "daemon:\nr: time-wait 9 1\ns: bound 9 1\n" },
	{ "namespaces",
	  "[daemon]\nnamespaces = host  web-* ; x\n" RULE "namespaces=all\n[rule s]\nmetric=bound\nraise=9\n"
	  "clear=1\nnamespaces=web-1\n",
	  NULL, "",
	  "daemon: namespaces=host  web-*\nr: time-wait 9 1 namespaces=all\ns: bound 9 1 namespaces=web-1\n" },
	{ "gate is off", RULE "gate=no\n", NULL, "", "daemon:\nr: time-wait 9 1 gate=0\n" },
	{ "proof is off", RULE "proof = false ; x\n", NULL, "", "daemon:\nr: time-wait 9 1 proof=0\n" },
	{ "a long name", "[rule\t" FORTY "0123]\nmetric=bound\nraise=1\nclear=0\n", NULL, "",
	  "daemon:\n" FORTY "0123: bound 1 0\n" },
	{ "every unit",
	  "[rule a]\nmetric=port-eta\nraise=30s\nclear=1min\n[rule b]\nmetric=accept-queue\nraise=0.5%\nclear=0%\n"
	  "[rule c]\nmetric=close-wait-age\nraise=1h\nclear=1500ms\n"
	  "[rule d]\nmetric=close-wait-aged\nage=1s\nraise=100\nclear=20\n"
	  "[rule e]\nmetric=listen-drop\nraise=2.5/s\nclear=0/s\n",
	  NULL, "",
	  "daemon:\na: port-eta 30 60\nb: accept-queue 0.5 0\nc: close-wait-age 3600 1.5\n"
	  "d: close-wait-aged 100 20 age=1s\ne: listen-drop 2.5 0\n" },
	{ "sysctls", RULE "set=net.ipv4.ip_autobind_reuse = 1\nset=net/ipv4/tcp_fin_timeout=30\n", NULL, "",
	  "daemon:\nr: time-wait 9 1 net.ipv4.ip_autobind_reuse=1 net.ipv4.tcp_fin_timeout=30\n" },
	/* advice alone by now: whatever it says, it is skipped, and the rest holds */
	{ "range", RULE "set=net.ipv4.ip_local_port_range = 32768 60999\nset=net/ipv4/tcp_fin_timeout=30\n", NULL, "",
	  "daemon:\nr: time-wait 9 1 net.ipv4.tcp_fin_timeout=30\nskipped: net.ipv4.ip_local_port_range of r, a:5\n" },
	{ "range of a drop-in", RULE, "[rule r]\nset=net.ipv4.ip_local_port_range=16384-60999\n", "",
	  "daemon:\nr: time-wait 9 1\nskipped: net.ipv4.ip_local_port_range of r, b:2\n" },
	{ "range that a drop-in replaces", RULE "set=net.ipv4.ip_local_port_range=16384 60999\n",
	  "[rule r]\nset=net.ipv4.tcp_fin_timeout=30\n", "",
	  "daemon:\nr: time-wait 9 1 net.ipv4.tcp_fin_timeout=30\n" },
	{ "range twice", RULE "set=net.ipv4.ip_local_port_range=1 2\nset=net.ipv4.ip_local_port_range=3 4\n", NULL,
	  "a:6: set = 'net.ipv4.ip_local_port_range=3 4': the rule sets net.ipv4.ip_local_port_range already\n", NULL },
};

static void test_keys(void **state TW_UNUSED)
{
	static const char *const daemon[] = { "mode",	     "interval",     "census",	   "survey",
					      "cpu-budget",  "namespaces",   "top",	   "sample-record",
					      "proof-after", "allow-unsafe", "max-changes" };
	static const char *const rule[] = { "metric",	   "raise",    "clear",	    "age",	 "unit",
					    "destination", "listener", "raise-for", "clear-for", "forecast",
					    "severity",	   "remind",   "set",	    "step",	 "destroy",
					    "gate",	   "proof",    "cooldown",  "namespaces" };

	for (size_t i = 0; i < TW_ARRAY_SIZE(daemon); i++)
		assert_string_equal(tw_settings_key("daemon", i), daemon[i]);
	assert_null(tw_settings_key("daemon", TW_ARRAY_SIZE(daemon)));
	for (size_t i = 0; i < TW_ARRAY_SIZE(rule); i++)
		assert_string_equal(tw_settings_key("rule", i), rule[i]);
	assert_null(tw_settings_key("rule", TW_ARRAY_SIZE(rule)));
	assert_string_equal(tw_settings_key("destroy", 0), "allow");
	assert_null(tw_settings_key("destroy", 1));
	assert_null(tw_settings_key("steps", 0));
}

/* Every metric is taken by its name, in its unit. */
static void test_metrics(void **state TW_UNUSED)
{
	static struct tw_problems problems;
	static const char *const levels[] = {
		[TW_UNIT_SOCKETS] = "raise=9\nclear=1\n",
		[TW_UNIT_PERCENT] = "raise=9%\nclear=1%\n",
		[TW_UNIT_PER_SECOND] = "raise=9/s\nclear=1/s\n",
		[TW_UNIT_SECONDS] = "raise=9s\nclear=1s\n",
	};
	static const char falling[] = "raise=1s\nclear=9s\n"; /* for port-eta, which is watched for a fall */

	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		const struct tw_metric_info *info = tw_metric_info((enum tw_metric)i);
		struct tw_settings *settings = tw_settings_new_empty();
		bool upward = i != TW_METRIC_PORT_ETA;
		char text[200];
		struct tw_text out;

		tw_text_init(&out, text, sizeof(text));
		tw_text_addf(&out, "[rule r]\nmetric = %s\n%s", info->name, upward ? levels[info->unit] : falling);
		read_texts(text, NULL, settings, &problems);
		assert_int_equal(problems.count, 0);
		assert_int_equal(settings->rule_count, 1);
		assert_int_equal(settings->rules[0].metric, i);
		assert_int_equal(settings->rules[0].raise_milli, upward ? 9000 : 1000);
		assert_int_equal(settings->rules[0].clear_milli, upward ? 1000 : 9000);
		assert_null(tw_settings_free(settings));
	}
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_keys),
	cmocka_unit_test(test_metrics),
};

int main(void)
{
	return run_rows("settings-keys", rows, TW_ARRAY_SIZE(rows), others, TW_ARRAY_SIZE(others));
}
