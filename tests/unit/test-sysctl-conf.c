/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/sysctl-conf.h"

#include "base/macros.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Each line as NUMBER KIND KEY VALUE, KIND being "=", "?=" (errors ignored), "-" or "!" (not understood). */
static const struct {
	const char *text;
	const char *lines;
} texts[] = {
	{ "", "" },
	{ "\n\n  \n", "" },
	{ "# a\n;b\n \t# c = d\n", "" },
	{ "a.b = 1", "1=a.b|1;" },
	{ "\n a.b=1 \n", "2=a.b|1;" },
	{ "a=\n", "1=a|;" },
	{ "a=b=c\n", "1=a|b=c;" },
	{ "a = 1 # no comment\n", "1=a|1 # no comment;" },
	{ "a\t=\t1 2\t3\r\n", "1=a|1 2\t3;" },
	{ "-a = 1\n", "1?=a|1;" },
	{ "- a = 1\n", "1?=a|1;" },
	{ "-a.b\n", "1-a.b;" },
	{ "a.b\n", "1!a.b;" },
	{ "-\n", "1!-;" },
	{ "= 1\n", "1!= 1;" },
	{ "-=1\n", "1!-=1;" },
	{ "a=1\n\nb\nc=2", "1=a|1;3!b;4=c|2;" },
};

static void add_line(struct tw_text *text, const struct tw_sysctl_line *line)
{
	tw_text_addf(text, "%u%s%.*s", line->number,
		     line->assigned   ? (line->ignore_errors ? "?=" : "=")
		     : line->excluded ? "-"
				      : "!",
		     (int)line->key_length, line->key);
	if (line->assigned)
		tw_text_addf(text, "|%.*s", (int)line->value_length, line->value);
	tw_text_add(text, ";");
}

static void test_lines(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(texts); i++) {
		char bytes[256];
		struct tw_text text;
		struct tw_sysctl_conf conf;
		struct tw_sysctl_line line;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_sysctl_conf_init(&conf, texts[i].text, strlen(texts[i].text));
		while (tw_sysctl_conf_next(&conf, &line))
			add_line(&text, &line);
		assert_string_equal(bytes, texts[i].lines);
	}
}

static void test_a_nul_ends_a_line(TW_UNUSED void **state)
{
	static const char text[] = "a=1\0b=2";
	struct tw_sysctl_conf conf;
	struct tw_sysctl_line line;

	tw_sysctl_conf_init(&conf, text, sizeof(text) - 1);
	assert_true(tw_sysctl_conf_next(&conf, &line));
	assert_int_equal(line.value_length, 1);
	assert_true(tw_sysctl_conf_next(&conf, &line));
	assert_int_equal(line.number, 2);
	assert_memory_equal(line.key, "b", 1);
	assert_false(tw_sysctl_conf_next(&conf, &line));
}

static const struct {
	const char *key, *path;
} keys[] = {
	{ "net.ipv4.tcp_tw_reuse", "net/ipv4/tcp_tw_reuse" },
	{ "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_tw_reuse" },
	{ "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding" },
	{ "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding" },
	{ "net.ipv4/tcp_tw_reuse", "net/ipv4.tcp_tw_reuse" },
	{ "/net//ipv4/./x/", "net/ipv4/x" },
	{ "plain", "plain" },
	{ "/", "" },
	{ "...", "" },
	{ "", "" },
};

static void test_keys(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(keys); i++) {
		char key[64];

		(void)tw_text_copy(key, sizeof(key), keys[i].key);
		tw_sysctl_key_normalize(key);
		assert_string_equal(key, keys[i].path);
	}
}

static void test_display(TW_UNUSED void **state)
{
	char path[] = "net/ipv4/conf/eth0.1/forwarding";

	tw_sysctl_key_display(path);
	assert_string_equal(path, "net.ipv4.conf.eth0/1.forwarding");
	assert_true(tw_sysctl_key_is_glob("net/*/x"));
	assert_true(tw_sysctl_key_is_glob("net/?"));
	assert_true(tw_sysctl_key_is_glob("net/[ab]"));
	assert_false(tw_sysctl_key_is_glob(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_a_nul_ends_a_line),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_display),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
