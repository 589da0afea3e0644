/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/raised-text.h"

#include "view-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char page[65536];
static struct tw_text text;

static void begin(void)
{
	tw_text_init(&text, page, sizeof(page));
}

static void write_alerts(const char *json)
{
	TW_CLEANUP_VIEW struct tw_view *view = view_of(json);
	struct tw_screen screen = { .text = &text, .width = 80 };

	assert_non_null(view);
	begin();
	tw_raised_add(&screen, view);
}

static void test_none(TW_UNUSED void **state)
{
	static const char *const cases[] = {
		VIEW(""),
		VIEW("{}"),
		VIEW("{\"rules\":[{\"state\":\"rising\"}]}"),
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		TW_CLEANUP_VIEW struct tw_view *view = view_of(cases[i]);

		assert_int_equal(tw_raised_count(view), 0);
		write_alerts(cases[i]);
		assert_string_equal(page, "Nothing is raised.\n");
		begin();
		tw_raised_add_json(&text, view);
		assert_string_equal(page, "{\"alerts\":[]}\n");
	}
}

static void test_order(TW_UNUSED void **state)
{
	write_alerts(VIEW(VIEW_NAMESPACE("host", "")));
	assert_string_equal(page, "  ports error, clearing for 1min\n    it was bad\n"
				  "    done: net.ipv4.tcp_tw_reuse 2 -> 1\n"
				  "  young error, raised for 1s\n    it is bad\n"
				  "  small notice, raised for 15min\n    port-use is 47.2% (threshold 45%)\n");
}

static void test_namespaces(TW_UNUSED void **state)
{
	TW_CLEANUP_VIEW struct tw_view *view =
		view_of(VIEW(VIEW_NAMESPACE("host", "") ",{\"name\":\"calm\"}," VIEW_NAMESPACE("blue", "")));

	assert_int_equal(tw_raised_count(view), 6);
	write_alerts(VIEW(VIEW_NAMESPACE("host", "") ",{\"name\":\"calm\"}," VIEW_NAMESPACE("blue", "")));
	assert_memory_equal(page, "Network namespace host\n  ports", 30);
	assert_non_null(strstr(page, "Network namespace blue\n"));
	assert_null(strstr(page, "calm"));
}

static void test_json(TW_UNUSED void **state)
{
	TW_CLEANUP_VIEW struct tw_view *view = view_of(VIEW(VIEW_NAMESPACE("host", "")));
	static const char first[] = "{\"alerts\":[{\"namespace\":\"host\",\"rule\":\"ports\",\"metric\":null,"
				    "\"severity\":\"error\",\"state\":\"clearing\",\"since\":60,\"value\":null,"
				    "\"threshold\":null,\"finding\":\"it was bad\",\"changes\":[{\"sysctl\":"
				    "\"net.ipv4.tcp_tw_reuse\",\"baseline\":\"2\",\"value\":\"1\",\"owner\":\"ours\"},";

	begin();
	tw_raised_add_json(&text, view);
	assert_memory_equal(page, first, strlen(first));
}

static void test_events(TW_UNUSED void **state)
{
	const struct tw_remote_event event = {
		.event = "raised",
		.namespace = "host",
		.rule = "",
		.message = "Bad\033[31m \"news\"\n",
	};

	begin();
	tw_raised_add_event(&text, "2026-11-22 19:45:01", &event);
	assert_string_equal(page, "2026-11-22 19:45:01 raised: Bad?[31m \"news\"?\n");
	begin();
	tw_raised_add_event_json(&text, 1795376701, &event);
	assert_string_equal(page, "{\"time\":1795376701,\"event\":\"raised\",\"namespace\":\"host\",\"rule\":null,"
				  "\"message\":\"Bad\\u001b[31m \\\"news\\\"\\n\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none), cmocka_unit_test(test_order),  cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_json), cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
