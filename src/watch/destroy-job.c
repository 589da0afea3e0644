/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/destroy-job.h"

#include <string.h>

void tw_destroy_job_init(struct tw_destroy_job *destroying, struct tw_socket_sink *sink, struct tw_recorder *recorder,
			 const char *namespace)
{
	memset(destroying, 0, sizeof(*destroying));
	tw_destroyer_init(&destroying->destroyer, sink, recorder, namespace);
}

void tw_destroy_job_done(struct tw_destroy_job *destroying)
{
	destroying->search = tw_destroy_search_free(destroying->search);
}

void tw_destroy_job_order(struct tw_destroy_job *destroying, const struct tw_kill_orders *orders, enum tw_mode mode,
			  usec_t now_usec)
{
	/* A search that lasts longer than a tick finds what it was sent for. */
	if (destroying->searching)
		return;
	destroying->stopped = false;
	if (orders->count == 0 && destroying->idle)
		return;
	destroying->idle = orders->count == 0;
	destroying->orders = *orders;
	destroying->mode = mode;
	tw_destroyer_quota(&destroying->destroyer, &destroying->orders, mode, now_usec, &destroying->quota);
	destroying->wanted = false;
	for (unsigned i = 0; i < orders->count; i++)
		destroying->wanted = destroying->wanted || destroying->quota.wanted[i];
}

/* One that fails is not told: the next scan fails for the same reason and says so. Nor is a lack of memory. */
bool tw_destroy_job_begin(struct tw_destroy_job *destroying, const struct tw_sample *sample, usec_t now_usec)
{
	if (!destroying->search)
		destroying->search = tw_destroy_search_new();
	if (destroying->wanted && destroying->search)
		destroying->searching = tw_destroy_search_begin(destroying->search, &destroying->orders,
								&destroying->quota, sample, now_usec);
	destroying->wanted = false;
	return destroying->searching;
}

int tw_destroy_job_step(struct tw_destroy_job *destroying, struct tw_source *source)
{
	return tw_destroy_search_step(destroying->search, source);
}

void tw_destroy_job_end(struct tw_destroy_job *destroying, int result)
{
	struct tw_destroy_found found;

	destroying->searching = false;
	if (result == 0 && !destroying->stopped) {
		tw_destroy_search_results(destroying->search, &found);
		tw_destroyer_end(&destroying->destroyer, &destroying->orders, &found, destroying->mode);
	}
}

void tw_destroy_job_stop(struct tw_destroy_job *destroying)
{
	destroying->wanted = destroying->idle = false;
	destroying->stopped = true;
	memset(&destroying->orders, 0, sizeof(destroying->orders));
}
