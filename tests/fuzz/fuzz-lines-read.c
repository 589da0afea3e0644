/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as lines of JSON: what is taken is of the time and namespace asked for, and each of its fields is whole. */
#include "ctl/past/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the reader is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

/* All that the seeds tell of, and not all that can be told. */
static const struct tw_past_order order = {
	.input = "-",
	.namespace = "host",
	.since_usec = 1000,
	.until_usec = UINT64_C(2000000000) * TW_USEC_PER_SEC,
};

static int take(struct tw_past_taker *taker, usec_t at_usec, const struct tw_record *record)
{
	enum tw_event_kind kind;

	(void)taker;
	require(at_usec >= order.since_usec && at_usec <= order.until_usec);
	require(strcmp(tw_past_text(record, "TIMEWAITD_NAMESPACE"), order.namespace) == 0);
	require(tw_record_get(record, "TIMEWAITD_EVENT") != NULL);
	require(record->count <= TW_RECORD_FIELDS_MAX);
	for (size_t i = 0; i < record->count; i++) {
		const char *text = record->fields[i].text;

		require(strlen(text) == record->fields[i].length);
		require(text[record->fields[i].name_length] == '=');
		require(record->fields[i].name_length <= 64);
		require(tw_past_keeps(text, record->fields[i].name_length));
	}
	(void)tw_past_event(record, &kind);
	return at_usec % 7 == 0 ? -ECANCELED : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tw_record record;
	struct tw_past_taker taker = { .take = take };
	const char *line = (const char *)data, *end = line + size;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = newline ? (size_t)(newline + 1 - line) : (size_t)(end - line);
		int r = tw_lines_read_one(&order, &taker, &record, line, length);

		require(r == 0 || r == 1 || r == -EBADMSG || r == -ECANCELED);
		line += length;
	}
	return 0;
}
