/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <string.h>

/* 68 KiB: not for the stack. */
static struct tw_record record;

static void test_fields(void **state TW_UNUSED)
{
	static const char *const fields[] = {
		"MESSAGE=Stopped.", "EMPTY=", "TIMEWAITD_TIME_WAIT=a=b", "PRE-fix_COUNT=18446744073709551615",
		"MILLI=-0.5",
	};
	struct tw_text text;

	tw_record_init(&record);
	assert_int_equal(record.count, 0);
	assert_true(tw_record_addf(&record, "", "MESSAGE", "%s", "Stopped."));
	assert_true(tw_record_addf(&record, "", "empty", "%s", ""));
	tw_record_begin(&record, &text, "TIMEWAITD_", "time-wait");
	tw_text_add(&text, "a=");
	tw_text_add(&text, "b");
	assert_true(tw_record_end(&record, &text));
	assert_true(tw_record_addf(&record, "PRE-fix_", "count", "%" PRIu64, UINT64_MAX));
	tw_record_add_value(&record, "", "milli", tw_value_of(-500));
	tw_record_add_value(&record, "", "unknown", tw_value_unknown());

	assert_int_equal(record.count, TW_ARRAY_SIZE(fields));
	for (size_t i = 0; i < TW_ARRAY_SIZE(fields); i++) {
		assert_string_equal(record.fields[i].text, fields[i]);
		assert_int_equal(record.fields[i].length, strlen(fields[i]));
		assert_int_equal(record.fields[i].name_length, strchr(fields[i], '=') - fields[i]);
	}
	tw_record_init(&record);
	assert_int_equal(record.count, 0);
	assert_null(tw_record_get(&record, "MESSAGE"));
}

static void test_get(void **state TW_UNUSED)
{
	tw_record_init(&record);
	assert_true(tw_record_addf(&record, "", "TIMEWAITD_REASON", "%s", "a=b"));
	assert_true(tw_record_addf(&record, "", "TIMEWAITD", "%s", "short"));
	assert_true(tw_record_addf(&record, "", "TIMEWAITD", "%s", "second"));
	assert_string_equal(tw_record_get(&record, "TIMEWAITD_REASON"), "a=b");
	assert_string_equal(tw_record_get(&record, "TIMEWAITD"), "short");
	assert_null(tw_record_get(&record, "TIMEWAITD_"));
	assert_null(tw_record_get(&record, "TIMEWAITD_REASON=a"));
	assert_null(tw_record_get(&record, "timewaitd_reason"));
	assert_null(tw_record_get(&record, ""));
}

/* Text without end is cut; the fields before it stay, the ones behind it are not there. */
static void test_overfull(void **state TW_UNUSED)
{
	static char huge[2 * TW_RECORD_BYTES_MAX];

	memset(huge, 'x', sizeof(huge) - 1);
	tw_record_init(&record);
	assert_true(tw_record_addf(&record, "", "MESSAGE", "%s", "Stopped."));
	assert_false(tw_record_addf(&record, "", "TIMEWAITD_HUGE", "%s", huge));
	assert_false(tw_record_addf(&record, "", "TIMEWAITD_LATE", "%s", "1"));
	tw_record_add_value(&record, "", "TIMEWAITD_LATER", tw_value_of(1));
	assert_string_equal(tw_record_get(&record, "MESSAGE"), "Stopped.");
	assert_memory_equal(tw_record_get(&record, "TIMEWAITD_HUGE"), "xxx", 3);
	assert_true(strlen(tw_record_get(&record, "TIMEWAITD_HUGE")) > TW_RECORD_BYTES_MAX - 100);
	assert_null(tw_record_get(&record, "TIMEWAITD_LATE"));
	assert_null(tw_record_get(&record, "TIMEWAITD_LATER"));
	assert_int_equal(record.count, 2);
}

static void test_too_many_fields(void **state TW_UNUSED)
{
	tw_record_init(&record);
	for (unsigned i = 0; i < TW_RECORD_FIELDS_MAX; i++)
		assert_true(tw_record_addf(&record, "", "FIELD", "%s", "1"));
	assert_false(tw_record_addf(&record, "", "LATE", "%s", "1"));
	assert_null(tw_record_get(&record, "LATE"));
	assert_int_equal(record.count, TW_RECORD_FIELDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_overfull),
		cmocka_unit_test(test_too_many_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
