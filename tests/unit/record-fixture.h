/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A record, an event with a sample for it, and the look at its fields: apart because two tests look at records so. */

#include "base/macros.h"
#include "tell-sample.h"
#include "tell/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tw_rule_settings exhaustion = {
	.name = "port-exhaustion",
	.metric = TW_METRIC_PORT_USE,
	.raise_milli = 45000,
	.clear_milli = 25000,
};

/* 68 KiB: not for the stack. */
static struct tw_record record;

static const struct tw_event raised = {
	.kind = TW_EVENT_RAISED,
	.severity = TW_SEVERITY_ERROR,
	.rule = &exhaustion,
	.has_metric = true,
	.metric = TW_METRIC_PORT_USE,
	.value = KNOWN(47254),
	.threshold = KNOWN(45000),
	.subject = { .has_destination = true, .destination = TO_8080 },
	.sample = &sample,
	.top = 2,
};

struct field {
	const char *name;
	const char *value; /* NULL: not there */
};

static inline void check_fields(const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = tw_record_get(&record, fields[i].name);

		if (!fields[i].value && value)
			fail_msg("%s is there: %s", fields[i].name, value);
		if (fields[i].value && !value)
			fail_msg("%s is missing", fields[i].name);
		if (fields[i].value)
			assert_string_equal(value, fields[i].value);
	}
}
