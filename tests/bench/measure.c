/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure: the measuring wing alone, on the sockets of this network namespace, as the daemon drives it. It lives on
 * between two scans as the daemon does. Each line on stdin is one piece of work:
 *   gauge       what every tick reads; the mean of many, without a pause
 *   wake        a process that sleeps 100 ms and does nothing: what any tick costs before it does anything
 *   wake-gauge  the same, and in between it reads what every tick reads
 *   census      the routine one: what is many is masked out, and derived; ESTABLISHED after a survey or two only
 *   census-all  all of it is dumped
 *   survey      every socket is attributed to its destination
 */
#include "base/fd.h"
#include "base/macros.h"
#include "bench/work.h"
#include "measure/kernel-source.h"
#include "measure/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define GAUGES 100
#define WAKES 100
#define WAKE_EVERY_NS 100000000

struct bench {
	struct tw_source *source;
	struct tw_scan *scan;
	struct tw_scan_past past;
	struct tw_sample *sample;
};

static _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(error));
	exit(1);
}

static void read_gauge(struct bench *bench)
{
	int r = bench->source->gauge(bench->source, &bench->sample->gauge);

	if (r < 0)
		fail("gauge", -r);
	bench->sample->gauge.at_usec = tw_clock_read(CLOCK_MONOTONIC);
}

static void scan(struct bench *bench, enum tw_scan_kind kind, bool derive)
{
	struct tw_scan_order order = {
		.kind = kind,
		.derive_time_wait = derive,
		.derive_established = derive,
		.bound_known = tw_kernel_source_tells_bound(),
		.at_usec = tw_clock_read(CLOCK_MONOTONIC),
	};
	int r;

	read_gauge(bench);
	order.gauge = bench->sample->gauge;
	r = tw_scan_begin(bench->scan, &bench->past, bench->source, &order);
	if (r < 0)
		fail("tw_scan_begin", -r);
	while ((r = tw_scan_step(bench->scan, bench->source)) > 0)
		;
	if (r < 0)
		fail("tw_scan_step", -r);
	tw_scan_results(bench->scan, bench->sample);
}

static void run_gauges(struct bench *bench)
{
	struct work_clock began = work_clock_read();

	for (unsigned i = 0; i < GAUGES; i++)
		read_gauge(bench);
	work_clock_print(&began, GAUGES, "");
}

static void advance(struct timespec *time, long ns)
{
	time->tv_nsec += ns;
	if (time->tv_nsec >= 1000000000) {
		time->tv_nsec -= 1000000000;
		time->tv_sec++;
	}
}

static void run_wakes(struct bench *bench, bool gauge)
{
	struct work_clock began = work_clock_read();
	struct timespec due = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &due);
	for (unsigned i = 0; i < WAKES; i++) {
		advance(&due, WAKE_EVERY_NS);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		if (gauge)
			read_gauge(bench);
	}
	work_clock_print(&began, WAKES, "");
}

static void run_scan(struct bench *bench, enum tw_scan_kind kind, bool derive)
{
	struct work_clock began = work_clock_read();
	char more[160];
	const struct tw_census *census = &bench->sample->census;

	scan(bench, kind, derive);
	(void)snprintf(more, sizeof(more),
		       ", \"partial\": %s, \"time_wait\": %" PRIu64 ", \"established\": %" PRIu64
		       ", \"destinations\": %" PRIu64,
		       census->partial ? "true" : "false", (uint64_t)census->count[TW_STATE_TIME_WAIT],
		       (uint64_t)census->count[TW_STATE_ESTABLISHED],
		       kind == TW_SCAN_SURVEY ? (uint64_t)bench->sample->survey.destinations : 0);
	work_clock_print(&began, 1, more);
}

static void work(struct bench *bench, const char *what)
{
	if (strcmp(what, "gauge") == 0)
		run_gauges(bench);
	else if (strcmp(what, "wake") == 0)
		run_wakes(bench, false);
	else if (strcmp(what, "wake-gauge") == 0)
		run_wakes(bench, true);
	else if (strcmp(what, "census") == 0)
		run_scan(bench, TW_SCAN_CENSUS, true);
	else if (strcmp(what, "census-all") == 0)
		run_scan(bench, TW_SCAN_CENSUS, false);
	else if (strcmp(what, "survey") == 0)
		run_scan(bench, TW_SCAN_SURVEY, false);
	else
		fail(what, EINVAL);
}

int main(void)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *source = NULL;
	TW_CLEANUP_SCAN struct tw_scan *scan_kept = NULL;
	TW_CLEANUP_FREE struct tw_sample *sample = calloc(1, sizeof(*sample));
	struct tw_hash_key key;
	struct bench bench;
	char line[32];
	int r;

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		fail("getrandom", errno);
	r = tw_kernel_source_new(NULL, NULL, &source);
	if (r < 0)
		fail("start", -r);
	scan_kept = tw_scan_new(&key);
	if (!scan_kept || !sample)
		fail("start", ENOMEM);
	bench = (struct bench){ .source = source, .scan = scan_kept, .sample = sample };
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		work(&bench, line);
	}
	return 0;
}
