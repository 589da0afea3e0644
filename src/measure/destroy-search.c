/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/destroy-search.h"

#include "base/macros.h"
#include "measure/close-wait.h"
#include "measure/scan.h"
#include "model/port-model.h"

#include <stdlib.h>
#include <string.h>

struct tw_destroy_search {
	unsigned order_count;
	struct tw_destroy orders[TW_KILLS_MAX]; /* copies: a reload may take the settings away */
	struct tw_kill_quota quota;		/* what is left of it */
	const struct tw_close_wait *close_wait; /* borrows */
	usec_t at_usec;
	uint32_t states; /* to be asked for: the dump has not begun */
	bool under_way;
	struct tw_dump dump;
	struct tw_gauge gauge;
	/* Of the lives that TIME-WAIT may have been given the shortest, and until when sockets with it may be left. */
	uint32_t life_ms;
	usec_t life_until_usec;
	struct tw_destroy_found found;
	struct tw_candidate rows[TW_CANDIDATES_MAX];
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
static void set_life(struct tw_destroy_search *search, const struct tw_gauge *gauge)
{
	uint32_t life_ms = tw_time_wait_life_ms(gauge);

	if (life_ms <= search->life_ms || search->at_usec >= search->life_until_usec) {
		search->life_ms = life_ms;
		search->life_until_usec = tw_usec_add(search->at_usec, life_ms * TW_USEC_PER_MSEC);
	}
}

static usec_t close_wait_age(const struct tw_destroy_search *search, const struct tw_close_wait_socket *socket)
{
	return tw_usec_since(search->at_usec, socket->since_usec);
}

/* "" where it is not known. */
static const char *unit_of(const struct tw_destroy_search *search, const struct tw_close_wait_socket *socket)
{
	return socket->unit < search->close_wait->row_count ? search->close_wait->rows[socket->unit].unit : "";
}

static bool is_unit(const struct tw_destroy *destroy, const char *unit)
{
	return destroy->scope.unit[0] == '\0' || strcmp(destroy->scope.unit, unit) == 0;
}

/* Whether any socket in CLOSE-WAIT can be meant: where none is old enough, nothing is to be dumped. */
static bool knows_old_enough(const struct tw_destroy_search *search, const struct tw_destroy *destroy)
{
	for (uint32_t i = 0; i < search->close_wait->socket_count; i++) {
		const struct tw_close_wait_socket *socket = &search->close_wait->sockets[i];

		if (close_wait_age(search, socket) >= destroy->older_than_usec &&
		    is_unit(destroy, unit_of(search, socket)))
			return true;
	}
	return false;
}

bool tw_destroy_search_begin(struct tw_destroy_search *search, const struct tw_kill_orders *orders,
			     const struct tw_kill_quota *quota, const struct tw_sample *sample, usec_t at_usec)
{
	search->order_count = orders->count;
	search->quota = *quota;
	search->close_wait = &sample->close_wait;
	search->at_usec = at_usec;
	search->gauge = sample->gauge;
	search->states = 0;
	search->under_way = false;
	search->found = (struct tw_destroy_found){ .rows = search->rows };
	set_life(search, &sample->gauge);
	for (unsigned i = 0; i < orders->count; i++) {
		const struct tw_destroy *destroy = orders->rows[i].destroy;

		search->orders[i] = *destroy;
		if (quota->wanted[i] && (destroy->state != TW_STATE_CLOSE_WAIT || knows_old_enough(search, destroy)))
			search->states |= tw_state_kernel_bit(destroy->state);
	}
	return search->states != 0;
}

static bool is_meant(const struct tw_destroy *destroy, const struct tw_flow *flow, usec_t age_usec, const char *unit)
{
	if (destroy->state != flow->state || age_usec < destroy->older_than_usec)
		return false;
	if (destroy->port != 0 && destroy->port != flow->local.port)
		return false;
	if (destroy->scope.has_destination &&
	    (!tw_address_equal(&destroy->scope.destination, &flow->remote.address) ||
	     (destroy->scope.destination_port != 0 && destroy->scope.destination_port != flow->remote.port)))
		return false;
	return is_unit(destroy, unit);
}

static void take(struct tw_destroy_search *search, unsigned order, const struct tw_flow *flow, usec_t age_usec)
{
	search->found.seen[order]++;
	if (search->quota.most[order] == 0 || search->found.count == TW_CANDIDATES_MAX)
		return;
	search->quota.most[order]--;
	search->rows[search->found.count++] = (struct tw_candidate){
		.id = { flow->local, flow->remote, flow->device, flow->cookie },
		.family = flow->family,
		.order = (uint8_t)order,
		.age_ms = (uint32_t)(age_usec / TW_USEC_PER_MSEC),
	};
}

/* The matter of the first order that it matches. */
static void offer(struct tw_destroy_search *search, const struct tw_flow *flow, usec_t age_usec, const char *unit)
{
	for (unsigned i = 0; i < search->order_count; i++)
		if (search->quota.wanted[i] && is_meant(&search->orders[i], flow, age_usec, unit)) {
			take(search, i, flow, age_usec);
			return;
		}
}

static void on_flow(void *context, const struct tw_flow *flow)
{
	struct tw_destroy_search *search = context;
	const struct tw_close_wait *close_wait = search->close_wait;
	const struct tw_close_wait_socket *known;

	if (flow->cookie == TW_COOKIE_ANY)
		return;
	if (flow->state == TW_STATE_TIME_WAIT && flow->mini) {
		uint32_t age_ms = search->life_ms - TW_MIN(search->life_ms, flow->expires_ms);

		offer(search, flow, age_ms * TW_USEC_PER_MSEC, "");
	}
	/* One that has sent since the last scan, or is about to, is half-closed, and no leak. */
	if (flow->state == TW_STATE_CLOSE_WAIT && flow->has_idle && flow->send_queue == 0) {
		known = tw_close_wait_find(close_wait->sockets, close_wait->socket_count, flow->cookie);
		if (known)
			offer(search, flow,
			      TW_MIN(close_wait_age(search, known), flow->idle.data_sent_ms * TW_USEC_PER_MSEC),
			      unit_of(search, known));
	}
}

int tw_destroy_search_step(struct tw_destroy_search *search, struct tw_source *source)
{
	uint32_t states = search->states;
	int r = 0;

	search->states = 0;
	if (search->under_way)
		r = tw_dump_step(&search->dump, source, on_flow, search);
	/* The request is a step of its own: the kernel walks the table in it already. */
	else if (states != 0)
		/* Sockets in CLOSE-WAIT are looked at once more before they are ended. */
		r = tw_dump_begin(&search->dump, source, states,
				  states & tw_state_kernel_bit(TW_STATE_CLOSE_WAIT) ? TW_DIAG_INFO : 0, &search->gauge);
	search->under_way = r > 0;
	return r;
}

void tw_destroy_search_results(const struct tw_destroy_search *search, struct tw_destroy_found *ret)
{
	*ret = search->found;
}
