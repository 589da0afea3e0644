/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tunable.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REUSE TW_TUNABLE_TW_REUSE
#define RANGE TW_TUNABLE_PORT_RANGE

enum flag {
	RAISE_ONLY = 1,
	HOST_ONLY = 2,
	UNSAFE = 4,
	PROVED = 8,
	ADVICE = 16,
};

static const struct {
	enum tw_tunable tunable;
	const char *key;
	int64_t low, high;
	int flags;
} rows[] = {
	{ TW_TUNABLE_TW_REUSE, "net.ipv4.tcp_tw_reuse", 0, 2, PROVED },
	{ TW_TUNABLE_TW_REUSE_DELAY, "net.ipv4.tcp_tw_reuse_delay", 1, 60000, 0 },
	{ TW_TUNABLE_MAX_TW_BUCKETS, "net.ipv4.tcp_max_tw_buckets", 1024, 16777216, RAISE_ONLY | PROVED },
	{ TW_TUNABLE_PORT_RANGE, "net.ipv4.ip_local_port_range", 1024, 65535, ADVICE },
	{ TW_TUNABLE_FIN_TIMEOUT, "net.ipv4.tcp_fin_timeout", 5, 3600, PROVED },
	{ TW_TUNABLE_AUTOBIND_REUSE, "net.ipv4.ip_autobind_reuse", 0, 1, PROVED },
	{ TW_TUNABLE_MAX_ORPHANS, "net.ipv4.tcp_max_orphans", 1024, 16777216, RAISE_ONLY | HOST_ONLY },
	{ TW_TUNABLE_ORPHAN_RETRIES, "net.ipv4.tcp_orphan_retries", 0, 15, 0 },
	{ TW_TUNABLE_MAX_SYN_BACKLOG, "net.ipv4.tcp_max_syn_backlog", 128, 1048576, RAISE_ONLY },
	{ TW_TUNABLE_SOMAXCONN, "net.core.somaxconn", 128, 65535, RAISE_ONLY },
	{ TW_TUNABLE_SYNCOOKIES, "net.ipv4.tcp_syncookies", 0, 2, 0 },
	{ TW_TUNABLE_SYNACK_RETRIES, "net.ipv4.tcp_synack_retries", 0, 15, 0 },
	{ TW_TUNABLE_KEEPALIVE_TIME, "net.ipv4.tcp_keepalive_time", 10, 32767, 0 },
	{ TW_TUNABLE_KEEPALIVE_INTVL, "net.ipv4.tcp_keepalive_intvl", 1, 32767, 0 },
	{ TW_TUNABLE_KEEPALIVE_PROBES, "net.ipv4.tcp_keepalive_probes", 1, 127, 0 },
	{ TW_TUNABLE_TIMESTAMPS, "net.ipv4.tcp_timestamps", 0, 2, 0 },
	{ TW_TUNABLE_RFC1337, "net.ipv4.tcp_rfc1337", 0, 1, 0 },
	{ TW_TUNABLE_TW_TIMEOUT, "net.ipv4.tcp_tw_timeout", 1, 600, 0 },
	{ TW_TUNABLE_TW_RECYCLE, "net.ipv4.tcp_tw_recycle", 0, 1, UNSAFE },
};

static void test_table(TW_UNUSED void **state)
{
	assert_int_equal(TW_ARRAY_SIZE(rows), TW_TUNABLE_COUNT);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		const struct tw_tunable_info *info = tw_tunable_info(rows[i].tunable);

		assert_string_equal(info->key, rows[i].key);
		assert_int_equal(info->low, rows[i].low);
		assert_int_equal(info->high, rows[i].high);
		assert_int_equal(info->raise_only, (rows[i].flags & RAISE_ONLY) != 0);
		assert_int_equal(info->host_only, (rows[i].flags & HOST_ONLY) != 0);
		assert_int_equal(info->unsafe, (rows[i].flags & UNSAFE) != 0);
		assert_int_equal(info->kind, rows[i].tunable == RANGE ? TW_TUNABLE_RANGE : TW_TUNABLE_INTEGER);
		assert_int_equal(info->class, rows[i].flags & PROVED   ? TW_TUNABLE_PROVED
					      : rows[i].flags & ADVICE ? TW_TUNABLE_ADVICE
								       : TW_TUNABLE_PLAIN);
		/* What nothing is claimed of has neither a gate nor evidence. */
		if (info->class != TW_TUNABLE_PROVED)
			assert_true(info->gate == TW_GATE_NONE && info->evidence == TW_EVIDENCE_NONE);
		else
			assert_true(info->gate != TW_GATE_NONE && info->evidence != TW_EVIDENCE_NONE);
	}
}

/* The path is the key with slashes, and both spellings lead to the row. */
static void test_keys(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_TUNABLE_COUNT; i++) {
		const struct tw_tunable_info *info = tw_tunable_info((enum tw_tunable)i);
		enum tw_tunable found = TW_TUNABLE_COUNT;

		assert_int_equal(strlen(info->key), strlen(info->path));
		for (size_t at = 0; info->key[at]; at++)
			assert_int_equal(info->path[at], info->key[at] == '.' ? '/' : info->key[at]);
		assert_true(tw_tunable_from_key(info->key, strlen(info->key), &found));
		assert_int_equal(found, i);
		found = TW_TUNABLE_COUNT;
		assert_true(tw_tunable_from_key(info->path, strlen(info->path), &found));
		assert_int_equal(found, i);
	}
}

static void test_unknown_keys(TW_UNUSED void **state)
{
	static const char *const keys[] = { "",
					    "tcp_tw_reuse",
					    "net.ipv4.tcp_tw_reus",
					    "net.ipv4.tcp_tw_reuse ",
					    "net.ipv4/tcp_tw_reuse",
					    "/proc/sys/net/ipv4/tcp_tw_reuse",
					    "net.ipv6.ip_local_port_range",
					    "net/ipv4/../ipv4/tcp_tw_reuse" };
	enum tw_tunable found = TW_TUNABLE_COUNT;

	for (size_t i = 0; i < TW_ARRAY_SIZE(keys); i++)
		assert_false(tw_tunable_from_key(keys[i], strlen(keys[i]), &found));
	assert_int_equal(found, TW_TUNABLE_COUNT);
}

static void test_parse(TW_UNUSED void **state)
{
	static const struct {
		enum tw_tunable tunable;
		const char *text;
		int result;
		int64_t numbers[2];
	} cases[] = {
		{ REUSE, "1", 0, { 1, 0 } },
		{ REUSE, "1\n", 0, { 1, 0 } },
		{ REUSE, " \t1 \n", 0, { 1, 0 } },
		{ REUSE, "-1\n", 0, { -1, 0 } }, /* the kernel shows it where somebody wrote it */
		{ REUSE, "9223372036854775807", 0, { INT64_MAX, 0 } },
		{ REUSE, "9223372036854775808", -EINVAL, { 0 } },
		{ REUSE, "", -EINVAL, { 0 } },
		{ REUSE, "\n", -EINVAL, { 0 } },
		{ REUSE, "1 2", -EINVAL, { 0 } },
		{ REUSE, "1-2", -EINVAL, { 0 } },
		{ REUSE, "yes", -EINVAL, { 0 } },
		{ REUSE, "0x1", -EINVAL, { 0 } },
		{ REUSE, "1.0", -EINVAL, { 0 } },
		{ RANGE, "32768\t60999\n", 0, { 32768, 60999 } },
		{ RANGE, "32768 60999", 0, { 32768, 60999 } },
		{ RANGE, " 32768 \t 60999 \n", 0, { 32768, 60999 } },
		{ RANGE, "32768-60999", 0, { 32768, 60999 } },
		{ RANGE, " 32768-60999\n", 0, { 32768, 60999 } },
		{ RANGE, "60999 32768", 0, { 60999, 32768 } }, /* syntax only */
		{ RANGE, "-5--3", 0, { -5, -3 } },
		{ RANGE, "32768", -EINVAL, { 0 } },
		{ RANGE, "-32768", -EINVAL, { 0 } },
		{ RANGE, "32768-", -EINVAL, { 0 } },
		{ RANGE, "-", -EINVAL, { 0 } },
		{ RANGE, "--", -EINVAL, { 0 } },
		{ RANGE, "32768 - 60999", -EINVAL, { 0 } },
		{ RANGE, "32768-60999-1", -EINVAL, { 0 } },
		{ RANGE, "32768 60999 1", -EINVAL, { 0 } },
		{ RANGE, "32768,60999", -EINVAL, { 0 } },
		{ RANGE, "32768 x", -EINVAL, { 0 } },
		{ RANGE, "x 60999", -EINVAL, { 0 } },
		{ RANGE, "x-60999", -EINVAL, { 0 } },
		{ RANGE, "", -EINVAL, { 0 } },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_tunable_value value = { .numbers = { 47, 11 } };
		int r = tw_tunable_parse(cases[i].tunable, cases[i].text, strlen(cases[i].text), &value);

		if (r != cases[i].result)
			fail_msg("'%s': %d, not %d", cases[i].text, r, cases[i].result);
		assert_int_equal(value.numbers[0], r == 0 ? cases[i].numbers[0] : 47);
		assert_int_equal(value.numbers[1], r == 0 ? cases[i].numbers[1] : 11);
	}
}

static void test_bounds_of_each(TW_UNUSED void **state)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_tunable_value value = { 0 };

		value.numbers[0] = rows[i].low;
		assert_true(tw_tunable_in_bounds(rows[i].tunable, &value));
		value.numbers[0] = rows[i].high;
		assert_true(tw_tunable_in_bounds(rows[i].tunable, &value));
		value.numbers[0] = rows[i].low - 1;
		assert_false(tw_tunable_in_bounds(rows[i].tunable, &value));
		value.numbers[0] = rows[i].high + 1;
		assert_false(tw_tunable_in_bounds(rows[i].tunable, &value));
		value.numbers[0] = INT64_MIN;
		assert_false(tw_tunable_in_bounds(rows[i].tunable, &value));
		value.numbers[0] = INT64_MAX;
		assert_false(tw_tunable_in_bounds(rows[i].tunable, &value));
	}
}

static void test_format(TW_UNUSED void **state)
{
	static const struct tw_tunable_value one = { .numbers = { 1, 99 } };
	static const struct tw_tunable_value range = { .numbers = { 32768, 60999 } };
	static const struct tw_tunable_value longest = { .numbers = { INT64_MIN, INT64_MIN } };
	char text[TW_TUNABLE_VALUE_MAX];

	assert_ptr_equal(tw_tunable_format(REUSE, &one, text), text);
	assert_string_equal(text, "1");
	assert_string_equal(tw_tunable_format(RANGE, &range, text), "32768 60999");
	assert_string_equal(tw_tunable_format(RANGE, &longest, text), "-9223372036854775808 -9223372036854775808");
}

static void test_equal(TW_UNUSED void **state)
{
	static const struct tw_tunable_value a = { .numbers = { 1, 2 } };
	static const struct tw_tunable_value b = { .numbers = { 1, 3 } };
	static const struct tw_tunable_value c = { .numbers = { 2, 2 } };

	/* The second number is a range's alone. */
	assert_true(tw_tunable_equal(REUSE, &a, &b));
	assert_false(tw_tunable_equal(REUSE, &a, &c));
	assert_false(tw_tunable_equal(RANGE, &a, &b));
	assert_false(tw_tunable_equal(RANGE, &a, &c));
	assert_true(tw_tunable_equal(RANGE, &a, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_keys),   cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_parse),  cmocka_unit_test(test_bounds_of_each),
		cmocka_unit_test(test_format), cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
