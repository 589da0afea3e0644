/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is blocked for every destination: who holds it, and what is left of the destinations. */
#include "reading-fixture.h"

#define RAISE 45000
#define CLEAR 25000

static const char *const sources[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3" };

/*
 * Of 1000 ports `idle` are held by sockets that are bound or listen, and so many were bound first, by source; `row` are
 * held towards a destination, of which so many were bound first.
 */
static void set_survey(uint32_t idle, const uint32_t first[3], uint32_t row, uint32_t row_first)
{
	struct tw_survey *survey = &sample.survey;
	uint32_t blocked;

	(void)clear(NULL);
	rule.metric = TW_METRIC_PORT_USE;
	rule.raise_milli = RAISE;
	rule.clear_milli = CLEAR;
	*survey = (struct tw_survey){
		.at_usec = S,
		.usable = 1000,
		.bound_ports = idle,
		.bound_row_count = idle > 0 ? 1 : 0,
		.bound_rows = { { .unit = "batch.service", .sockets = idle } },
		.exclusive_ports = idle,
	};
	for (unsigned i = 0; i < 3 && first[i] > 0; i++) {
		survey->binders[survey->binder_count++] =
			(struct tw_binder_row){ .source = address(sources[i]), .ports = first[i] };
		survey->bound_first_ports += first[i];
	}
	survey->exclusive_ports += survey->bound_first_ports;
	blocked = row + survey->exclusive_ports - row_first;
	survey->has_busiest = row > 0;
	survey->top_count = row > 0;
	survey->top[0] = (struct tw_destination_row){
		.key.port = 80,
		.ports = row,
		.blocked = blocked,
		.blocked_baseline = blocked,
		.bound_first_known = true,
		.bound_first = row_first,
		.port_use = tw_value_percent(blocked, 1000),
	};
	survey->port_use = tw_value_percent(blocked, 1000);
}

/* Who holds most of it answers for the whole of it: one row, whatever the number of those that hold some. */
static void test_holders(TW_UNUSED void **state)
{
	static const struct {
		uint32_t idle, first[3];
		int64_t milli;
		bool binder;
	} rows[] = {
		{ 0, { 0 }, 0, false },
		{ 900, { 0 }, 90000, false },
		{ 0, { 900 }, 90000, true },
		{ 300, { 300 }, 60000, false }, /* both as much: what has no connection at all */
		{ 299, { 300 }, 59900, true },
		{ 299, { 200, 100 }, 59900, true },
		{ 100, { 300, 200, 50 }, 65000, true },
	};

	/* Also without any destination; with one that has a few ports of its own, of whose trouble that is the most. */
	for (size_t i = 0; i < 2 * TW_ARRAY_SIZE(rows); i++) {
		const struct tw_address source = address(sources[0]);
		unsigned cursor = 0;
		size_t k = i / 2;
		bool has_row = i % 2;
		struct tw_reading_row row;
		unsigned count = 0;

		set_survey(rows[k].idle, rows[k].first, has_row ? 10 : 0, 0);
		while (nth(cursor++, &row)) {
			if (row.subject.has_destination)
				continue;
			count++;
			if (sample.survey.exclusive_ports == 0)
				continue;
			assert_true(row.reading.confirmed && !row.reading.ports.known);
			assert_true(row.subject.holds_for_all);
			assert_int_equal(row.subject.has_binder, rows[k].binder);
			assert_true(!rows[k].binder || tw_address_equal(&row.subject.binder, &source));
			assert_string_equal(row.subject.unit, rows[k].binder ? "" : "batch.service");
			assert_int_equal(row.reading.value.milli, rows[k].milli + (has_row ? 1000 : 0));
			assert_int_equal(row.reading.pressure.milli, row.reading.value.milli);
		}
		assert_int_equal(count, 1);
	}
}

/* Who binds first finds the ports of its address taken, and most of them by others. */
static void test_who_is_left_too_few(TW_UNUSED void **state)
{
	unsigned cursor = 0;
	struct tw_reading_row row, found[2];
	struct tw_subject one, other;
	unsigned count = 0;

	set_survey(0, (const uint32_t[3]){ 100 }, 700, 0);
	sample.survey.need_count = 4;
	for (unsigned i = 0; i < 4; i++)
		sample.survey.needs[i] = (struct tw_binder_need){
			.source = address(sources[i % 3]), .ports = 800, .own = 100, .use = tw_value_of(60000)
		};
	sample.survey.needs[1].own = 401;
	sample.survey.needs[3].use = tw_value_unknown();
	while (nth(cursor++, &row))
		if (row.subject.has_binder && !row.subject.holds_for_all && count < 2)
			found[count++] = row;
	assert_int_equal(count, 2);
	assert_int_equal(found[0].reading.value.milli, 60000);
	assert_int_equal(found[0].reading.pressure.milli, 60000);
	one = found[0].subject;
	other = found[1].subject;
	assert_true(tw_address_equal(&one.binder, &sample.survey.needs[0].source));
	assert_true(tw_address_equal(&other.binder, &sample.survey.needs[2].source));
	/* Each is somebody of its own, and not who holds them for all. */
	assert_false(tw_subject_equal(&one, &other));
	assert_true(tw_subject_equal(&one, &one));
	other = one;
	other.holds_for_all = true;
	assert_false(tw_subject_equal(&one, &other));
	/* A rule about one destination is not about it. */
	rule.scope.has_destination = true;
	cursor = 0;
	while (nth(cursor++, &row))
		assert_false(row.subject.has_binder);
}

/* A few bound sockets are not behind what listeners hold. */
static void test_listeners_have_no_unit(TW_UNUSED void **state)
{
	struct tw_reading_row row;

	set_survey(900, (const uint32_t[3]){ 0 }, 0, 0);
	sample.survey.bound_ports = 450;
	tw_reading_worst(&sample, &rule, &row);
	assert_string_equal(row.subject.unit, "batch.service");
	sample.survey.bound_ports = 449;
	tw_reading_worst(&sample, &rule, &row);
	assert_string_equal(row.subject.unit, "");
	assert_int_equal(row.reading.value.milli, 90000);
}

/* Once it is over the level it is told once: then a destination counts for what it blocks beyond. */
static void test_destinations_beyond(TW_UNUSED void **state)
{
	static const struct {
		uint32_t first, ports, own_first;
		bool scoped, level;
		int64_t milli;
		uint32_t steady, baseline;
	} rows[] = {
		{ 449, 10, 0, false, true, 1814, 10, 10 },     /* not over it by itself, but most of it: of 551 */
		{ 230, 220, 0, false, true, 28571, 220, 220 }, /* of the 770 that are left to it */
		{ 225, 225, 0, false, true, 45000, 450, 450 }, /* half of it is its own */
		{ 450, 10, 0, false, true, 1818, 10, 10 },
		{ 450, 460, 0, false, true, 83636, 460, 460 },
		{ 450, 100, 0, false, true, 18181, 100, 100 },
		{ 900, 90, 0, false, true, 45000, 90, 90 },   /* of a fifth of all, however little is left */
		{ 450, 460, 450, false, true, 1818, 10, 10 }, /* they are its own */
		{ 450, 0, 0, false, true, 0, 0, 0 },
		/* A rule about one destination is told by nobody else. */
		{ 450, 10, 0, true, true, 46000, 460, 460 },
		/* Without a level nothing is over it. */
		{ 450, 10, 0, false, false, 46000, 460, 460 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		unsigned cursor = 0;
		struct tw_reading_row row;

		set_survey(0, (const uint32_t[3]){ rows[i].first }, rows[i].ports, rows[i].own_first);
		rule.scope.has_destination = rows[i].scoped;
		rule.scope.destination_port = 80;
		if (!rows[i].level)
			rule.raise_milli = rule.clear_milli = 0;
		assert_true(nth(cursor++, &row));
		assert_int_equal(row.subject.has_destination, rows[i].ports > 0);
		if (rows[i].ports == 0)
			continue;
		assert_int_equal(row.reading.value.milli, rows[i].milli);
		assert_int_equal(row.reading.pressure.milli, rows[i].milli);
		assert_int_equal(row.reading.ports.steady, rows[i].steady);
		assert_int_equal(row.reading.ports.baseline, rows[i].baseline);
		assert_int_equal(nth(cursor++, &row), !rows[i].scoped);
	}
}

/* Just below the level, and with some destination's few ports over it: it answers for these, too, as one alert. */
static void test_just_below(TW_UNUSED void **state)
{
	static const struct {
		uint32_t first, ports;
		int64_t holder, destination;
	} rows[] = {
		{ 440, 9, 44900, 1607 },    { 440, 10, 45000, 1785 },	{ 440, 439, 87900, 78392 },
		{ 440, 440, 44000, 88000 }, { 230, 229, 45900, 29740 }, { 100, 350, 10000, 45000 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		unsigned cursor = 0;
		struct tw_reading_row row;

		set_survey(0, (const uint32_t[3]){ rows[i].first }, rows[i].ports, 0);
		while (nth(cursor++, &row))
			if (row.subject.has_destination)
				assert_int_equal(row.reading.value.milli, rows[i].destination);
			else if (row.subject.has_binder)
				assert_int_equal(row.reading.value.milli, rows[i].holder);
	}
}

/* Of twenty destinations with few ports each none is over the level for what is blocked for all. */
static void test_one_alert_for_all(TW_UNUSED void **state)
{
	unsigned cursor = 0;
	struct tw_reading_row row;
	unsigned over = 0;

	set_survey(0, (const uint32_t[3]){ 700 }, 10, 0);
	for (unsigned i = 1; i < 20; i++) {
		sample.survey.top[i] = sample.survey.top[0];
		sample.survey.top[i].key.port = (uint16_t)(80 + i);
	}
	sample.survey.top_count = 20;
	while (nth(cursor++, &row)) {
		if (row.reading.value.milli < RAISE)
			continue;
		over++;
		assert_true(row.subject.has_binder);
	}
	assert_int_equal(over, 1);
}

/* What is blocked for all can run out ahead too: the forecast is of who answers for the whole. */
static void test_soon(TW_UNUSED void **state)
{
	static const struct {
		uint32_t first;
		int64_t eta;
		bool soon;
	} rows[] = { { 225, 15000, true }, { 225, 15001, false }, { 224, 15000, false } };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		unsigned cursor = 0;
		struct tw_reading_row row;

		set_survey(0, (const uint32_t[3]){ rows[i].first - 1, 1 }, 0, 0);
		rule.forecast_usec = 15 * S;
		sample.survey.exclusive_eta = tw_value_of(rows[i].eta);
		while (nth(cursor++, &row)) {
			bool leads = row.subject.has_binder && row.reading.value.milli > 100;

			assert_int_equal(row.reading.soon, leads && rows[i].soon);
			assert_int_equal(row.reading.eta.known, leads);
		}
	}
}

/* port-eta is about destinations alone. */
static void test_eta_names_nobody(TW_UNUSED void **state)
{
	struct tw_reading_row row;

	set_survey(900, (const uint32_t[3]){ 50 }, 10, 0);
	rule.metric = TW_METRIC_PORT_ETA;
	tw_reading_worst(&sample, &rule, &row);
	assert_false(row.subject.has_destination || row.subject.has_binder);
	assert_string_equal(row.subject.unit, "");
	assert_int_equal(row.reading.value.milli, TW_READING_ETA_FAR_MILLI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holders),
		cmocka_unit_test(test_who_is_left_too_few),
		cmocka_unit_test(test_listeners_have_no_unit),
		cmocka_unit_test(test_destinations_beyond),
		cmocka_unit_test(test_just_below),
		cmocka_unit_test(test_one_alert_for_all),
		cmocka_unit_test(test_soon),
		cmocka_unit_test(test_eta_names_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
