/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/measure-source.h"

#include "base/fd.h"
#include "measure/kernel-source.h"
#include "measure/look.h"

#include <sys/random.h>
#include <time.h>

struct tw_measure {
	struct tw_scan *scan; /* the sample borrows from it */
	struct tw_sample sample;
};

static usec_t read_clock(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * TW_USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

static void pause_for(usec_t span_usec)
{
	struct timespec left = {
		.tv_sec = (time_t)(span_usec / TW_USEC_PER_SEC),
		.tv_nsec = (long)(span_usec % TW_USEC_PER_SEC) * 1000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

static int measure(struct tw_measure *measure, struct tw_source *source)
{
	struct tw_look_order order = { .bound_known = tw_kernel_source_tells_bound() };
	int r;

	if (getrandom(&order.key, sizeof(order.key), 0) != (ssize_t)sizeof(order.key))
		return tw_errno();
	r = source->gauge(source, &measure->sample.gauge);
	if (r < 0)
		return r;
	measure->sample.gauge.at_usec = read_clock();
	pause_for(TW_MEASURE_SPAN_USEC);
	order.at_usec = read_clock();
	return tw_look_take(source, &order, &measure->scan, &measure->sample);
}

int tw_measure_new(struct tw_measure **ret)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_kernel_source *source = NULL;
	TW_CLEANUP_MEASURE struct tw_measure *made = calloc(1, sizeof(*made));
	int r;

	if (!made)
		return -ENOMEM;
	r = tw_kernel_source_new(&source);
	if (r < 0)
		return r;
	r = measure(made, tw_kernel_source_base(source));
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(made);
	return 0;
}

struct tw_measure *tw_measure_free(struct tw_measure *measure)
{
	if (measure) {
		(void)tw_scan_free(measure->scan);
		free(measure);
	}
	return NULL;
}

const struct tw_sample *tw_measure_sample(const struct tw_measure *measure)
{
	return &measure->sample;
}
