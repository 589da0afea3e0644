/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "ctl/explain/explain-text.h"
#include "fake/fake-source.h"
#include "measure/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A machine in memory that the tests of `explain` fill with sockets and look at, the shipped rules, and a page. */
static struct tw_fake_source fake;
static struct tw_scan_past past;
static struct tw_sample sample;
static struct tw_settings *settings;
static struct tw_page page;
static char page_bytes[TW_EXPLAIN_TEXT_MAX];

static inline int set_up(TW_UNUSED void **state)
{
	tw_fake_source_init(&fake);
	memset(&sample, 0, sizeof(sample));
	settings = tw_settings_new();
	tw_page_init(&page, page_bytes, sizeof(page_bytes));
	return settings ? 0 : -1;
}

static inline int tear_down(TW_UNUSED void **state)
{
	settings = tw_settings_free(settings);
	tw_scan_past_done(&past);
	tw_fake_source_done(&fake);
	return 0;
}

/* Two reads of the counters, 10 s and 11 s after the start, and a look. */
static inline void look(void)
{
	static const struct tw_hash_key key = { 1, 2 };
	struct tw_scan_order order = { .bound_known = true, .at_usec = 11 * TW_USEC_PER_SEC };

	tw_fake_source_settle(&fake);
	assert_int_equal(fake.base.gauge(&fake.base, &sample.gauge), 0);
	sample.gauge.at_usec = 10 * TW_USEC_PER_SEC;
	tw_scan_past_done(&past);
	assert_int_equal(tw_scan_once(&fake.base, &key, &order, &past, &sample), 0);
}

/* TIME-WAIT of clients from the other hosts. */
static inline void add_accepted(unsigned count)
{
	tw_fake_source_add_listener(&fake, 80);
	for (unsigned i = 0; i < count; i++)
		tw_fake_source_add_many(&fake, TW_STATE_TIME_WAIT, (uint8_t)(1 + i / 60000),
					(uint16_t)(1024 + i % 60000), 80, 1, 1000);
}

static inline void has(const char *words)
{
	if (!strstr(page_bytes, words))
		fail_msg("'%s' is not in:\n%s", words, page_bytes);
}

static inline void has_not(const char *words)
{
	if (strstr(page_bytes, words))
		fail_msg("'%s' is in:\n%s", words, page_bytes);
}

static inline struct tw_value number(const char *name)
{
	for (unsigned i = 0; i < page.number_count; i++)
		if (strcmp(page.numbers[i].name, name) == 0)
			return page.numbers[i].value;
	fail_msg("there is no number %s", name);
	return tw_value_unknown();
}
