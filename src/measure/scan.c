/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/scan.h"

#include "measure/diag.h"
#include "measure/ports.h"
#include "measure/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A scan that fails in a passing way is begun again so often. */
#define REPEATS_MAX 2
/* A dump without a socket while the gauge counts more than this is no empty machine: the dump is lying. */
#define SILENCE_MAX 64

/* Which dumps a scan takes, in their order; each for IPv4, then for IPv6. */
enum stage {
	STAGE_LISTENERS, /* survey: they tell which ports are the accepting side's */
	STAGE_REST,	 /* survey: all others */
	STAGE_CENSUS,	 /* census: all at once */
	STAGE_DONE,
};

static const uint8_t families[] = { AF_INET, AF_INET6 };

struct tw_scan {
	struct tw_scan_order order;
	enum stage stage;
	unsigned family; /* index into families */
	unsigned repeats;
	uint32_t sequence;
	uint64_t rows;	     /* of the whole scan */
	uint64_t stage_rows; /* of this stage, both families */
	struct tw_census census;
	struct tw_port_set listening;
	struct tw_survey_work work;
};

struct tw_scan *tw_scan_new(const struct tw_hash_key *key)
{
	TW_CLEANUP_SCAN struct tw_scan *scan = calloc(1, sizeof(*scan));

	if (!scan || tw_survey_work_init(&scan->work, key) < 0)
		return NULL;
	scan->stage = STAGE_DONE;
	return TW_TAKE_PTR(scan);
}

struct tw_scan *tw_scan_free(struct tw_scan *scan)
{
	if (scan) {
		tw_survey_work_done(&scan->work);
		free(scan);
	}
	return NULL;
}

static uint32_t all_states(const struct tw_scan *scan)
{
	uint32_t states = 0;

	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		if (i != TW_STATE_BOUND || scan->order.bound_known)
			states |= tw_state_kernel_bit((enum tw_state)i);
	return states;
}

static uint32_t stage_states(const struct tw_scan *scan)
{
	uint32_t listen = tw_state_kernel_bit(TW_STATE_LISTEN);

	switch (scan->stage) {
	case STAGE_LISTENERS:
		return listen;
	case STAGE_REST:
		return all_states(scan) & ~listen;
	case STAGE_CENSUS:
		if (scan->order.derive_time_wait)
			return all_states(scan) & ~tw_state_kernel_bit(TW_STATE_TIME_WAIT);
		return all_states(scan);
	case STAGE_DONE:
		break;
	}
	return 0;
}

static int begin_dump(struct tw_scan *scan, struct tw_source *source)
{
	struct tw_diag_query query = {
		.family = families[scan->family],
		.states = stage_states(scan),
	};

	return source->dump_begin(source, &query, &scan->sequence);
}

/* From the very beginning, with nothing counted. */
static int begin_try(struct tw_scan *scan, struct tw_source *source)
{
	scan->stage = scan->order.kind == TW_SCAN_SURVEY ? STAGE_LISTENERS : STAGE_CENSUS;
	scan->family = 0;
	scan->rows = 0;
	scan->stage_rows = 0;
	memset(&scan->census, 0, sizeof(scan->census));
	tw_port_set_clear(&scan->listening);
	return begin_dump(scan, source);
}

int tw_scan_begin(struct tw_scan *scan, struct tw_source *source, const struct tw_scan_order *order)
{
	scan->order = *order;
	scan->repeats = 0;
	return begin_try(scan, source);
}

/* A v4-mapped address is IPv4, whatever the socket's family. */
static inline bool is_true_ipv6(const struct tw_flow *flow)
{
	return flow->family == AF_INET6 && !tw_address_is_ipv4(&flow->local.address);
}

static inline void count(struct tw_scan *scan, const struct tw_flow *flow)
{
	scan->stage_rows++;
	scan->census.count[flow->state]++;
	scan->census.count_ipv6[flow->state] += is_true_ipv6(flow);
	scan->census.mini_fin_wait_2 += flow->mini && flow->state == TW_STATE_FIN_WAIT_2;
}

static void on_listener(void *context, const struct tw_flow *flow)
{
	struct tw_scan *scan = context;

	count(scan, flow);
	tw_port_set_add(&scan->listening, flow->local.port);
}

static void on_census_flow(void *context, const struct tw_flow *flow)
{
	count(context, flow);
}

static void on_survey_flow(void *context, const struct tw_flow *flow)
{
	struct tw_scan *scan = context;

	count(scan, flow);
	tw_survey_work_add(&scan->work, flow);
}

static tw_diag_on_flow stage_on_flow(const struct tw_scan *scan)
{
	switch (scan->stage) {
	case STAGE_LISTENERS:
		return on_listener;
	case STAGE_REST:
		return on_survey_flow;
	case STAGE_CENSUS:
	case STAGE_DONE:
		break;
	}
	return on_census_flow;
}

/* The listeners are known: what is left of the range is what connect() may pick from. */
static int begin_attribution(struct tw_scan *scan, struct tw_source *source)
{
	struct tw_port_set range;
	int r = source->port_range(source, &range);

	if (r < 0)
		return r;
	tw_port_set_subtract(&range, &scan->listening);
	tw_survey_work_begin(&scan->work, &range, &scan->order.gauge);
	return 0;
}

static bool is_silent(const struct tw_scan *scan)
{
	const struct tw_gauge *gauge = &scan->order.gauge;
	bool asked_time_wait = stage_states(scan) & tw_state_kernel_bit(TW_STATE_TIME_WAIT);

	if (scan->stage_rows == 0 && asked_time_wait && gauge->time_wait > SILENCE_MAX)
		return true;
	return scan->rows + scan->stage_rows == 0 && scan->stage != STAGE_LISTENERS &&
	       gauge->tcp_inuse + gauge->tcp6_inuse > SILENCE_MAX;
}

static void finish_census(struct tw_scan *scan)
{
	struct tw_census *census = &scan->census;

	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		census->known[i] = true;
	if (!scan->order.bound_known) {
		census->known[TW_STATE_BOUND] = false;
		census->count[TW_STATE_BOUND] = 0;
		census->count_ipv6[TW_STATE_BOUND] = 0;
	}
	if (scan->order.kind == TW_SCAN_CENSUS && scan->order.derive_time_wait) {
		uint64_t both = scan->order.gauge.time_wait;

		/* The dump is later than the gauge, so that it may have seen more. */
		census->count[TW_STATE_TIME_WAIT] = both > census->mini_fin_wait_2 ? both - census->mini_fin_wait_2 : 0;
		census->count_ipv6[TW_STATE_TIME_WAIT] = 0;
	}
}

static int end_stage(struct tw_scan *scan, struct tw_source *source)
{
	int r;

	if (is_silent(scan))
		return -EPROTO;
	scan->rows += scan->stage_rows;
	scan->stage_rows = 0;
	scan->family = 0;
	if (scan->stage != STAGE_LISTENERS) {
		if (scan->stage == STAGE_REST)
			tw_survey_work_end(&scan->work);
		scan->stage = STAGE_DONE;
		finish_census(scan);
		return 0;
	}
	r = begin_attribution(scan, source);
	if (r < 0)
		return r;
	scan->stage = STAGE_REST;
	r = begin_dump(scan, source);
	return r < 0 ? r : 1;
}

static int end_dump(struct tw_scan *scan, struct tw_source *source)
{
	int r;

	if (++scan->family == TW_ARRAY_SIZE(families))
		return end_stage(scan, source);
	r = begin_dump(scan, source);
	return r < 0 ? r : 1;
}

static int read_datagram(struct tw_scan *scan, struct tw_source *source)
{
	const void *datagram;
	size_t length;
	int r = source->dump_next(source, &datagram, &length);

	if (r < 0)
		return r;
	r = tw_diag_parse(datagram, length, scan->sequence, stage_on_flow(scan), scan);
	if (r < 0)
		return r;
	return r == TW_DIAG_DONE ? end_dump(scan, source) : 1;
}

static bool is_passing(int error)
{
	return error == -EINTR || error == -ENOBUFS || error == -EPROTO || error == -ETIMEDOUT;
}

/* What was counted in a broken try means nothing. */
static int give_up(struct tw_scan *scan)
{
	memset(&scan->census, 0, sizeof(scan->census));
	scan->census.partial = true;
	scan->stage = STAGE_DONE;
	return 0;
}

int tw_scan_step(struct tw_scan *scan, struct tw_source *source)
{
	int r = scan->stage == STAGE_DONE ? 0 : read_datagram(scan, source);

	while (is_passing(r)) {
		if (scan->repeats == REPEATS_MAX)
			return give_up(scan);
		scan->repeats++;
		r = begin_try(scan, source);
		if (r == 0)
			return 1;
	}
	return r;
}

void tw_scan_results(const struct tw_scan *scan, struct tw_census *census, struct tw_survey *survey)
{
	*census = scan->census;
	census->at_usec = scan->order.at_usec;
	if (scan->order.kind != TW_SCAN_SURVEY)
		return;
	memset(survey, 0, sizeof(*survey));
	if (!scan->census.partial)
		tw_survey_work_results(&scan->work, scan->order.top, survey);
	survey->partial = scan->census.partial;
	survey->at_usec = scan->order.at_usec;
}
