/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/close-wait.h"

#include <errno.h>
#include <string.h>

/* Questions in one step: an age is a round trip to the kernel, some 40 us; a unit's name is mostly at hand. */
#define AGES_A_STEP 8
#define UNITS_A_STEP 16

int tw_close_wait_work_init(struct tw_close_wait_work *work, const struct tw_hash_key *secret)
{
	return tw_waiters_init(&work->waiters, secret);
}

void tw_close_wait_work_done(struct tw_close_wait_work *work)
{
	tw_waiters_done(&work->waiters);
}

void tw_close_wait_work_begin(struct tw_close_wait_work *work, struct tw_waiter_set *known, usec_t at_usec,
			      usec_t age_usec)
{
	tw_waiters_begin(&work->waiters, known, at_usec, age_usec);
	tw_owners_clear(&work->owners);
	work->ages_asked = work->finished = false;
	work->asked = 0;
}

void tw_close_wait_work_add(struct tw_close_wait_work *work, const struct tw_flow *flow)
{
	uint64_t cgroup_id = flow->has_cgroup ? flow->cgroup_id : 0;

	tw_waiters_add(&work->waiters, flow, tw_owners_add(&work->owners, cgroup_id));
}

static void ask_ages(struct tw_close_wait_work *work, struct tw_source *source)
{
	struct tw_waiters *waiters = &work->waiters;

	for (unsigned i = 0; i < AGES_A_STEP && work->asked < waiters->question_count; i++, work->asked++) {
		/* One that is gone, or of which is not told, is no leak that anybody can know of. */
		struct tw_idle idle = { 0 };
		int r = source->idle(source, &waiters->questions[work->asked].flow, &idle);

		if (r == 0 || r == -ENOENT || r == -ENODATA)
			tw_waiters_answer(waiters, work->asked, &idle);
		/* What the kernel refuses once it will refuse again; an age not known is a smaller loss than a scan. */
		else
			waiters->question_count = 0;
	}
	if (work->asked < waiters->question_count)
		return;
	work->ages_asked = true;
	work->asked = 0;
}

static void ask_units(struct tw_close_wait_work *work, struct tw_source *source)
{
	struct tw_owners *owners = &work->owners;

	for (unsigned i = 0; i < UNITS_A_STEP && work->asked < owners->owner_count; i++, work->asked++) {
		uint64_t cgroup_id = owners->owners[work->asked].cgroup_id;
		char unit[TW_UNIT_MAX];

		if (cgroup_id == 0 || source->unit(source, cgroup_id, unit) < 0)
			unit[0] = '\0';
		tw_owners_name(owners, work->asked, unit);
	}
}

/* What was gathered takes the place of what the scan before told. */
static void finish(struct tw_close_wait_work *work)
{
	struct tw_waiters *waiters = &work->waiters;

	work->finished = true;
	tw_waiters_end(waiters);
	work->result.untracked = waiters->known_untracked;
	tw_owners_results(&work->owners, waiters->known->waiters, waiters->known->count, waiters->at_usec,
			  &work->result);
}

bool tw_close_wait_work_step(struct tw_close_wait_work *work, struct tw_source *source)
{
	if (work->finished)
		return false;
	if (!work->ages_asked && work->waiters.question_count > 0) {
		ask_ages(work, source);
		return true;
	}
	ask_units(work, source);
	if (work->asked < work->owners.owner_count)
		return true;
	finish(work);
	return false;
}

void tw_close_wait_work_results(const struct tw_close_wait_work *work, usec_t at_usec, bool partial,
				struct tw_close_wait *ret)
{
	const struct tw_close_wait *found = &work->result;

	ret->at_usec = at_usec;
	ret->partial = partial;
	ret->untracked = partial ? 0 : found->untracked;
	ret->row_count = partial ? 0 : found->row_count;
	ret->socket_count = partial ? 0 : found->socket_count;
	ret->sockets = ret->socket_count > 0 ? found->sockets : NULL;
	memcpy(ret->rows, found->rows, ret->row_count * sizeof(ret->rows[0]));
}
