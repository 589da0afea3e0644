/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/reading.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Large: not for the stack. */
static struct tw_sample sample;

static void set_survey(uint32_t bound_ports, uint32_t row_ports)
{
	memset(&sample, 0, sizeof(sample));
	sample.survey = (struct tw_survey){
		.at_usec = TW_USEC_PER_SEC,
		.range_ports = 1000,
		.bound_ports = bound_ports,
		.bound_row_count = bound_ports > 0 ? 1 : 0,
		.bound_rows = { { .unit = "batch.service", .sockets = bound_ports } },
		.has_busiest = row_ports > 0,
		.top_count = row_ports > 0 ? 1 : 0,
		.top = { { .ports = row_ports,
			   .port_use = tw_value_percent((uint64_t)row_ports + bound_ports, 1000) } },
		.port_use = tw_value_percent((uint64_t)row_ports + bound_ports, 1000),
	};
}

/* Who binds is named where bound sockets hold more ports than the busiest destination, and in port-use alone. */
static void test_subject(void **state TW_UNUSED)
{
	static const struct {
		enum tw_metric metric;
		uint32_t bound, connected;
		bool unit, destination;
	} rows[] = {
		{ TW_METRIC_PORT_USE, 900, 0, true, false },   { TW_METRIC_PORT_USE, 900, 10, true, true },
		{ TW_METRIC_PORT_USE, 450, 450, false, true }, { TW_METRIC_PORT_USE, 0, 900, false, true },
		{ TW_METRIC_PORT_USE, 0, 0, false, false },    { TW_METRIC_PORT_ETA, 900, 10, false, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_rule_settings rule;
		struct tw_subject subject = { 0 };

		tw_rule_settings_init(&rule);
		rule.metric = rows[i].metric;
		rule.raise_milli = 45000;
		rule.clear_milli = 25000;
		set_survey(rows[i].bound, rows[i].connected);
		tw_reading_subject(&sample, &rule, &subject);
		assert_string_equal(subject.unit, rows[i].unit ? "batch.service" : "");
		assert_int_equal(subject.has_destination, rows[i].destination);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_subject) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
