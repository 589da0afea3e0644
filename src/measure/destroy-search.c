/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/destroy-search.h"

#include "measure/candidates.h"
#include "measure/walk.h"
#include "model/port-model.h"

#include <stdlib.h>
#include <string.h>

/* Sockets in CLOSE-WAIT that are known to be old enough; those beyond have to wait for the next search. */
#define AGED_MAX TW_CANDIDATES_MAX

struct aged {
	uint64_t cookie;
	usec_t age_usec;
	uint32_t unit; /* index into units, or TW_NO_UNIT */
};

struct tw_destroy_search {
	uint32_t states; /* to be asked for: the walk has not begun */
	bool under_way;
	struct tw_walk walk;
	struct tw_gauge gauge;
	uint32_t life_ms;
	/* Of the lives that TIME-WAIT may have been given the shortest, and until when sockets with it may be left. */
	uint32_t shortest_ms;
	usec_t shortest_until_usec;
	struct tw_candidates candidates;
	char units[TW_TOP_MAX][TW_UNIT_MAX];
	uint32_t aged_count;
	struct aged aged[AGED_MAX]; /* by cookie */
};

struct tw_destroy_search *tw_destroy_search_new(void)
{
	return calloc(1, sizeof(struct tw_destroy_search));
}

struct tw_destroy_search *tw_destroy_search_free(struct tw_destroy_search *search)
{
	free(search);
	return NULL;
}

/*
 * What a socket is given when it enters TIME-WAIT. Where a vendor's sysctl can change that, sockets of the former life
 * are still there, and would seem to be older than they are: the shorter life holds until they are gone.
 */
static void set_life(struct tw_destroy_search *search, const struct tw_gauge *gauge, usec_t at_usec)
{
	uint32_t life_ms = tw_time_wait_life_ms(gauge);

	if (life_ms <= search->shortest_ms || at_usec >= search->shortest_until_usec) {
		search->shortest_ms = life_ms;
		search->shortest_until_usec = tw_usec_add(at_usec, life_ms * TW_USEC_PER_MSEC);
	}
	search->life_ms = search->shortest_ms;
}

static int compare_aged(const void *left, const void *right)
{
	const struct aged *a = left, *b = right;

	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

static const char *unit_of(const struct tw_destroy_search *search, uint32_t unit)
{
	return unit == TW_NO_UNIT ? "" : search->units[unit];
}

/* The waiters that an order could be for: one that is too young for all of them is not even remembered. */
static void gather_aged(struct tw_destroy_search *search, const struct tw_close_wait *close_wait, usec_t at_usec)
{
	usec_t least_usec[TW_TOP_MAX + 1];
	unsigned rows = TW_MIN(close_wait->row_count, (unsigned)TW_TOP_MAX);

	search->aged_count = 0;
	for (unsigned i = 0; i < rows; i++) {
		memcpy(search->units[i], close_wait->rows[i].unit, TW_UNIT_MAX);
		least_usec[i] = tw_candidates_least_age(&search->candidates, TW_STATE_CLOSE_WAIT, search->units[i]);
	}
	least_usec[rows] = tw_candidates_least_age(&search->candidates, TW_STATE_CLOSE_WAIT, "");
	for (uint32_t i = 0; i < close_wait->socket_count && search->aged_count < AGED_MAX; i++) {
		const struct tw_close_wait_socket *waiter = &close_wait->sockets[i];
		unsigned row = waiter->unit < rows ? waiter->unit : rows;
		usec_t age_usec = tw_usec_since(at_usec, waiter->since_usec);

		if (age_usec < least_usec[row])
			continue;
		search->aged[search->aged_count++] = (struct aged){
			.cookie = waiter->cookie,
			.age_usec = age_usec,
			.unit = row == rows ? TW_NO_UNIT : row,
		};
	}
	qsort(search->aged, search->aged_count, sizeof(*search->aged), compare_aged);
}

/* The states to dump; 0: none. */
static uint32_t wanted_states(const struct tw_destroy_search *search)
{
	uint32_t states = 0;

	if (tw_candidates_want(&search->candidates, TW_STATE_TIME_WAIT))
		states |= tw_state_kernel_bit(TW_STATE_TIME_WAIT);
	if (tw_candidates_want(&search->candidates, TW_STATE_CLOSE_WAIT) && search->aged_count > 0)
		states |= tw_state_kernel_bit(TW_STATE_CLOSE_WAIT);
	return states;
}

bool tw_destroy_search_begin(struct tw_destroy_search *search, const struct tw_kill_orders *orders,
			     const struct tw_kill_quota *quota, const struct tw_sample *sample, usec_t at_usec)
{
	set_life(search, &sample->gauge, at_usec);
	tw_candidates_begin(&search->candidates, orders, quota);
	gather_aged(search, &sample->close_wait, at_usec);
	search->states = wanted_states(search);
	search->gauge = sample->gauge;
	search->under_way = false;
	return search->states != 0;
}

static void on_time_wait(struct tw_destroy_search *search, const struct tw_flow *flow)
{
	uint32_t age_ms = search->life_ms - TW_MIN(search->life_ms, flow->expires_ms);

	if (flow->mini)
		tw_candidates_offer(&search->candidates, flow, age_ms * TW_USEC_PER_MSEC, "");
}

static void on_close_wait(struct tw_destroy_search *search, const struct tw_flow *flow)
{
	struct aged key = { .cookie = flow->cookie };
	const struct aged *found = bsearch(&key, search->aged, search->aged_count, sizeof(key), compare_aged);

	/* It has sent since the last scan, or is about to: half-closed, and no leak. */
	if (!found || !flow->has_idle || flow->send_queue > 0)
		return;
	tw_candidates_offer(&search->candidates, flow,
			    TW_MIN(found->age_usec, flow->idle.data_sent_ms * TW_USEC_PER_MSEC),
			    unit_of(search, found->unit));
}

static void on_flow(void *context, const struct tw_flow *flow)
{
	if (flow->state == TW_STATE_TIME_WAIT)
		on_time_wait(context, flow);
	else if (flow->state == TW_STATE_CLOSE_WAIT)
		on_close_wait(context, flow);
}

/* Extensions of the dump: sockets in CLOSE-WAIT are looked at once more before they are ended. */
static uint8_t extensions_for(uint32_t states)
{
	return states & tw_state_kernel_bit(TW_STATE_CLOSE_WAIT) ? TW_DIAG_INFO : 0;
}

/* The request is a step of its own: the kernel walks the table in it already. */
static int begin_walk(struct tw_destroy_search *search, struct tw_source *source)
{
	uint32_t states = search->states;
	int r;

	if (states == 0)
		return 0;
	search->states = 0;
	r = tw_walk_begin(&search->walk, source, states, extensions_for(states), &search->gauge);
	search->under_way = r >= 0;
	return r < 0 ? r : 1;
}

int tw_destroy_search_step(struct tw_destroy_search *search, struct tw_source *source)
{
	int r;

	if (!search->under_way)
		return begin_walk(search, source);
	r = tw_walk_step(&search->walk, source, on_flow, search);
	search->under_way = r > 0;
	return r;
}

void tw_destroy_search_results(const struct tw_destroy_search *search, struct tw_destroy_found *ret)
{
	tw_candidates_results(&search->candidates, ret);
}
