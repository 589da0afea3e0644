/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/status-text.h"

#include "ctl/live/status-namespaces.h"
#include "view-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char page[65536];
static const char *chosen; /* the namespace; NULL: all */

static const char *write_page(const char *json, const char *why_direct, unsigned width, unsigned rows)
{
	TW_CLEANUP_VIEW struct tw_view *view = view_of(json);
	struct tw_status_order order = { .view = view, .why_direct = why_direct, .rows = rows };
	struct tw_text text;
	struct tw_screen screen = { .text = &text, .width = width };

	assert_non_null(view);
	order.chosen = chosen ? tw_status_find(view, chosen) : NULL;
	tw_text_init(&text, page, sizeof(page));
	tw_status_add(&screen, &order);
	assert_false(text.cut);
	return page;
}

static void has(const char *words)
{
	if (!strstr(page, words))
		fail_msg("no '%s' in:\n%s", words, page);
}

static void has_not(const char *words)
{
	if (strstr(page, words))
		fail_msg("'%s' is in:\n%s", words, page);
}

static void test_page(TW_UNUSED void **state)
{
	write_page(VIEW(VIEW_NAMESPACE("host", VIEW_DESTINATIONS)), NULL, 80, 2);
	assert_memory_equal(page, "timewaitd 0.1.0, mode observe, running for 1min 30s\nRaised: 3 of 4 rules\n", 71);
	has("  ports error, clearing for 1min\n    it was bad\n    done: net.ipv4.tcp_tw_reuse 2 -> 1\n  young error");
	has("  small notice, raised for 15min\n    port-use is 47.2% (threshold 45%)\n");
	has("Changed:\n  net.ipv4.tcp_tw_reuse 2 -> 1, by ports\n");
	has("  net.ipv4.tcp_fin_timeout: yielded, somebody else has set it over our 30; it\n    was 60 before\n");
	has("  ESTABLISHED         12  TIME-WAIT         3866  CLOSE-WAIT           -\n");
	has("\nBusiest destinations (surveyed 42.7s ago)\n");
	has("  PORTS   USE  TIME-WAIT  ESTABLISHED  OTHER  FULL IN  FROM -> TO\n");
	has("    100  3.5%          7            -      -        -  10.0.0.1 -> 10.0.0.9:80\n");
	has("  and 1 more\n");
	has("          39  1min 11s            10  web.service\n");
	has("           2         -             -  unknown\n");
	has("Watching: gauge 0.2s ago (0.04 ms), census never (none yet)");
	has_not("quiet");
	has_not("namespace");
}

static void test_without_a_daemon(TW_UNUSED void **state)
{
	write_page("{\"namespaces\":[{\"name\":\"here\",\"destinations\":[]}]}", "No daemon", 80, 5);
	assert_memory_equal(page, "No daemon: measured just now by timewaitctl itself", 50);
	has("Raised: not known: no daemon\nChanged: not known: no daemon\nStates\n");
	has("Busiest destinations: none, no port is in use\n");
	has_not("Watching");
}

static void test_quiet(TW_UNUSED void **state)
{
	write_page(VIEW("{\"rules\":[{\"state\":\"normal\"}],\"changes\":[],\"partial\":true}"), NULL, 80, 5);
	has("Raised: nothing, of 1 rule\nChanged: nothing\nStates (measured in part");
	has("\nBusiest destinations: not known\n");
	write_page(VIEW("{\"destinations\":[],\"ages\":{\"survey\":3}}"), NULL, 80, 5);
	has("\nBusiest destinations (surveyed 3s ago): none, no port is in use\n");
}

static void test_namespaces(TW_UNUSED void **state)
{
	write_page(VIEW(VIEW_NAMESPACE("host", "") "," VIEW_NAMESPACE("blue", "")), NULL, 80, 5);
	has("\n\nNetwork namespace host\nRaised: 3");
	has("\n\nRaised in blue: 3 of 4 rules\n  ports error, clearing for 1min\n    it was bad\n    done: net.ipv4");
	has("\nNetwork namespaces (2)\n  RAISED    USE  ESTABLISHED  TIME-WAIT  CLOSE-WAIT  COUNTED AGO  NAME\n");
	has("       3  47.2%           12       3866           -            -  blue\n");
	has_not("Network namespace blue");
}

static void test_one_namespace(TW_UNUSED void **state)
{
	chosen = "blue";
	write_page(VIEW(VIEW_NAMESPACE("host", "") "," VIEW_NAMESPACE("blue", "")), NULL, 80, 5);
	chosen = NULL;
	has("\n\nNetwork namespace blue\nRaised: 3");
	has_not("host");
	has_not("RAISED");
}

/* Those with something raised first, then by ports, then by sockets; the rest is but counted. */
static void test_many_namespaces(TW_UNUSED void **state)
{
#define NAMED(name, more) "{\"name\":\"" name "\"" more "}"
	write_page(
		VIEW(NAMED("a", ",\"rules\":[]") "," NAMED("b", ",\"rules\":[],\"metrics\":{\"port-use\":3}") "," NAMED(
			"c",
			",\"rules\":[{\"name\":\"r\",\"state\":\"raised\"}],\"ages\":{\"census\":7}") "," NAMED("d",
														",\"rul"
														"es\":["
														"],"
														"\"stat"
														"es\":{"
														"\"list"
														"en\":"
														"1}") "," NAMED("e",
																"")),
		NULL, 80, 2);
	has("\nRaised in c: 1 of 1 rules\n");
	has("       1    -            -          -           -           7s  c\n"
	    "       0   3%            -          -           -            -  b\n"
	    "       0    -            -          -           -            -  d\n"
	    "       0    -            -          -           -            -  a\n"
	    "  and 1 more; --namespace NAME shows one\n");
}

static void test_no_line_is_longer(TW_UNUSED void **state)
{
	for (unsigned width = TW_TERMINAL_WIDTH_MIN; width < 140; width++) {
		const char *line = write_page(VIEW(VIEW_NAMESPACE("host", VIEW_DESTINATIONS)), NULL, width, 9);

		for (; *line != '\0'; line += strcspn(line, "\n") + 1)
			assert_in_range(strcspn(line, "\n"), 0, width);
		has("web.service");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_without_a_daemon),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_one_namespace),
		cmocka_unit_test(test_many_namespaces),
		cmocka_unit_test(test_no_line_is_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
