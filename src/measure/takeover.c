/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/takeover.h"

#include "measure/parity.h"
#include "model/port-model.h"

#include <stdlib.h>
#include <string.h>

/* A dump is not of one moment: with a million sockets it takes up to this. */
#define DUMP_MS 1000
/* Of a hundred ports: beyond this, none is left. */
#define NEARLY_ALL 98

struct tw_takeover_look *tw_takeover_look_new(void)
{
	/* Of its memory only what ports are used is touched. */
	return calloc(1, sizeof(struct tw_takeover_look));
}

struct tw_takeover_look *tw_takeover_look_free(struct tw_takeover_look *look)
{
	free(look);
	return NULL;
}

void tw_takeover_look_begin(struct tw_takeover_look *look, const struct tw_destination *key,
			    const struct tw_gauge *gauge, usec_t at_usec)
{
	const struct tw_reuse_rule rule = tw_reuse_rule(gauge, &(struct tw_live_value){ 0 });

	/* Written where there was something alone: the rest of its pages stays untouched. */
	for (uint32_t port = look->first; port < look->end; port++)
		if (look->cookies[port] != 0)
			look->cookies[port] = look->expires_ms[port] = 0;
	look->first = TW_ARRAY_SIZE(look->cookies);
	look->end = 0;
	look->at_usec = at_usec;
	look->key = *key;
	look->reused = gauge->counters[TW_COUNTER_TIME_WAIT_REUSED];
	look->life_ms = TW_MIN(tw_time_wait_life_ms(gauge), (uint32_t)UINT16_MAX);
	look->delay_ms = rule.delay_ms;
	look->low = look->high = 0;
	(void)tw_gauge_port_range(gauge, &look->low, &look->high);
}

static bool is_in_range(const struct tw_takeover_look *look, uint32_t port)
{
	return look->high > 0 && port >= look->low && port <= look->high;
}

/* Whether connect() looks at the port in its first pass (__inet_hash_connect()): only there one that waits is met. */
static bool is_near(const struct tw_takeover_look *look, uint32_t port)
{
	return is_in_range(look, port) && !tw_parity_is_far(look->low, (uint16_t)port);
}

static bool is_ripe(const struct tw_takeover_look *look, uint32_t port)
{
	return look->life_ms - TW_MIN(look->life_ms, look->expires_ms[port]) >= look->delay_ms;
}

/*
 * How long it was from one look to the other: a dump that is repeated tells of a later time than it was ordered for,
 * which those that waited all the while show.
 */
static usec_t passed_ms(const struct tw_takeover_look *before, const struct tw_takeover_look *now, usec_t span_usec)
{
	usec_t passed_ms = span_usec / TW_USEC_PER_MSEC;

	for (uint32_t port = now->first; port < now->end; port++)
		if (now->cookies[port] == before->cookies[port] && now->expires_ms[port] > 0)
			passed_ms = TW_MAX(passed_ms, tw_usec_since(before->expires_ms[port], now->expires_ms[port]));
	return passed_ms;
}

/* Whether a TIME-WAIT of this look has to be there still so much later: timers are late, never early. */
static bool outlasts(const struct tw_takeover_look *look, uint32_t port, usec_t later_ms)
{
	return look->expires_ms[port] > later_ms + DUMP_MS;
}

void tw_takeover_compare(const struct tw_takeover_look *before, const struct tw_takeover_look *now,
			 struct tw_takeovers *ret)
{
	usec_t span_usec = before ? tw_usec_since(now->at_usec, before->at_usec) : 0;
	uint64_t near_held = 0, reused;
	usec_t later_ms;

	*ret = (struct tw_takeovers){ .until_usec = now->at_usec, .key = now->key };
	if (!before || before->at_usec == 0 || span_usec == 0 ||
	    memcmp(&before->key, &now->key, sizeof(now->key)) != 0 ||
	    !tw_count_grown(now->reused, before->reused, &reused))
		return;
	later_ms = passed_ms(before, now, span_usec);
	ret->from_usec = before->at_usec;
	ret->near_ports = now->high > 0 ? ((uint32_t)now->high - now->low) / 2 + 1 : 0;
	for (uint32_t port = TW_MIN(before->first, now->first); port < TW_MAX(before->end, now->end); port++) {
		uint32_t was = before->cookies[port], is = now->cookies[port];
		bool lasts = was != 0 && outlasts(before, port, later_ms);
		bool opened = is != 0 && is != was;

		ret->early += lasts && opened;
		if (!is_near(now, port)) {
			ret->passed += opened && is_in_range(now, port);
			continue;
		}
		near_held += is != 0;
		ret->opened += opened;
		ret->waiting += lasts && is_ripe(before, port);
	}
	ret->taken = (uint32_t)TW_MIN((uint64_t)ret->early, reused);
	if (near_held * 100 < (uint64_t)ret->near_ports * NEARLY_ALL)
		ret->passed = 0;
}

void tw_takeover_work_done(struct tw_takeover_work *work)
{
	work->look = tw_takeover_look_free(work->look);
}

void tw_takeover_work_begin(struct tw_takeover_work *work, const struct tw_destination *key,
			    const struct tw_gauge *gauge, usec_t at_usec)
{
	if (key && !work->look)
		work->look = tw_takeover_look_new();
	work->on = key && work->look;
	if (work->on)
		tw_takeover_look_begin(work->look, key, gauge, at_usec);
}

void tw_takeover_work_results(struct tw_takeover_work *work, struct tw_takeover_look **before, struct tw_takeovers *ret)
{
	struct tw_takeover_look *seen = *before;

	if (!work->on) {
		*before = tw_takeover_look_free(seen);
		return;
	}
	tw_takeover_compare(seen, work->look, ret);
	*before = work->look;
	work->look = seen;
	work->on = false;
}
