/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings-table.h"

#define LEAK_RULE "[rule r]\nmetric=close-wait-age\nraise=9s\nclear=1s\n"
#define QUEUE_RULE "[rule r]\nmetric=accept-queue\nraise=9%\nclear=1%\n"

#define EXPECTED_UNIT "expected the whole name of a systemd unit such as web.service"
#define EXPECTED_DESTINATION \
	"expected an address, with a port or without one, such as 10.0.0.2:443 or [2001:db8::2]:443\n"
#define EXPECTED_LISTENER "expected ADDRESS:PORT or *:PORT, such as 10.0.0.1:80, [2001:db8::1]:80 or *:80\n"

static const struct row rows[] = {
	/* unit */
	{ "every metric of a unit",
	  LEAK_RULE "unit=web.service\n[rule s]\nunit=session-2.scope\nmetric=close-wait-aged\nraise=9\nclear=1\n"
		    "[rule t]\nunit=system.slice\nraise=9\nclear=1\nmetric=close-wait\n",
	  NULL, "",
	  "daemon:\nr: close-wait-age 9 1 unit=web.service\ns: close-wait-aged 9 1 unit=session-2.scope\n"
	  "t: close-wait 9 1 unit=system.slice\n" },
	{ "every character of a unit", LEAK_RULE "unit = a:B-9_c.d\\x2de@f.socket ; x\n", NULL, "",
	  "daemon:\nr: close-wait-age 9 1 unit=a:B-9_c.d\\x2de@f.socket\n" },
	{ "the longest unit", LEAK_RULE "unit=" FORTY FORTY FORTY FORTY TEN TEN "0.service123\n", NULL, "",
	  "daemon:\nr: close-wait-age 9 1 unit=" FORTY FORTY FORTY FORTY TEN TEN "0.service123\n" },
	{ "a unit without its type", LEAK_RULE "unit=nginx\n", NULL,
	  "a:5: unit = 'nginx': " EXPECTED_UNIT "; did you mean 'nginx.service'?\n", NULL },
	{ "a unit that ends in a dot", LEAK_RULE "unit=nginx.\n", NULL, "a:5: unit = 'nginx.': " EXPECTED_UNIT "\n",
	  NULL },
	{ "a unit that is a type", LEAK_RULE "unit=.service\n", NULL, "a:5: unit = '.service': " EXPECTED_UNIT "\n",
	  NULL },
	{ "two units", LEAK_RULE "unit=a.service b.service\n", NULL,
	  "a:5: unit = 'a.service b.service': " EXPECTED_UNIT "\n", NULL },
	{ "a unit's path", LEAK_RULE "unit=system.slice/web.service\n", NULL,
	  "a:5: unit = 'system.slice/web.service': " EXPECTED_UNIT "\n", NULL },
	{ "a pattern", LEAK_RULE "unit=web@*.service\n", NULL, "a:5: unit = 'web@*.service': " EXPECTED_UNIT "\n",
	  NULL },
	{ "a unit beyond ASCII",
	  LEAK_RULE "unit=w\xc3\xa4"
		    "b.service\n",
	  NULL,
	  "a:5: unit = 'w\xc3\xa4"
	  "b.service': " EXPECTED_UNIT "\n",
	  NULL },
	{ "a unit twice", LEAK_RULE "unit=a.service\nunit=b.service\n", NULL,
	  "a:6: 'unit' again in [rule r]; it stands in line 5 already\n", NULL },
	/* destination */
	{ "an address", PORT_RULE "destination=10.0.0.2\n", NULL, "",
	  "daemon:\nr: port-use 45 25 destination=10.0.0.2:0\n" },
	{ "an address with a port", PORT_RULE "destination=10.0.0.2:65535\n", NULL, "",
	  "daemon:\nr: port-use 45 25 destination=10.0.0.2:65535\n" },
	{ "an IPv6 address", PORT_RULE "destination=2001:db8::2\n", NULL, "",
	  "daemon:\nr: port-use 45 25 destination=[2001:db8::2]:0\n" },
	{ "an IPv6 address with a port", PORT_RULE "destination=[::1]:443\n", NULL, "",
	  "daemon:\nr: port-use 45 25 destination=[::1]:443\n" },
	{ "a mapped address", PORT_RULE "destination=[::ffff:10.0.0.2]:1\n", NULL, "",
	  "daemon:\nr: port-use 45 25 destination=10.0.0.2:1\n" },
	{ "port-eta of a destination", "[rule r]\nmetric=port-eta\nraise=9s\nclear=1min\ndestination=127.0.0.1\n", NULL,
	  "", "daemon:\nr: port-eta 9 60 destination=127.0.0.1:0\n" },
	{ "a later destination is whole", PORT_RULE "destination=10.0.0.2:443\n", "[rule r]\ndestination=10.0.0.3\n",
	  "", "daemon:\nr: port-use 45 25 destination=10.0.0.3:0\n" },
	{ "port 0", PORT_RULE "destination=10.0.0.2:0\n", NULL,
	  "a:5: destination = '10.0.0.2:0': " EXPECTED_DESTINATION, NULL },
	{ "a port too high", PORT_RULE "destination=10.0.0.2:65536\n", NULL,
	  "a:5: destination = '10.0.0.2:65536': " EXPECTED_DESTINATION, NULL },
	{ "a host's name", PORT_RULE "destination=db.example:5432\n", NULL,
	  "a:5: destination = 'db.example:5432': " EXPECTED_DESTINATION, NULL },
	{ "a network", PORT_RULE "destination=10.0.0.0/8\n", NULL,
	  "a:5: destination = '10.0.0.0/8': " EXPECTED_DESTINATION, NULL },
	{ "any destination", PORT_RULE "destination=*:443\n", NULL, "a:5: destination = '*:443': " EXPECTED_DESTINATION,
	  NULL },
	{ "no destination",
	  PORT_RULE "destination=0.0.0.0:443\n[rule s]\nmetric=port-use\nraise=2%\nclear=1%\n"
		    "destination=::\n",
	  NULL,
	  "a:5: destination = '0.0.0.0:443': " EXPECTED_DESTINATION "a:10: destination = '::': " EXPECTED_DESTINATION,
	  NULL },
	/* listener */
	{ "a listener", QUEUE_RULE "listener=10.0.0.1:80\n", NULL, "",
	  "daemon:\nr: accept-queue 9 1 listener=10.0.0.1:80\n" },
	{ "an IPv6 listener", QUEUE_RULE "listener = [2001:db8::1]:443 ; x\n", NULL, "",
	  "daemon:\nr: accept-queue 9 1 listener=[2001:db8::1]:443\n" },
	{ "any address", QUEUE_RULE "listener=*:65535\n", NULL, "",
	  "daemon:\nr: accept-queue 9 1 listener=[::]:65535\n" },
	{ "any address as such", QUEUE_RULE "listener=[::]:1\n", NULL, "",
	  "daemon:\nr: accept-queue 9 1 listener=[::]:1\n" },
	{ "any IPv4 address is any", QUEUE_RULE "listener=0.0.0.0:80\n", NULL, "",
	  "daemon:\nr: accept-queue 9 1 listener=[::]:80\n" },
	{ "a later listener is whole", QUEUE_RULE "listener=10.0.0.1:80\n", "[rule r]\nlistener=*:81\n", "",
	  "daemon:\nr: accept-queue 9 1 listener=[::]:81\n" },
	{ "no port", QUEUE_RULE "listener=10.0.0.1\n", NULL, "a:5: listener = '10.0.0.1': " EXPECTED_LISTENER, NULL },
	{ "no address", QUEUE_RULE "listener=:80\n", NULL, "a:5: listener = ':80': " EXPECTED_LISTENER, NULL },
	{ "a port alone", QUEUE_RULE "listener=80\n", NULL, "a:5: listener = '80': " EXPECTED_LISTENER, NULL },
	{ "a star alone", QUEUE_RULE "listener=*\n", NULL, "a:5: listener = '*': " EXPECTED_LISTENER, NULL },
	{ "a star without a port", QUEUE_RULE "listener=*:\n", NULL, "a:5: listener = '*:': " EXPECTED_LISTENER, NULL },
	{ "a star with port 0", QUEUE_RULE "listener=*:0\n", NULL, "a:5: listener = '*:0': " EXPECTED_LISTENER, NULL },
	{ "a star with a port too high", QUEUE_RULE "listener=*:65536\n", NULL,
	  "a:5: listener = '*:65536': " EXPECTED_LISTENER, NULL },
	{ "a star and a word", QUEUE_RULE "listener=*:80x\n", NULL, "a:5: listener = '*:80x': " EXPECTED_LISTENER,
	  NULL },
	{ "two stars", QUEUE_RULE "listener=*:*\n", NULL, "a:5: listener = '*:*': " EXPECTED_LISTENER, NULL },
	{ "IPv6 without brackets", QUEUE_RULE "listener=2001:db8::1:80\n", NULL,
	  "a:5: listener = '2001:db8::1:80': " EXPECTED_LISTENER, NULL },
	{ "a listener by name", QUEUE_RULE "listener=localhost:80\n", NULL,
	  "a:5: listener = 'localhost:80': " EXPECTED_LISTENER, NULL },
};

/* A value that is none leaves what was there. */
static void test_untouched(void **state TW_UNUSED)
{
	static struct tw_problems problems;
	struct tw_settings *settings = tw_settings_new_empty();

	assert_non_null(settings);
	read_texts(QUEUE_RULE "listener=10.0.0.1:80\n", "[rule r]\nlistener=*:0\n", settings, &problems);
	assert_int_equal(problems.count, 1);
	assert_true(tw_address_is_ipv4(&settings->rules[0].scope.listener));
	assert_int_equal(settings->rules[0].scope.listener_port, 80);
	assert_null(tw_settings_free(settings));
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_untouched),
};

int main(void)
{
	return run_rows("settings-scope", rows, TW_ARRAY_SIZE(rows), others, TW_ARRAY_SIZE(others));
}
