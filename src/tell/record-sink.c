/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sink.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/text.h"
#include "tell/journal-sink.h"
#include "tell/line-sink.h"
#include "tell/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A whole record in JSON, of which only what has to be escaped grows: with four times its bytes nothing real is cut. */
#define LINE_BYTES_MAX (4 * TW_RECORD_BYTES_MAX)

struct tw_record_sink {
	struct tw_recorder recorder; /* first: the recorder's address is the sink's */
	enum tw_log log;
	struct tw_journal_sink journal;
	struct tw_line_sink lines;
	uint64_t dropped;
	uint64_t told; /* of these, told in a record that got through */
	struct tw_record record;
	char line[LINE_BYTES_MAX];
};

static int put_line(struct tw_record_sink *sink, struct tw_text *text)
{
	/* Half an object is none. */
	if (text->cut)
		return -EMSGSIZE;
	return tw_line_sink_put(&sink->lines, text->bytes, text->length);
}

/* "12:34:56 warning: ...": the date stands in the journal and in JSON, here it would only be in the way. */
static void add_clock(struct tw_text *text, const struct timespec *now)
{
	struct tm local;

	if (localtime_r(&now->tv_sec, &local))
		tw_text_addf(text, "%02d:%02d:%02d ", local.tm_hour, local.tm_min, local.tm_sec);
}

static int put_text(struct tw_record_sink *sink, const struct timespec *now, uint64_t lost)
{
	struct tw_text text;

	tw_text_init(&text, sink->line, sizeof(sink->line));
	add_clock(&text, now);
	tw_record_add_text(&sink->record, &text);
	if (lost > 0)
		tw_text_addf(&text, " (%" PRIu64 " %s lost before this one)", lost, lost == 1 ? "record" : "records");
	tw_text_add_char(&text, '\n');
	return put_line(sink, &text);
}

static int put_json(struct tw_record_sink *sink, const struct timespec *now)
{
	struct tw_text text;
	struct tw_json json;

	tw_record_begin(&sink->record, &text, "", "__REALTIME_TIMESTAMP");
	tw_text_addf(&text, "%" PRIu64, (usec_t)now->tv_sec * TW_USEC_PER_SEC + (usec_t)now->tv_nsec / 1000);
	(void)tw_record_end(&sink->record, &text);

	tw_text_init(&text, sink->line, sizeof(sink->line));
	tw_json_init(&json, &text);
	tw_record_add_json(&sink->record, &json);
	tw_text_add_char(&text, '\n');
	return put_line(sink, &text);
}

static int put(struct tw_record_sink *sink, uint64_t lost)
{
	struct timespec now = { 0 };

	switch (sink->log) {
	case TW_LOG_JOURNAL:
		return tw_journal_sink_put(&sink->journal, &sink->record);
	case TW_LOG_TEXT:
		(void)clock_gettime(CLOCK_REALTIME, &now);
		return put_text(sink, &now, lost);
	case TW_LOG_JSON:
		(void)clock_gettime(CLOCK_REALTIME, &now);
		return put_json(sink, &now);
	}
	return -EINVAL;
}

static void tell(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	struct tw_record_sink *sink = (struct tw_record_sink *)recorder;
	uint64_t lost = tw_record_sink_untold(sink);
	bool said = true;
	struct tw_text text;

	/* Building a flight recorder is work that a line which cannot go out is not worth. */
	if (sink->log != TW_LOG_JOURNAL && tw_line_sink_ready(&sink->lines) < 0) {
		sink->dropped++;
		return;
	}
	tw_record_build(&sink->record, namespace, event);
	if (lost > 0) {
		tw_record_begin(&sink->record, &text, "", "TIMEWAITD_DROPPED");
		tw_text_addf(&text, "%" PRIu64, lost);
		said = tw_record_end(&sink->record, &text);
	}
	if (put(sink, lost) < 0)
		sink->dropped++;
	else if (said)
		sink->told += lost;
}

int tw_record_sink_new_at(enum tw_log log, int fd, const char *journal_path, struct tw_record_sink **ret)
{
	struct tw_record_sink *sink = calloc(1, sizeof(*sink));
	int r;

	if (!sink)
		return -ENOMEM;
	sink->recorder.tell = tell;
	sink->log = log;
	sink->journal.fd = -1;
	sink->lines.own = -1;
	if (log == TW_LOG_JOURNAL)
		r = tw_journal_sink_init(&sink->journal, journal_path);
	else
		r = tw_line_sink_init(&sink->lines, fd, sizeof(sink->line));
	if (r < 0) {
		(void)tw_record_sink_free(sink);
		return r;
	}
	*ret = sink;
	return 0;
}

int tw_record_sink_new(enum tw_log log, struct tw_record_sink **ret)
{
	return tw_record_sink_new_at(log, STDOUT_FILENO, TW_JOURNAL_SOCKET, ret);
}

struct tw_record_sink *tw_record_sink_free(struct tw_record_sink *sink)
{
	if (!sink)
		return NULL;
	tw_journal_sink_done(&sink->journal);
	tw_line_sink_done(&sink->lines);
	free(sink);
	return NULL;
}

struct tw_recorder *tw_record_sink_recorder(struct tw_record_sink *sink)
{
	return &sink->recorder;
}

uint64_t tw_record_sink_dropped(const struct tw_record_sink *sink)
{
	return sink->dropped;
}

uint64_t tw_record_sink_untold(const struct tw_record_sink *sink)
{
	return sink->dropped - sink->told;
}
