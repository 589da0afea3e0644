/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/watch.h"

/* The first step of a dump is its request: the kernel walks the table in it already. */
static int step_scan(void *context)
{
	struct tw_watch *watch = context;
	int r;

	if (watch->job_begun)
		return tw_scan_step(watch->scan, watch->edges.source);
	watch->job_begun = true;
	r = tw_scan_begin(watch->scan, &watch->past, watch->edges.source, &watch->order);
	return r < 0 ? r : 1;
}

static int step_hunt(void *context)
{
	struct tw_watch *watch = context;

	return tw_chase_step(&watch->chase, watch->edges.source);
}

static const tw_worker_step steps[] = {
	[TW_WATCH_SCAN] = step_scan,
	[TW_WATCH_HUNT] = step_hunt,
};

void tw_watch_start_job(struct tw_watch *watch, enum tw_watch_job job)
{
	watch->job = job;
	watch->job_begun = false;
	watch->job_from_usec = watch->meter.spent_usec;
	if (watch->edges.worker)
		tw_worker_start(watch->edges.worker, steps[job], watch);
}

bool tw_watch_end_job(struct tw_watch *watch, int *ret)
{
	struct tw_worker_end end;

	if (!watch->edges.worker) {
		*ret = steps[watch->job](watch);
		watch->job_cost_usec = tw_usec_since(watch->meter.spent_usec, watch->job_from_usec);
		return *ret <= 0;
	}
	if (!tw_worker_take(watch->edges.worker, &end))
		return false;
	watch->job_cost_usec = end.cpu_usec;
	*ret = end.result;
	return true;
}
