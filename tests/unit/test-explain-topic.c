/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-topic.h"

#include "base/macros.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tw_settings *settings;

static int set_up(TW_UNUSED void **state)
{
	settings = tw_settings_new();
	assert_non_null(settings);
	/* Two more: one that is called as a sysctl is, one whose letters count. */
	for (unsigned i = 0; i < 2; i++) {
		struct tw_rule_settings *rule = &settings->rules[settings->rule_count++];

		tw_rule_settings_init(rule);
		(void)tw_text_copy(rule->name, sizeof(rule->name), i == 0 ? "somaxconn" : "My_Rule");
	}
	return 0;
}

static int tear_down(TW_UNUSED void **state)
{
	settings = tw_settings_free(settings);
	return 0;
}

static void test_find(TW_UNUSED void **state)
{
	static const struct {
		const char *word;
		enum tw_topic_kind kind;
		const char *name;
	} rows[] = {
		{ "time-wait", TW_TOPIC_METRIC, "time-wait" },
		{ "TIME-WAIT", TW_TOPIC_METRIC, "time-wait" },
		{ "TIME_WAIT", TW_TOPIC_METRIC, "time-wait" },
		{ "FIN_WAIT2", TW_TOPIC_METRIC, "fin-wait-2" },
		{ "ESTAB", TW_TOPIC_METRIC, "established" },
		{ "SYN-RCVD", TW_TOPIC_METRIC, "syn-recv" },
		{ "bound", TW_TOPIC_METRIC, "bound" },
		{ "port-use", TW_TOPIC_METRIC, "port-use" },
		{ "port_use", TW_TOPIC_METRIC, "port-use" },
		{ "tcp_tw_reuse", TW_TOPIC_TUNABLE, "net.ipv4.tcp_tw_reuse" },
		{ "net.ipv4.tcp_fin_timeout", TW_TOPIC_TUNABLE, "net.ipv4.tcp_fin_timeout" },
		{ "net/ipv4/tcp_fin_timeout", TW_TOPIC_TUNABLE, "net.ipv4.tcp_fin_timeout" },
		{ "tcp-tw-recycle", TW_TOPIC_TUNABLE, "net.ipv4.tcp_tw_recycle" },
		{ "somaxconn", TW_TOPIC_TUNABLE, "net.core.somaxconn" },
		{ "port-exhaustion", TW_TOPIC_RULE, "port-exhaustion" },
		{ "My_Rule", TW_TOPIC_RULE, "My_Rule" },
		/* A rule, too. */
		{ "accept-queue", TW_TOPIC_METRIC, "accept-queue" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_topic topic;
		const char *near = "untouched";

		if (!tw_topic_find(rows[i].word, settings, &topic, &near))
			fail_msg("'%s' is not found", rows[i].word);
		if (topic.kind != rows[i].kind || strcmp(tw_topic_name(&topic), rows[i].name) != 0)
			fail_msg("'%s' is '%s'", rows[i].word, tw_topic_name(&topic));
		assert_null(near);
	}
}

static void test_near(TW_UNUSED void **state)
{
	static const struct {
		const char *word;
		const char *near;
	} rows[] = {
		{ "time-wat", "time-wait" },
		{ "TIME_WAT", "time-wait" },
		{ "tcp_tw_reuze", "tcp_tw_reuse" },
		{ "net.ipv4.tcp_fin_timeot", "net.ipv4.tcp_fin_timeout" },
		{ "port-exhaustoin", "port-exhaustion" },
		{ "my_rule", "My_Rule" },
		{ "closed", NULL },
		{ "", NULL },
		{ "-", NULL },
		{ "net.ipv4.", NULL },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789", NULL },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_topic topic;
		const char *near;

		if (tw_topic_find(rows[i].word, settings, &topic, &near))
			fail_msg("'%s' is found", rows[i].word);
		if (!near != !rows[i].near || (near && strcmp(near, rows[i].near) != 0))
			fail_msg("'%s' is near '%s'", rows[i].word, near ? near : "nothing");
	}
}

/* Each name that the program uses itself can be asked for. */
static void test_every_name(TW_UNUSED void **state)
{
	struct tw_topic topic;
	const char *near;

	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		assert_true(tw_topic_find(tw_metric_info((enum tw_metric)i)->name, settings, &topic, &near));
		assert_int_equal(topic.kind, TW_TOPIC_METRIC);
		assert_int_equal(topic.metric, i);
	}
	for (unsigned i = 0; i < TW_STATE_COUNT; i++) {
		assert_true(tw_topic_find(tw_state_title((enum tw_state)i), settings, &topic, &near));
		assert_int_equal(topic.metric, TW_METRIC_OF_STATE(i));
	}
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		assert_true(tw_topic_find(tw_tunable_info((enum tw_tunable)i)->key, settings, &topic, &near));
		assert_int_equal(topic.tunable, i);
		assert_true(tw_topic_find(tw_tunable_short_name((enum tw_tunable)i), settings, &topic, &near));
		assert_int_equal(topic.kind, TW_TOPIC_TUNABLE);
		assert_int_equal(topic.tunable, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_every_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
