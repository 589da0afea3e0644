/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/chase.h"

#include <string.h>

void tw_chase_init(struct tw_chase *chase, struct tw_socket_sink *sink, struct tw_recorder *recorder,
		   const char *namespace)
{
	memset(chase, 0, sizeof(*chase));
	tw_reaper_init(&chase->reaper, sink, recorder, namespace);
}

void tw_chase_done(struct tw_chase *chase)
{
	chase->hunt = tw_hunt_free(chase->hunt);
}

void tw_chase_order(struct tw_chase *chase, const struct tw_kill_orders *orders, enum tw_mode mode, usec_t now_usec)
{
	/* A hunt that lasts longer than a tick brings home what it was sent for. */
	if (chase->hunting)
		return;
	chase->stopped = false;
	if (orders->count == 0 && chase->idle)
		return;
	chase->idle = orders->count == 0;
	chase->orders = *orders;
	chase->mode = mode;
	tw_reaper_quota(&chase->reaper, &chase->orders, mode, now_usec, &chase->quota);
	chase->wanted = false;
	for (unsigned i = 0; i < orders->count; i++)
		chase->wanted = chase->wanted || chase->quota.wanted[i];
}

/* One that fails is not told: the next scan fails for the same reason and says so. Nor is a lack of memory. */
bool tw_chase_begin(struct tw_chase *chase, const struct tw_sample *sample, usec_t now_usec)
{
	if (!chase->hunt)
		chase->hunt = tw_hunt_new();
	if (chase->wanted && chase->hunt)
		chase->hunting = tw_hunt_begin(chase->hunt, &chase->orders, &chase->quota, sample, now_usec);
	chase->wanted = false;
	return chase->hunting;
}

int tw_chase_step(struct tw_chase *chase, struct tw_source *source)
{
	return tw_hunt_step(chase->hunt, source);
}

void tw_chase_end(struct tw_chase *chase, int result)
{
	struct tw_catch catch;

	chase->hunting = false;
	if (result == 0 && !chase->stopped) {
		tw_hunt_results(chase->hunt, &catch);
		tw_reaper_reap(&chase->reaper, &chase->orders, &catch, chase->mode);
	}
}

void tw_chase_stop(struct tw_chase *chase)
{
	chase->wanted = chase->idle = false;
	chase->stopped = true;
	memset(&chase->orders, 0, sizeof(chase->orders));
}
