/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/close-wait.h"

#include "base/macros.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Questions in one step: an age is a round trip to the kernel, some 40 us; a unit's name is mostly at hand. */
#define AGES_A_STEP 8
#define UNITS_A_STEP 16

void tw_close_wait_set_done(struct tw_close_wait_set *set)
{
	free(set->sockets);
	*set = (struct tw_close_wait_set){ 0 };
}

void tw_close_wait_work_done(struct tw_close_wait_work *work)
{
	tw_close_wait_set_done(&work->fresh);
}

static int compare_cookies(const void *left, const void *right)
{
	const struct tw_close_wait_socket *a = left, *b = right;

	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

struct tw_close_wait_socket *tw_close_wait_find(const struct tw_close_wait_socket *sockets, uint32_t count,
						uint64_t cookie)
{
	const struct tw_close_wait_socket key = { .cookie = cookie };

	return count > 0 ? bsearch(&key, sockets, count, sizeof(key), compare_cookies) : NULL;
}

/* Whether it is so old that it matters, while the kernel said so before it was, or too long ago. */
static bool is_due(const struct tw_close_wait_work *work, const struct tw_close_wait_socket *socket)
{
	return tw_usec_since(work->at_usec, socket->since_usec) >= work->age_usec &&
	       (tw_usec_since(socket->asked_usec, socket->since_usec) < work->age_usec ||
		tw_usec_since(work->at_usec, socket->asked_usec) >= work->age_usec);
}

void tw_close_wait_work_begin(struct tw_close_wait_work *work, struct tw_close_wait_set *known, usec_t at_usec,
			      usec_t age_usec)
{
	unsigned due = 0;

	tw_close_wait_set_done(&work->fresh);
	work->known = known;
	work->at_usec = at_usec;
	work->age_usec = age_usec > 0 ? TW_MIN(age_usec, TW_CLOSE_WAIT_AGE_USEC) : TW_CLOSE_WAIT_AGE_USEC;
	work->untracked = 0;
	work->question_count = work->asked = 0;
	work->cgroup_count = work->named = work->unit_count = 0;
	for (uint32_t i = 0; i < known->count; i++)
		due += is_due(work, &known->sockets[i]);
	work->all = due > TW_CLOSE_WAIT_ASKED_MAX;
	work->new_left = work->all ? 0 : TW_CLOSE_WAIT_ASKED_MAX - due;
}

/* Its index, or TW_NO_UNIT. Few have sockets in CLOSE-WAIT, so that one after the other is looked at. */
static uint32_t find_cgroup(struct tw_close_wait_work *work, uint64_t id)
{
	/* A program's sockets come one behind the other more often than not. */
	if (work->cgroup_last < work->cgroup_count && work->cgroups[work->cgroup_last].id == id)
		return work->cgroup_last;
	for (uint32_t i = 0; i < work->cgroup_count; i++)
		if (work->cgroups[i].id == id)
			return work->cgroup_last = i;
	if (work->cgroup_count == TW_CLOSE_WAIT_CGROUPS_MAX)
		return TW_NO_UNIT;
	work->cgroups[work->cgroup_count].id = id;
	return work->cgroup_count++;
}

/* Twice the room, while there may be more. */
static bool grow(struct tw_close_wait_set *set)
{
	uint32_t room = TW_MAX(2 * set->room, TW_CLOSE_WAIT_MIN);
	void *sockets = room <= TW_CLOSE_WAIT_MAX ? realloc(set->sockets, room * sizeof(*set->sockets)) : NULL;

	if (!sockets)
		return false;
	set->sockets = sockets;
	set->room = room;
	return true;
}

static void ask(struct tw_close_wait_work *work, const struct tw_flow *flow)
{
	if (!work->all && work->question_count < TW_CLOSE_WAIT_ASKED_MAX)
		work->questions[work->question_count++] = *flow;
}

/*
 * Half-closed, as long as something waits to be sent; or in an accept queue still, so that no program can close it: it
 * has no inode before accept().
 */
static bool has_no_age(const struct tw_flow *flow)
{
	return flow->send_queue > 0 || flow->inode == 0;
}

void tw_close_wait_work_add(struct tw_close_wait_work *work, const struct tw_flow *flow)
{
	const struct tw_close_wait_socket *known =
		tw_close_wait_find(work->known->sockets, work->known->count, flow->cookie);
	struct tw_close_wait_socket *socket;

	if (work->fresh.count == work->fresh.room && !grow(&work->fresh)) {
		work->untracked++;
		return;
	}
	socket = &work->fresh.sockets[work->fresh.count++];
	*socket = (struct tw_close_wait_socket){
		.cookie = flow->cookie,
		.since_usec = work->at_usec,
		.asked_usec = work->at_usec,
		/* The FIN takes a place in the queue, until it is read as the end of the stream. */
		.unread = flow->receive_queue > 0 ? flow->receive_queue - 1 : 0,
		.unit = find_cgroup(work, flow->has_cgroup ? flow->cgroup_id : 0),
	};
	if (has_no_age(flow)) {
		socket->since_usec = TW_USEC_INFINITY;
	} else if (known) {
		/* What waited to be sent was sent after the last scan; when is asked if it comes to matter. */
		socket->since_usec = TW_MIN(known->since_usec, work->at_usec);
		socket->asked_usec = known->asked_usec;
		if (is_due(work, socket))
			ask(work, flow);
	} else if (work->new_left > 0) {
		work->new_left--;
		ask(work, flow);
	}
}

bool tw_close_wait_work_sort(struct tw_close_wait_work *work)
{
	struct tw_close_wait_set *set = &work->fresh;
	uint32_t count = 0;

	if (set->count > 0)
		qsort(set->sockets, set->count, sizeof(*set->sockets), compare_cookies);
	/* A dump may tell one twice. */
	for (uint32_t i = 0; i < set->count; i++)
		if (count == 0 || set->sockets[i].cookie != set->sockets[count - 1].cookie)
			set->sockets[count++] = set->sockets[i];
	set->count = count;
	return work->all;
}

/*
 * The FIN carries an ACK: a socket that is new waits since the last one at least, unless its peer sent more. What came
 * later is no news of the FIN. `idle`: NULL where it is of no age.
 */
static void settle(struct tw_close_wait_work *work, uint64_t cookie, const struct tw_idle *idle)
{
	struct tw_close_wait_socket *socket = tw_close_wait_find(work->fresh.sockets, work->fresh.count, cookie);
	usec_t at_usec = work->at_usec, fin_usec;

	if (!socket)
		return;
	if (!idle) {
		socket->since_usec = TW_USEC_INFINITY;
		return;
	}
	fin_usec = socket->since_usec == at_usec ? tw_usec_since(at_usec, idle->ack_received_ms * TW_USEC_PER_MSEC)
						 : socket->since_usec;
	socket->since_usec = TW_MAX(fin_usec, tw_usec_since(at_usec, idle->data_sent_ms * TW_USEC_PER_MSEC));
	socket->asked_usec = at_usec;
}

void tw_close_wait_work_tell(struct tw_close_wait_work *work, const struct tw_flow *flow)
{
	settle(work, flow->cookie, has_no_age(flow) || !flow->has_idle ? NULL : &flow->idle);
}

static void ask_ages(struct tw_close_wait_work *work, struct tw_source *source)
{
	for (unsigned i = 0; i < AGES_A_STEP && work->asked < work->question_count; i++) {
		const struct tw_flow *flow = &work->questions[work->asked++];
		/* One that is gone, or of which is not told, is no leak that anybody can know of. */
		struct tw_idle idle = { 0 };
		int r = source->idle(source, flow, &idle);

		if (r == 0 || r == -ENOENT || r == -ENODATA)
			settle(work, flow->cookie, &idle);
		/* What the kernel refuses once it will refuse again; an age not known is a smaller loss than a scan. */
		else
			work->question_count = 0;
	}
}

/* Its name is "" where it is not known. */
static void ask_unit(struct tw_close_wait_work *work, struct tw_source *source, uint32_t cgroup)
{
	char name[TW_UNIT_MAX];
	uint32_t at = 0;

	if (work->cgroups[cgroup].id == 0 || source->unit(source, work->cgroups[cgroup].id, name) < 0)
		name[0] = '\0';
	while (at < work->unit_count && strcmp(work->units[at].row.unit, name) != 0)
		at++;
	if (at == work->unit_count) {
		/* There are as many places as cgroups. */
		work->units[work->unit_count++] = (struct tw_close_wait_unit){ .index = at };
		(void)tw_text_copy(work->units[at].row.unit, sizeof(work->units[at].row.unit), name);
	}
	work->cgroups[cgroup].unit = at;
}

bool tw_close_wait_work_step(struct tw_close_wait_work *work, struct tw_source *source)
{
	if (work->asked < work->question_count) {
		ask_ages(work, source);
		return true;
	}
	for (unsigned i = 0; i < UNITS_A_STEP && work->named < work->cgroup_count; i++)
		ask_unit(work, source, work->named++);
	return work->named < work->cgroup_count;
}

static int compare_units(const void *left, const void *right)
{
	const struct tw_close_wait_row *a = &((const struct tw_close_wait_unit *)left)->row;
	const struct tw_close_wait_row *b = &((const struct tw_close_wait_unit *)right)->row;

	return a->count != b->count ? (a->count > b->count ? -1 : 1) : strcmp(a->unit, b->unit);
}

/* From now on the unit of a socket is the index of its row. */
static void sum_up(struct tw_close_wait_work *work, struct tw_close_wait *ret)
{
	uint32_t row_of[TW_CLOSE_WAIT_CGROUPS_MAX];

	for (uint32_t i = 0; i < work->fresh.count; i++) {
		struct tw_close_wait_socket *socket = &work->fresh.sockets[i];
		struct tw_close_wait_row *row;

		if (socket->unit == TW_NO_UNIT)
			continue;
		socket->unit = work->cgroups[socket->unit].unit;
		row = &work->units[socket->unit].row;
		row->count++;
		row->oldest_usec = TW_MAX(row->oldest_usec, tw_usec_since(work->at_usec, socket->since_usec));
		row->unread += socket->unread;
	}
	qsort(work->units, work->unit_count, sizeof(work->units[0]), compare_units);
	for (uint32_t i = 0; i < work->unit_count; i++) {
		row_of[work->units[i].index] = i < TW_TOP_MAX ? i : TW_NO_UNIT;
		if (i < TW_TOP_MAX)
			ret->rows[ret->row_count++] = work->units[i].row;
	}
	for (uint32_t i = 0; i < work->fresh.count; i++)
		if (work->fresh.sockets[i].unit != TW_NO_UNIT)
			work->fresh.sockets[i].unit = row_of[work->fresh.sockets[i].unit];
}

void tw_close_wait_work_results(struct tw_close_wait_work *work, bool partial, struct tw_close_wait *ret)
{
	ret->at_usec = work->at_usec;
	ret->partial = partial;
	ret->untracked = partial ? 0 : work->untracked;
	ret->row_count = 0;
	ret->socket_count = 0;
	ret->sockets = NULL;
	if (partial)
		return;
	sum_up(work, ret);
	tw_close_wait_set_done(work->known);
	*work->known = work->fresh;
	work->fresh = (struct tw_close_wait_set){ 0 };
	ret->socket_count = work->known->count;
	ret->sockets = work->known->sockets;
}
