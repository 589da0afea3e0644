/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "exporter/ask-source.h"
#include "exporter/http-source.h"
#include "exporter/options.h"
#include "exporter/page-text.h"
#include "exporter/textfile-sink.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* Scrapes within this see the same figures: the daemon is asked once, however many scrape. */
#define FRESH_USEC TW_USEC_PER_SEC
/* A page of a host alone fits the first; thousands of namespaces with all their rows the last. */
#define PAGE_BYTES_MIN ((size_t)64 * 1024)
#define PAGE_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct exporter {
	struct tw_exporter_options options;
	sd_event *event;
	struct tw_ask *ask;
	struct tw_http *http; /* NULL: a file is written */
	struct tw_metrics metrics;
	usec_t told_usec; /* when the pages were made; 0: never */
	bool wanted[TW_FORMAT_COUNT], made[TW_FORMAT_COUNT];
	size_t capacity; /* that the last page fitted into */
	int failure;	 /* -errno of the last writing */
};

/* The journal takes the level off; a terminal would show it. */
static void say(const char *level, const char *words, const char *why)
{
	fprintf(stderr, "%stimewaitd-exporter: %s%s%s\n", getenv("JOURNAL_STREAM") ? level : "", words, why ? ": " : "",
		why ? why : "");
}

static int complain(const char *what, int r)
{
	say(SD_ERR, what, strerror(-r));
	return TW_EXIT_FAILURE;
}

/* ---- pages */

/* Returns the page, which the caller frees; NULL where there is no memory for it. */
static char *write_page(struct exporter *exporter, enum tw_format format, size_t *ret_length)
{
	size_t capacity = TW_MAX(exporter->capacity, PAGE_BYTES_MIN);

	for (; capacity <= PAGE_BYTES_MAX; capacity *= 2) {
		TW_CLEANUP_FREE char *bytes = malloc(capacity);
		struct tw_text text;

		if (!bytes)
			return NULL;
		tw_text_init(&text, bytes, capacity);
		tw_metrics_add(&text, format, &exporter->metrics);
		if (text.cut)
			continue;
		exporter->capacity = capacity;
		*ret_length = text.length;
		return TW_TAKE_PTR(bytes);
	}
	return NULL;
}

static int put_page(struct exporter *exporter, enum tw_format format)
{
	size_t length;
	TW_CLEANUP_FREE char *bytes = write_page(exporter, format, &length);

	if (!bytes)
		return -ENOMEM;
	if (!exporter->http)
		return tw_textfile_write(exporter->options.textfile, bytes, length);
	return tw_http_set_page(exporter->http, format, TW_TAKE_PTR(bytes), length);
}

/*
 * In the formats that somebody has asked for: they are as long as there is to tell. Where one cannot be made the old
 * one stays, and its own time stamp tells how old it is.
 */
static void put_pages(struct exporter *exporter)
{
	int r = 0;

	for (unsigned i = 0; i < TW_FORMAT_COUNT; i++) {
		exporter->made[i] = exporter->wanted[i];
		if (r >= 0 && exporter->wanted[i])
			r = put_page(exporter, (enum tw_format)i);
	}
	if (r < 0 && r != exporter->failure)
		(void)complain(exporter->http ? "cannot make a page" : exporter->options.textfile, r);
	exporter->failure = TW_MIN(r, 0);
	exporter->told_usec = tw_clock_read(CLOCK_MONOTONIC);
}

static void on_answer(void *context, const struct tw_ask_answer *answer)
{
	struct exporter *exporter = context;
	struct tw_metrics *metrics = &exporter->metrics;
	TW_CLEANUP_VIEW struct tw_view *view = NULL;
	bool was_up = metrics->errors == 0 || metrics->asking.known;

	if (answer->json && tw_snapshot_read(answer->json, strlen(answer->json), &view) < 0)
		view = NULL;
	metrics->view = view;
	metrics->errors += !view;
	metrics->asking = view ? tw_value_of((int64_t)answer->took_usec) : tw_value_unknown();
	if (was_up && !view)
		say(SD_WARNING, "timewaitd does not answer", answer->why);
	if (!was_up && view)
		say(SD_NOTICE, "timewaitd answers", NULL);
	put_pages(exporter);
	metrics->view = NULL;
	if (exporter->http)
		tw_http_go_on(exporter->http);
	else if (exporter->options.every_usec == 0)
		(void)sd_event_exit(exporter->event, exporter->failure < 0 ? TW_EXIT_FAILURE : TW_EXIT_OK);
}

static bool is_fresh(const struct exporter *exporter, enum tw_format format)
{
	return exporter->made[format] && exporter->told_usec != 0 &&
	       tw_usec_since(tw_clock_read(CLOCK_MONOTONIC), exporter->told_usec) < FRESH_USEC;
}

static bool on_request(void *context, enum tw_format format)
{
	struct exporter *exporter = context;

	exporter->metrics.scrapes++;
	exporter->wanted[format] = true;
	if (!is_fresh(exporter, format))
		tw_ask_begin(exporter->ask);
	return is_fresh(exporter, format);
}

/* ---- begin and end */

static int on_every(sd_event_source *source, uint64_t usec TW_UNUSED, void *userdata)
{
	struct exporter *exporter = userdata;
	int r;

	exporter->metrics.scrapes++;
	r = sd_event_source_set_time_relative(source, exporter->options.every_usec);
	if (r >= 0)
		r = sd_event_source_set_enabled(source, SD_EVENT_ON);
	tw_ask_begin(exporter->ask);
	return r;
}

static int begin_textfile(struct exporter *exporter)
{
	exporter->wanted[TW_FORMAT_TEXT] = true;
	if (exporter->options.every_usec > 0)
		return sd_event_add_time_relative(exporter->event, NULL, CLOCK_MONOTONIC, 0, 0, on_every, exporter);
	exporter->metrics.scrapes++;
	tw_ask_begin(exporter->ask);
	return 0;
}

static int begin_http(struct exporter *exporter)
{
	const char *listen = exporter->options.listen;
	int fds[TW_HTTP_LISTEN_MAX], count = sd_listen_fds(1), r = 0;

	if (count < 0)
		return count;
	if (count == 0 && !listen)
		return -EDESTADDRREQ;
	if (count + (listen != NULL) > TW_HTTP_LISTEN_MAX)
		return -E2BIG;
	for (int i = 0; i < count; i++)
		fds[i] = SD_LISTEN_FDS_START + i;
	if (listen)
		r = tw_http_listen(listen, &fds[count++]);
	if (r < 0)
		return r;
	return tw_http_new(exporter->event, fds, (unsigned)count, on_request, exporter, &exporter->http);
}

static int block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? tw_errno() : 0;
}

static int begin(struct exporter *exporter)
{
	int r = block_signals();

	if (r >= 0)
		r = sd_event_default(&exporter->event);
	if (r >= 0)
		r = sd_event_add_signal(exporter->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(exporter->event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = tw_ask_new(exporter->event, exporter->options.address, on_answer, exporter, &exporter->ask);
	return r;
}

static int run(struct exporter *exporter)
{
	int r = begin(exporter);

	if (r < 0)
		return complain("cannot start", r);
	r = exporter->options.textfile ? begin_textfile(exporter) : begin_http(exporter);
	if (r == -EDESTADDRREQ) {
		say(SD_ERR, "no socket to serve at", "start timewaitd-exporter.socket, or say --listen");
		return TW_EXIT_FAILURE;
	}
	if (r < 0)
		return complain(exporter->options.listen ? exporter->options.listen : "cannot serve", r);
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(exporter->event);
	return r < 0 ? complain("the loop", r) : r;
}

int main(int argc, char *argv[])
{
	struct exporter exporter = { .metrics.asking = { 0 } };
	int r = tw_exporter_options_parse(&exporter.options, argc, argv);

	if (r >= 0)
		return r;
	exporter.metrics.top = exporter.options.top;
	exporter.metrics.top_other = exporter.options.top_other;
	r = run(&exporter);
	(void)tw_http_free(exporter.http);
	(void)tw_ask_free(exporter.ask);
	(void)sd_event_unref(exporter.event);
	return r;
}
