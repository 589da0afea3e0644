/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/scan.h"

#include "measure/listeners.h"
#include "measure/survey.h"
#include "model/port-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A scan that fails in a passing way is begun again so often. */
#define REPEATS_MAX 2
/*
 * A dump without a socket while the gauge counts more than this is no empty machine: the dump is lying. Living sockets
 * may be gone by then: where it has told the listeners, a burst of so many is believed to be over.
 */
#define SILENCE_MAX 64
#define BURST_MAX 4096
/*
 * More than any honest dump tells: what the gauge counts, of which connections in SYN-RECV and bound sockets are no
 * part, several times over. A row of Linux 6.18 is some 150 bytes, 400 with TCP_INFO.
 */
#define SOCKETS_FACTOR 4
#define SOCKETS_MIN (1024 * 1024)
#define ROW_MAX 256
/*
 * How far CurrEstab and a dump may be apart: what opens or closes in the tenths of a second between them, as a share of
 * all, and some at any size. A counter that has gone farther astray is not believed.
 */
#define APART_SHARE 128
#define APART_ALWAYS 16
/* Where so many times as many are in CLOSE-WAIT, no more than one of the ways to count agrees with a dump. */
#define TELLING_FACTOR 2

/* What a scan does, in this order. */
enum stage {
	STAGE_LISTENERS, /* dump: they tell which ports are the accepting side's */
	STAGE_REST,	 /* dump: all others, but for what is derived */
	STAGE_IDLE,	 /* dump: how long those in CLOSE-WAIT have been idle, where that is asked of many; may fail */
	STAGE_QUESTIONS, /* about those in CLOSE-WAIT, who holds bound ports, and which ports are exclusive */
	STAGE_DONE,
};

struct tw_scan {
	struct tw_scan_order order;
	struct tw_scan_past *past; /* borrows */
	enum stage stage;
	unsigned repeats;
	struct tw_dump dump;
	uint64_t rest; /* rows of that stage */
	bool idle_missed;
	struct tw_census census; /* from the beginning of a try its ipv6_known is what is dumped rather than derived */
	struct tw_survey_work work;
	struct tw_listeners listeners;
	struct tw_close_wait_work close_wait;
	struct tw_takeover_look *look; /* of this survey, where it has a destination to look at */
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
		tw_close_wait_work_done(&scan->close_wait);
		free(scan->look);
		free(scan);
	}
	return NULL;
}

void tw_scan_past_done(struct tw_scan_past *past)
{
	tw_close_wait_set_done(&past->close_wait);
	free(past->look);
	past->look = NULL;
}

int tw_dump_begin(struct tw_dump *dump, struct tw_source *source, uint32_t states, uint8_t extensions,
		  const struct tw_gauge *gauge)
{
	const struct tw_diag_query query = { .family = AF_UNSPEC, .states = states, .extensions = extensions };
	uint64_t sockets = gauge->tcp_inuse + gauge->tcp6_inuse + gauge->time_wait + gauge->alloc;
	int r = source->dump_begin(source, &query, &dump->sequence);

	dump->bytes_left = (SOCKETS_MIN + SOCKETS_FACTOR * sockets) * ROW_MAX;
	return r < 0 ? r : 1;
}

int tw_dump_step(struct tw_dump *dump, struct tw_source *source, tw_diag_on_flow on_flow, void *context)
{
	const void *datagram;
	size_t length;
	int r = source->dump_next(source, &datagram, &length);

	if (r < 0)
		return r;
	if (length > dump->bytes_left)
		return -EPROTO;
	dump->bytes_left -= length;
	r = tw_diag_parse(datagram, length, dump->sequence, on_flow, context);
	return r < 0 ? r : r != TW_DIAG_DONE;
}

static bool is_near(uint64_t a, uint64_t b, uint64_t apart)
{
	return (a > b ? a - b : b - a) <= apart;
}

void tw_curr_estab_learn(struct tw_curr_estab *curr_estab, uint64_t gauge, const struct tw_census *census)
{
	uint64_t established = census->count[TW_STATE_ESTABLISHED], close_wait = census->count[TW_STATE_CLOSE_WAIT];
	uint64_t apart = APART_ALWAYS + established / APART_SHARE;
	enum tw_curr_estab_counts counts = curr_estab->counts;
	bool both = counts != TW_CURR_ESTAB_ESTABLISHED && is_near(gauge, established + close_wait, apart);
	bool alone = counts != TW_CURR_ESTAB_BOTH && is_near(gauge, established, apart);

	if (!both && !alone) {
		*curr_estab = (struct tw_curr_estab){ 0 };
	} else if (close_wait > TELLING_FACTOR * apart) {
		/* Once may be by chance: their peers closed as many connections between gauge and dump. */
		counts = both ? TW_CURR_ESTAB_BOTH : TW_CURR_ESTAB_ESTABLISHED;
		curr_estab->counts = counts == curr_estab->told ? counts : TW_CURR_ESTAB_UNKNOWN;
		curr_estab->told = counts;
	} else if (counts <= TW_CURR_ESTAB_EITHER) {
		curr_estab->counts = close_wait <= apart ? TW_CURR_ESTAB_EITHER : TW_CURR_ESTAB_UNKNOWN;
	}
}

/* Where it is not known how CLOSE-WAIT counts, the few that there are may be counted wrongly, and no more than that. */
bool tw_curr_estab_derive(struct tw_curr_estab *curr_estab, uint64_t gauge, uint64_t close_wait,
			  uint64_t *ret_established)
{
	enum tw_curr_estab_counts counts = curr_estab->counts;
	uint64_t beyond = counts == TW_CURR_ESTAB_ESTABLISHED ? 0 : close_wait;

	if (counts == TW_CURR_ESTAB_UNKNOWN || beyond > gauge ||
	    (counts == TW_CURR_ESTAB_EITHER && close_wait > APART_ALWAYS + gauge / APART_SHARE)) {
		curr_estab->counts = TW_CURR_ESTAB_UNKNOWN;
		return false;
	}
	*ret_established = gauge - beyond;
	return true;
}

static int begin_stage(struct tw_scan *scan, struct tw_source *source, enum stage stage)
{
	uint32_t states = 0;

	scan->stage = stage;
	if (stage == STAGE_LISTENERS)
		states = tw_state_kernel_bit(TW_STATE_LISTEN);
	if (stage == STAGE_IDLE)
		states = tw_state_kernel_bit(TW_STATE_CLOSE_WAIT);
	for (unsigned i = 0; i < TW_STATE_COUNT && stage == STAGE_REST; i++)
		if (i != TW_STATE_LISTEN && scan->census.ipv6_known[i])
			states |= tw_state_kernel_bit((enum tw_state)i);
	return tw_dump_begin(&scan->dump, source, states, stage == STAGE_IDLE ? TW_DIAG_INFO : 0, &scan->order.gauge);
}

/* From the very beginning, with nothing counted. Returns 1 or -errno. */
static int begin_try(struct tw_scan *scan, struct tw_source *source)
{
	const struct tw_scan_order *order = &scan->order;

	scan->rest = 0;
	scan->idle_missed = false;
	memset(&scan->census, 0, sizeof(scan->census));
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		scan->census.ipv6_known[i] = true;
	scan->census.ipv6_known[TW_STATE_BOUND] = order->bound_known;
	if (order->kind == TW_SCAN_CENSUS) {
		scan->census.ipv6_known[TW_STATE_TIME_WAIT] = !order->derive_time_wait;
		scan->census.ipv6_known[TW_STATE_ESTABLISHED] =
			!order->derive_established || scan->past->curr_estab.counts == TW_CURR_ESTAB_UNKNOWN;
	}
	tw_listeners_clear(&scan->listeners);
	tw_close_wait_work_begin(&scan->close_wait, &scan->past->close_wait, order->at_usec,
				 order->close_wait_age_usec);
	return begin_stage(scan, source, STAGE_LISTENERS);
}

int tw_scan_begin(struct tw_scan *scan, struct tw_scan_past *past, struct tw_source *source,
		  const struct tw_scan_order *order)
{
	int r;

	scan->past = past;
	scan->order = *order;
	scan->repeats = 0;
	source->scan_begin(source);
	r = begin_try(scan, source);
	return TW_MIN(r, 0);
}

static void on_flow(void *context, const struct tw_flow *flow)
{
	struct tw_scan *scan = context;
	struct tw_census *census = &scan->census;

	/* Counted already. The row is younger than the scan by what that took, and may seem older by as much. */
	if (scan->stage == STAGE_IDLE) {
		tw_close_wait_work_tell(&scan->close_wait, flow);
		return;
	}
	census->count[flow->state]++;
	/* A v4-mapped address is IPv4, whatever the socket's family. */
	census->count_ipv6[flow->state] += flow->family == AF_INET6 && !tw_address_is_ipv4(&flow->local.address);
	census->mini_fin_wait_2 += flow->mini && flow->state == TW_STATE_FIN_WAIT_2;
	if (scan->stage == STAGE_LISTENERS) {
		tw_listeners_add(&scan->listeners, flow);
		return;
	}
	scan->rest++;
	tw_listeners_attribute(&scan->listeners, flow);
	if (flow->state == TW_STATE_CLOSE_WAIT)
		tw_close_wait_work_add(&scan->close_wait, flow);
	if (scan->order.kind == TW_SCAN_SURVEY) {
		tw_survey_work_add(&scan->work, flow);
		if (scan->look)
			tw_takeover_look_add(scan->look, flow);
	}
}

/* The listeners are known: what is left of the range is what connect() may pick from. */
static int begin_attribution(struct tw_scan *scan, struct tw_source *source)
{
	struct tw_port_set usable;
	int r = source->port_range(source, &usable);

	if (r == 0)
		tw_survey_work_begin(&scan->work, &usable, &scan->listeners.ports, &scan->order.gauge,
				     &scan->order.baseline, &scan->past->parity);
	free(scan->look);
	scan->look = scan->order.has_evidence
			     ? tw_takeover_look_new(&scan->order.evidence, &scan->order.gauge, scan->order.at_usec)
			     : NULL;
	return r;
}

/* Nothing told but listeners, while the gauge counts what should have been. */
static bool is_silent(const struct tw_scan *scan)
{
	const struct tw_gauge *gauge = &scan->order.gauge;
	const struct tw_census *census = &scan->census;
	uint64_t listeners = census->count[TW_STATE_LISTEN];
	uint64_t known = listeners + (census->ipv6_known[TW_STATE_ESTABLISHED] ? 0 : gauge->established);

	return scan->rest == 0 &&
	       (gauge->tcp_inuse + gauge->tcp6_inuse > known + (listeners > 0 ? BURST_MAX : SILENCE_MAX) ||
		(census->ipv6_known[TW_STATE_TIME_WAIT] && gauge->time_wait > SILENCE_MAX));
}

/* What was not asked for is taken from the gauge. Returns false where it does not tell ESTABLISHED. */
static bool finish_census(struct tw_scan *scan)
{
	struct tw_census *census = &scan->census;
	const struct tw_gauge *gauge = &scan->order.gauge;
	struct tw_curr_estab *curr_estab = &scan->past->curr_estab;

	if (census->ipv6_known[TW_STATE_ESTABLISHED])
		tw_curr_estab_learn(curr_estab, gauge->established, census);
	else if (!tw_curr_estab_derive(curr_estab, gauge->established, census->count[TW_STATE_CLOSE_WAIT],
				       &census->count[TW_STATE_ESTABLISHED]))
		return false;
	/* The dump is later than the gauge, so that it may have seen more. */
	if (!census->ipv6_known[TW_STATE_TIME_WAIT])
		census->count[TW_STATE_TIME_WAIT] =
			gauge->time_wait - TW_MIN(gauge->time_wait, census->mini_fin_wait_2);
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		census->known[i] = i != TW_STATE_BOUND || scan->order.bound_known;
	return true;
}

static int end_stage(struct tw_scan *scan, struct tw_source *source)
{
	bool survey = scan->order.kind == TW_SCAN_SURVEY;
	int r;

	if (scan->stage == STAGE_LISTENERS) {
		r = survey ? begin_attribution(scan, source) : 0;
		return r < 0 ? r : begin_stage(scan, source, STAGE_REST);
	}
	if (scan->stage == STAGE_REST) {
		if (is_silent(scan))
			return -EPROTO;
		/* Rare, and not twice in a scan: from now on ESTABLISHED is dumped until it is known again. */
		if (!finish_census(scan))
			return begin_try(scan, source);
		if (survey)
			tw_exclusive_ask(&scan->work.exclusive, scan->order.ask_most);
		if (tw_close_wait_work_sort(&scan->close_wait)) {
			if (begin_stage(scan, source, STAGE_IDLE) > 0)
				return 1;
			scan->idle_missed = true;
		}
	}
	scan->stage = STAGE_QUESTIONS;
	return 1;
}

static int ask(struct tw_scan *scan, struct tw_source *source)
{
	if (tw_close_wait_work_step(&scan->close_wait, source) ||
	    (scan->order.kind == TW_SCAN_SURVEY && tw_survey_work_step(&scan->work, source)))
		return 1;
	scan->stage = STAGE_DONE;
	return 0;
}

static int work(struct tw_scan *scan, struct tw_source *source)
{
	int r;

	if (scan->stage == STAGE_DONE)
		return 0;
	if (scan->stage == STAGE_QUESTIONS)
		return ask(scan, source);
	r = tw_dump_step(&scan->dump, source, on_flow, scan);
	/* The counts are whole without it: only what rests on ages has to wait for another scan. */
	if (r < 0 && scan->stage == STAGE_IDLE) {
		scan->idle_missed = true;
		r = 0;
	}
	return r == 0 ? end_stage(scan, source) : r;
}

static bool is_passing(int error)
{
	return error == -EINTR || error == -ENOBUFS || error == -EPROTO || error == -ETIMEDOUT;
}

int tw_scan_step(struct tw_scan *scan, struct tw_source *source)
{
	int r = work(scan, source);

	while (is_passing(r)) {
		if (scan->repeats++ == REPEATS_MAX) {
			/* What was counted in a broken try means nothing. */
			scan->census = (struct tw_census){ .partial = true };
			scan->stage = STAGE_DONE;
			return 0;
		}
		r = begin_try(scan, source);
	}
	return r;
}

/* `survey` still holds the one before, from which the forecast is made. */
static void survey_results(struct tw_scan *scan, struct tw_survey *survey)
{
	struct tw_survey *fresh = &scan->work.survey;

	tw_survey_work_results(&scan->work, &scan->order.watched, survey, scan->order.at_usec, scan->census.partial);
	if (!fresh->partial) {
		if (scan->look)
			tw_takeover_compare(scan->past->look, scan->look, &fresh->takeovers);
		free(scan->past->look);
		scan->past->look = scan->look;
		scan->look = NULL;
	}
	fresh->bound_sockets = scan->census.count[TW_STATE_BOUND] + scan->census.count[TW_STATE_LISTEN];
	tw_survey_forecast(survey, fresh);
	memcpy(survey, fresh, offsetof(struct tw_survey, top) + fresh->top_count * sizeof(fresh->top[0]));
}

void tw_scan_results(struct tw_scan *scan, struct tw_sample *sample)
{
	sample->census = scan->census;
	sample->census.at_usec = scan->order.at_usec;
	tw_listeners_results(&scan->listeners, &sample->census, &sample->accepting);
	tw_close_wait_work_results(&scan->close_wait, scan->census.partial || scan->idle_missed, &sample->close_wait);
	if (scan->order.kind == TW_SCAN_SURVEY)
		survey_results(scan, &sample->survey);
}
