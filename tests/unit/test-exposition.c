/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/exposition.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tw_family gauge = { .name = "age_seconds", .unit = "seconds", .help = "How old." };
static const struct tw_family counter = { .name = "resets", .kind = TW_FAMILY_COUNTER, .help = "So many." };

static char bytes[4096];
static struct tw_text text;

static struct tw_exposition start(enum tw_format format)
{
	tw_text_init(&text, bytes, sizeof(bytes));
	return (struct tw_exposition){ .text = &text, .format = format };
}

/* OpenMetrics names the family, the other format its samples; the samples are the same. */
static void test_heads(void **state TW_UNUSED)
{
	static const struct {
		enum tw_format format;
		const char *page;
	} cases[] = {
		{ TW_FORMAT_TEXT, "# HELP timewaitd_age_seconds How old.\n# TYPE timewaitd_age_seconds gauge\n"
				  "timewaitd_age_seconds 1.5\n"
				  "# HELP timewaitd_resets_total So many.\n# TYPE timewaitd_resets_total counter\n"
				  "timewaitd_resets_total 7\n" },
		{ TW_FORMAT_OPEN_METRICS, "# HELP timewaitd_age_seconds How old.\n# TYPE timewaitd_age_seconds gauge\n"
					  "# UNIT timewaitd_age_seconds seconds\ntimewaitd_age_seconds 1.5\n"
					  "# HELP timewaitd_resets So many.\n# TYPE timewaitd_resets counter\n"
					  "timewaitd_resets_total 7\n# EOF\n" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_exposition out = start(cases[i].format);

		tw_exposition_begin(&out, &gauge);
		tw_exposition_add(&out, &gauge, NULL, 0, tw_value_of(1500), 0);
		tw_exposition_begin(&out, &counter);
		tw_exposition_add(&out, &counter, NULL, 0, tw_value_of(7000), 0);
		tw_exposition_end(&out);
		assert_string_equal(bytes, cases[i].page);
	}
}

static void test_numbers(void **state TW_UNUSED)
{
	static const struct {
		struct tw_value value;
		unsigned shift;
		const char *number;
	} cases[] = {
		{ { 0, true }, 0, "0" },
		{ { 0, true }, 3, "0" },
		{ { 1, true }, 0, "0.001" },
		{ { 1, true }, 2, "0.00001" },
		{ { 47254, true }, 2, "0.47254" },
		{ { 100000, true }, 2, "1" },
		{ { 40, true }, 3, "0.00004" },
		{ { -1500, true }, 0, "-1.5" },
		{ { 1795950003873, true }, 0, "1795950003.873" },
		{ { INT64_MAX, true }, 0, "9223372036854775.807" },
		{ { INT64_MIN, true }, 0, "-9223372036854775.808" },
		{ { 12, false }, 0, "NaN" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_exposition out = start(TW_FORMAT_TEXT);

		tw_exposition_add(&out, &gauge, NULL, 0, cases[i].value, cases[i].shift);
		bytes[strlen(bytes) - 1] = '\0';
		assert_string_equal(strchr(bytes, ' ') + 1, cases[i].number);
	}
}

/* Whatever a label holds, it ends where it ends. */
static void test_labels(void **state TW_UNUSED)
{
	const struct tw_label labels[] = { { "a", "x\"y\\z\nw" }, { "b", "" }, { "c", "\xc3\xa4" } };
	struct tw_exposition out = start(TW_FORMAT_TEXT);

	tw_exposition_add(&out, &gauge, labels, 3, tw_value_of(1000), 0);
	assert_string_equal(bytes, "timewaitd_age_seconds{a=\"x\\\"y\\\\z\\nw\",b=\"\",c=\"\xc3\xa4\"} 1\n");
}

static void test_choice(void **state TW_UNUSED)
{
	static const struct {
		const char *accept;
		enum tw_format format;
	} cases[] = {
		{ NULL, TW_FORMAT_TEXT },
		{ "", TW_FORMAT_TEXT },
		{ "*/*", TW_FORMAT_TEXT },
		{ "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TW_FORMAT_TEXT },
		{ "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", TW_FORMAT_OPEN_METRICS },
		{ "text/plain;q=0.5, Application/OpenMetrics-Text; version=1.0.0", TW_FORMAT_OPEN_METRICS },
		{ "application/openmetrics-tex", TW_FORMAT_TEXT },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++)
		assert_int_equal(tw_format_choose(cases[i].accept), cases[i].format);
	assert_non_null(strstr(tw_format_type(TW_FORMAT_TEXT), "text/plain; version=0.0.4"));
	assert_non_null(strstr(tw_format_type(TW_FORMAT_OPEN_METRICS), "application/openmetrics-text; version=1.0.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
