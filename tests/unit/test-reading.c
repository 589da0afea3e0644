/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reading-fixture.h"

#define FAR TW_READING_ETA_FAR_MILLI

static struct tw_value value_of(int64_t milli)
{
	return milli == UNKNOWN ? tw_value_unknown() : tw_value_of(milli);
}

/* All its ports are blocked; `bound_ports` of others are too. */
static struct tw_destination_row *add_row(const char *destination, uint16_t port, uint32_t ports, uint32_t time_wait,
					  uint32_t young, int64_t eta_milli)
{
	struct tw_survey *survey = &sample.survey;
	struct tw_destination_row *row = &survey->top[survey->top_count++];

	survey->at_usec = 9 * S;
	survey->usable = 1000;
	survey->has_busiest = true;
	survey->destinations++;
	*row = (struct tw_destination_row){
		.key = { .source = address("10.0.0.1"), .destination = address(destination), .port = port },
		.ports = ports,
		.time_wait = time_wait,
		.young_time_wait = young,
		.blocked = ports + survey->exclusive_ports,
		.blocked_baseline = ports + survey->exclusive_ports,
		.bound_first_known = true,
		.port_use = tw_value_percent(ports + survey->exclusive_ports, survey->usable),
		.port_eta = value_of(eta_milli),
	};
	if (row->port_use.milli > survey->port_use.milli || !survey->port_use.known)
		survey->port_use = row->port_use;
	return row;
}

static void add_rows(void)
{
	sample.survey.exclusive_ports = 50;
	add_row("10.0.0.2", 80, 500, 400, 10, UNKNOWN);
	add_row("10.0.0.2", 443, 300, 200, 100, 7000);
	add_row("10.0.0.3", 80, 200, 200, 0, 5000);
	add_row("::1", 80, 100, 0, 0, 0);
	sample.survey.port_eta = tw_value_of(0);
}

/* Each destination within the scope is a subject, the busiest first, and the worst of them is what a rule comes to. */
static void test_destinations(TW_UNUSED void **state)
{
	static const struct {
		const char *destination; /* NULL: unscoped */
		uint16_t port;
		unsigned count;
		int use[4];		  /* rows of the survey */
		int worst_use, worst_eta; /* -1: none */
	} rows[] = {
		{ NULL, 0, 4, { 0, 1, 2, 3 }, 0, 3 },	{ "10.0.0.2", 0, 2, { 0, 1 }, 0, 1 },
		{ "10.0.0.2", 80, 1, { 0 }, 0, -1 },	{ "10.0.0.2", 443, 1, { 1 }, 1, 1 },
		{ "10.0.0.2", 8080, 0, { 0 }, -1, -1 }, { "10.0.0.3", 0, 1, { 2 }, 2, 2 },
		{ "::1", 80, 1, { 3 }, 3, 3 },		{ "10.0.0.9", 80, 0, { 0 }, -1, -1 },
	};

	add_rows();
	rule.raise_milli = 45000;
	rule.clear_milli = 25000;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_reading_row row;
		int most = rows[i].worst_use, soonest = rows[i].worst_eta;

		rule.scope.has_destination = rows[i].destination;
		if (rows[i].destination)
			rule.scope.destination = address(rows[i].destination);
		rule.scope.destination_port = rows[i].port;
		rule.metric = TW_METRIC_PORT_USE;
		for (unsigned k = 0; k < rows[i].count; k++) {
			const struct tw_destination_row *of = &sample.survey.top[rows[i].use[k]];

			assert_true(nth(k, &row));
			assert_true(row.subject.has_destination && !row.subject.has_binder);
			assert_memory_equal(&row.subject.destination, &of->key, sizeof(of->key));
			check(row.reading.value, of->port_use.milli);
			check(row.reading.pressure, of->port_use.milli);
			check(row.reading.judged, UNKNOWN);
			check(row.reading.eta, of->port_eta.known ? of->port_eta.milli : UNKNOWN);
			assert_true(row.reading.confirmed && row.reading.ports.known);
			assert_int_equal(row.reading.at_usec, 9 * S);
			assert_int_equal(row.reading.ports.usable, 1000);
			assert_int_equal(row.reading.ports.steady, of->ports - of->time_wait + 50);
			assert_int_equal(row.reading.ports.baseline, of->blocked_baseline);
			assert_int_equal(row.reading.ports.young, of->young_time_wait);
		}
		/* Then who holds what is blocked for all, where a rule is about all. */
		assert_int_equal(nth(rows[i].count, &row), !rows[i].destination);
		if (!rows[i].destination)
			assert_true(!row.subject.has_destination && row.reading.value.milli == 5000);
		row = worst();
		check(row.reading.value, most < 0 ? 0 : sample.survey.top[most].port_use.milli);
		assert_int_equal(row.subject.has_destination, most >= 0);
		if (most >= 0)
			assert_memory_equal(&row.subject.destination, &sample.survey.top[most].key,
					    sizeof(row.subject.destination));
		rule.metric = TW_METRIC_PORT_ETA;
		rule.raise_milli = 15000;
		rule.clear_milli = 60000;
		row = worst();
		check(row.reading.value, soonest < 0 ? FAR : sample.survey.top[soonest].port_eta.milli);
		check(row.reading.pressure, row.reading.value.milli);
		assert_true(row.reading.confirmed);
		assert_int_equal(row.subject.has_destination, soonest >= 0);
		if (soonest >= 0)
			assert_memory_equal(&row.subject.destination, &sample.survey.top[soonest].key,
					    sizeof(row.subject.destination));
		rule.raise_milli = 45000;
		rule.clear_milli = 25000;
	}
}

/* port-eta is of those alone that grow. */
static void test_eta_rows(TW_UNUSED void **state)
{
	struct tw_reading_row row;

	add_rows();
	rule.metric = TW_METRIC_PORT_ETA;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(nth(i, &row));
		assert_memory_equal(&row.subject.destination, &sample.survey.top[i + 1].key,
				    sizeof(row.subject.destination));
	}
	assert_false(nth(3, &row));
	/* No level is set: the least time is the worst all the same. */
	check(worst().reading.value, 0);
}

/* Two sources, and two devices, towards one address are subjects of their own; the highest figure counts. */
static void test_busiest_of_a_scope(TW_UNUSED void **state)
{
	struct tw_reading_row row, other;

	add_row("10.0.0.2", 80, 10, 0, 0, 9000);
	add_row("10.0.0.2", 80, 90, 0, 0, 8000)->key.source = address("10.0.0.7");
	add_row("10.0.0.2", 80, 20, 0, 0, 8500)->key.device = 3;
	rule.scope.has_destination = true;
	rule.scope.destination = address("10.0.0.2");
	rule.metric = TW_METRIC_PORT_USE;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < i; k++) {
			assert_true(nth(i, &row) && nth(k, &other));
			assert_false(tw_subject_equal(&row.subject, &other.subject));
		}
	check(worst().reading.value, 9000);
	row = worst();
	assert_true(tw_address_equal(&row.subject.destination.source, &sample.survey.top[1].key.source));
	rule.metric = TW_METRIC_PORT_ETA;
	check(worst().reading.value, 8000);
}

static void test_no_survey(TW_UNUSED void **state)
{
	static const enum tw_metric metrics[] = { TW_METRIC_PORT_USE, TW_METRIC_PORT_ETA };

	for (size_t i = 0; i < 8; i++) {
		struct tw_reading_row row;

		(void)clear(NULL);
		add_rows();
		rule.metric = metrics[i % 2];
		rule.forecast_usec = 60 * S;
		rule.scope.has_destination = i / 2 % 2;
		rule.scope.destination = address("10.0.0.2");
		if (i < 4)
			sample.survey.at_usec = 0;
		else
			sample.survey.partial = true;
		assert_false(tw_reading_known(&sample, &rule));
		assert_false(nth(0, &row));
		row = worst();
		check(row.reading.value, UNKNOWN);
		check(row.reading.pressure, UNKNOWN);
		assert_false(row.reading.soon || row.subject.has_destination);
		assert_int_equal(row.reading.at_usec, sample.survey.at_usec);
	}
}

/* Without a range nothing is a share of it, not even none. */
static void test_no_range(TW_UNUSED void **state)
{
	sample.survey.at_usec = S;
	rule.metric = TW_METRIC_PORT_USE;
	rule.scope.has_destination = true;
	assert_false(tw_reading_known(&sample, &rule));
	check(worst().reading.value, UNKNOWN);
}

/* What a whole sample does not have is at 0, and of time there is plenty. */
static void test_absent(TW_UNUSED void **state)
{
	static const struct {
		enum tw_metric metric;
		int64_t milli;
		usec_t at_usec;
		bool confirmed;
	} rows[] = {
		{ TW_METRIC_PORT_USE, 0, 9 * S, true },
		{ TW_METRIC_PORT_ETA, FAR, 9 * S, true },
		{ TW_METRIC_ACCEPT_QUEUE, 0, 5 * S, false },
		{ TW_METRIC_CLOSE_WAIT_AGED, 0, 4 * S, false },
	};

	add_rows();
	sample.accepting.at_usec = 5 * S;
	sample.close_wait.at_usec = 4 * S;
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_reading reading;

		rule.metric = rows[i].metric;
		reading = tw_reading_absent(&sample, &rule);
		check(reading.value, rows[i].milli);
		check(reading.pressure, rows[i].milli);
		check(reading.judged, UNKNOWN);
		assert_false(reading.soon || reading.ports.known);
		assert_int_equal(reading.at_usec, rows[i].at_usec);
		assert_int_equal(reading.confirmed, rows[i].confirmed);
	}
}

static void test_soon(TW_UNUSED void **state)
{
	static const struct {
		int64_t raise, clear, use, eta;
		usec_t forecast;
		bool soon;
	} rows[] = {
		{ 45000, 25000, 22500, 15000, 15 * S, true },
		{ 45000, 25000, 22499, 15000, 15 * S, false }, /* not half of the level */
		{ 45001, 25000, 22500, 15000, 15 * S, false }, /* nor here */
		{ 45000, 25000, 22500, 15001, 15 * S, false },
		{ 45000, 25000, 22500, 0, 15 * S, true },
		{ 45000, 25000, 100000, 0, 0, false }, /* no forecast asked for */
		{ 45000, 25000, 22500, UNKNOWN, 15 * S, false },
		{ 10000, 20000, 22500, 0, 15 * S, false }, /* downward */
	};

	rule.metric = TW_METRIC_PORT_USE;
	/* As a survey has it, and as one that was read back from a record. */
	for (size_t i = 0; i < 2 * TW_ARRAY_SIZE(rows); i++) {
		size_t k = i / 2;

		memset(&sample, 0, sizeof(sample));
		add_row("10.0.0.2", 80, 1, 0, 0, 0);
		rule.raise_milli = rows[k].raise;
		rule.clear_milli = rows[k].clear;
		rule.forecast_usec = rows[k].forecast;
		sample.survey.has_busiest = i % 2 == 0;
		sample.survey.port_use = sample.survey.top[0].port_use = value_of(rows[k].use);
		sample.survey.port_eta = sample.survey.top[0].port_eta = value_of(rows[k].eta);
		if (worst().reading.soon != rows[k].soon)
			fail_msg("row %zu", k);
	}
}

/* The one that runs out goes before the busiest: with it a rule can be raised. */
static void test_soon_is_worse(TW_UNUSED void **state)
{
	add_rows();
	rule.metric = TW_METRIC_PORT_USE;
	rule.raise_milli = 60000;
	rule.clear_milli = 10000;
	assert_int_equal(worst().subject.destination.port, 80);
	rule.forecast_usec = 8 * S;
	assert_true(worst().reading.soon);
	assert_int_equal(worst().subject.destination.port, 443);
}

/* The forecast is that of the scope. */
static void test_soon_in_scope(TW_UNUSED void **state)
{
	add_rows();
	rule.metric = TW_METRIC_PORT_USE;
	rule.raise_milli = 40000;
	rule.clear_milli = 10000;
	rule.forecast_usec = 6 * S;
	assert_true(worst().reading.soon);
	rule.scope.has_destination = true;
	rule.scope.destination = address("10.0.0.2");
	assert_false(worst().reading.soon);
	rule.scope.destination = address("10.0.0.3");
	assert_true(worst().reading.soon);
}

/* Read back from a record, where no row tells the ports by destination: one subject, of no name. */
static void test_replayed(TW_UNUSED void **state)
{
	static const struct {
		enum tw_metric metric;
		int64_t value, pressure, without; /* without: where nothing grows */
	} rows[] = {
		{ TW_METRIC_PORT_USE, 60000, 70000, 60000 },
		{ TW_METRIC_PORT_ETA, 5000, 5000, FAR },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_reading_row row;

		(void)clear(NULL);
		/* Two that grow, the sooner one last. */
		sample.survey = (struct tw_survey){
			.at_usec = 9 * S,
			.top_count = 2,
			.top = { { .port_use = tw_value_of(60000), .port_eta = tw_value_of(8000) },
				 { .port_use = tw_value_of(50000), .port_eta = tw_value_of(5000) } },
			.port_use = tw_value_of(60000),
			.port_demand = tw_value_of(70000),
			.port_eta = tw_value_of(5000),
		};
		rule.metric = rows[i].metric;
		assert_true(nth(0, &row));
		assert_false(nth(1, &row));
		assert_true(nth(0, &row));
		assert_false(row.subject.has_destination || row.subject.has_binder);
		check(row.reading.value, rows[i].value);
		check(row.reading.pressure, rows[i].pressure);
		assert_false(row.reading.ports.known);
		check(worst().reading.value, rows[i].value);
		sample.survey.top_count = 0;
		sample.survey.port_eta = tw_value_unknown();
		check(worst().reading.value, rows[i].without);
	}
}

/* Of those that wait young, the ones that reuse could take over: not what is bound first, as far as is known. */
static void test_young(TW_UNUSED void **state)
{
	static const struct {
		uint32_t first, young;
		bool known;
	} rows[] = { { 0, 60, true }, { 100, 40, true }, { 300, 0, true }, { 400, 0, true }, { 300, 60, false } };

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_destination_row *destination;
		struct tw_reading_row row;

		(void)clear(NULL);
		rule.metric = TW_METRIC_PORT_USE;
		destination = add_row("10.0.0.2", 80, 300, 200, 60, UNKNOWN);
		destination->bound_first = rows[i].first;
		destination->bound_first_known = rows[i].known;
		assert_true(nth(0, &row));
		assert_int_equal(row.reading.ports.young, rows[i].young);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_destinations, clear),
		cmocka_unit_test_setup(test_eta_rows, clear),
		cmocka_unit_test_setup(test_busiest_of_a_scope, clear),
		cmocka_unit_test_setup(test_no_survey, clear),
		cmocka_unit_test_setup(test_no_range, clear),
		cmocka_unit_test_setup(test_absent, clear),
		cmocka_unit_test_setup(test_soon, clear),
		cmocka_unit_test_setup(test_soon_is_worse, clear),
		cmocka_unit_test_setup(test_soon_in_scope, clear),
		cmocka_unit_test_setup(test_replayed, clear),
		cmocka_unit_test_setup(test_young, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
