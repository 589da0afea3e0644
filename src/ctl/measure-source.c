/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/measure-source.h"

#include "base/fd.h"
#include "measure/kernel-source.h"
#include "measure/scan.h"

#include <sys/random.h>
#include <time.h>

/* Ports that the kernel is asked about: as many as tell it well enough. */
#define ASK_MOST 1000

struct tw_measure {
	struct tw_source *source;
	struct tw_scan_past past; /* the sample borrows from it */
	struct tw_hash_key key;
	struct tw_scan_order order;
	struct tw_sample sample;
	usec_t cost_usec;
};

static void pause_for(usec_t span_usec)
{
	struct timespec left = {
		.tv_sec = (time_t)(span_usec / TW_USEC_PER_SEC),
		.tv_nsec = (long)(span_usec % TW_USEC_PER_SEC) * 1000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

int tw_measure_again(struct tw_measure *measure)
{
	usec_t began_usec = tw_clock_read(CLOCK_PROCESS_CPUTIME_ID);
	int r;

	measure->order.at_usec = tw_clock_read(CLOCK_MONOTONIC);
	r = tw_scan_once(measure->source, &measure->key, &measure->order, &measure->past, &measure->sample);
	if (r < 0)
		return r;
	measure->cost_usec = tw_usec_since(tw_clock_read(CLOCK_PROCESS_CPUTIME_ID), began_usec);
	return 0;
}

static int measure_twice(struct tw_measure *measure)
{
	struct tw_source *source = measure->source;
	struct tw_scan_order *order = &measure->order;
	int r;

	order->bound_known = tw_kernel_source_tells_bound();
	order->ask_most = ASK_MOST;
	if (getrandom(&measure->key, sizeof(measure->key), 0) != (ssize_t)sizeof(measure->key))
		return tw_errno();
	r = source->gauge(source, &measure->sample.gauge);
	if (r < 0)
		return r;
	measure->sample.gauge.at_usec = tw_clock_read(CLOCK_MONOTONIC);
	pause_for(TW_MEASURE_SPAN_USEC);
	return tw_measure_again(measure);
}

int tw_measure_new(struct tw_measure **ret)
{
	TW_CLEANUP_MEASURE struct tw_measure *made = calloc(1, sizeof(*made));
	int r;

	if (!made)
		return -ENOMEM;
	r = tw_kernel_source_new(NULL, NULL, &made->source);
	if (r < 0)
		return r;
	r = measure_twice(made);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(made);
	return 0;
}

struct tw_measure *tw_measure_free(struct tw_measure *measure)
{
	if (measure) {
		tw_scan_past_done(&measure->past);
		(void)tw_kernel_source_free(measure->source);
		free(measure);
	}
	return NULL;
}

usec_t tw_measure_cost(const struct tw_measure *measure)
{
	return measure->cost_usec;
}

const struct tw_sample *tw_measure_sample(const struct tw_measure *measure)
{
	return &measure->sample;
}
