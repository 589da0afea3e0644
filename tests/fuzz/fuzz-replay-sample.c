/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any record as one of a sample: whatever it claims, what rules read of it is something that a sample can be. */
#include "ctl/simulate/replay-sample.h"
#include "decide/reading.h"
#include "fuzz/fields.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_sound(const struct tw_sample *sample)
{
	require(sample->gauge.at_usec > 0 && sample->previous.at_usec < sample->gauge.at_usec);
	require(sample->census.at_usec <= sample->gauge.at_usec && sample->survey.at_usec <= sample->gauge.at_usec);
	require(sample->survey.top_count <= TW_TOP_MAX);
	require(sample->close_wait.socket_count <= TW_REPLAY_WAITERS_MAX);
	for (uint32_t i = 0; i < sample->close_wait.socket_count; i++)
		require(sample->close_wait.sockets[i].since_usec <= sample->close_wait.at_usec);
}

/* As the rules of a replay do. */
static void read_metrics(const struct tw_sample *sample)
{
	struct tw_rule_settings rule = { .age_usec = TW_USEC_PER_MINUTE, .raise_milli = 2000, .clear_milli = 1000 };
	struct tw_reading_row row;

	for (unsigned i = 0; i < TW_METRIC_COUNT; i++) {
		rule.metric = (enum tw_metric)i;
		rule.forecast_usec = rule.metric == TW_METRIC_PORT_USE ? 15 * TW_USEC_PER_SEC : 0;
		tw_reading_worst(sample, &rule, &row);
		require(row.reading.at_usec == tw_reading_at(sample, &rule));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tw_close_wait_socket waiters[TW_REPLAY_WAITERS_MAX];
	static struct tw_record record;
	static struct tw_sample sample;
	const char *cursor = (const char *)data;
	usec_t at_usec;

	if (size > FIELDS_SIZE_MAX)
		return 0;
	if (!fields_next(&cursor, cursor + size, &record, &at_usec) || !tw_replay_sample(&record, waiters, &sample))
		return 0;
	require_sound(&sample);
	read_metrics(&sample);
	return 0;
}
