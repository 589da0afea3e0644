/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/watch.h"

/* The first step of a dump is its request: the kernel walks the table in it already. */
static int step_scan(void *context)
{
	struct tw_watch *watch = context;
	int r;

	if (watch->job_begun)
		return tw_scan_step(watch->room->scan, watch->edges.source);
	watch->job_begun = true;
	r = tw_scan_begin(watch->room->scan, &watch->past, watch->edges.source, &watch->order);
	return r < 0 ? r : 1;
}

static int step_search(void *context)
{
	struct tw_watch *watch = context;

	return tw_destroy_job_step(&watch->acting->destroying, watch->edges.source);
}

static const tw_worker_step steps[] = {
	[TW_WATCH_SCAN] = step_scan,
	[TW_WATCH_DESTROY] = step_search,
};

void tw_watch_start_job(struct tw_watch *watch, enum tw_watch_job job)
{
	watch->job = job;
	watch->job_begun = false;
	watch->job_cost_usec = 0;
	if (watch->room->worker)
		tw_worker_start(watch->room->worker, steps[job], watch);
}

void tw_watch_charge(struct tw_watch *watch, usec_t cpu_usec)
{
	watch->job_cost_usec = tw_usec_add(watch->job_cost_usec, cpu_usec);
	if (watch->job_borrows)
		tw_cpu_budget_borrow(watch->charged, cpu_usec);
	else
		tw_cpu_budget_spend(watch->charged, cpu_usec);
}

bool tw_watch_end_job(struct tw_watch *watch, int *ret)
{
	struct tw_worker_end end;

	if (!watch->room->worker) {
		*ret = steps[watch->job](watch);
		return *ret <= 0;
	}
	if (!tw_worker_take(watch->room->worker, &end))
		return false;
	tw_watch_charge(watch, end.cpu_usec);
	*ret = end.result;
	return true;
}
