/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/takeover.h"

#include "base/macros.h"
#include "model/port-model.h"

#include <stdlib.h>
#include <string.h>

/* A dump is not of one moment: with a million sockets it takes up to this. */
#define DUMP_MS 1000
/* Of a hundred ports: beyond this, none is left. */
#define NEARLY_ALL 98

struct tw_takeover_look *tw_takeover_look_new(const struct tw_destination *key, const struct tw_gauge *gauge,
					      usec_t at_usec)
{
	struct tw_takeover_look *look = calloc(1, sizeof(*look));

	if (!look)
		return NULL;
	look->at_usec = at_usec;
	look->key = *key;
	look->reused = gauge->counters[TW_COUNTER_TIME_WAIT_REUSED];
	look->life_ms = TW_MIN(tw_time_wait_life_ms(gauge), (uint32_t)UINT16_MAX);
	look->delay_ms = tw_reuse_rule(gauge, &(struct tw_live_value){ 0 }).delay_ms;
	(void)tw_gauge_port_range(gauge, &look->low, &look->high);
	return look;
}

void tw_takeover_look_add(struct tw_takeover_look *look, const struct tw_flow *flow)
{
	const struct tw_destination *key = &look->key;

	if (flow->state == TW_STATE_SYN_SENT || flow->remote.port != key->port || flow->device != key->device ||
	    !tw_address_equal(&flow->remote.address, &key->destination) ||
	    !tw_address_equal(&flow->local.address, &key->source))
		return;
	look->cookies[flow->local.port] = (uint32_t)flow->cookie;
	look->expires_ms[flow->local.port] =
		(uint16_t)(flow->state == TW_STATE_TIME_WAIT ? TW_MAX(TW_MIN(flow->expires_ms, 65535u), 1u) : 0);
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

	for (uint32_t port = 0; port <= UINT16_MAX; port++)
		if (now->cookies[port] == before->cookies[port] && now->expires_ms[port] > 0)
			passed_ms = TW_MAX(passed_ms, tw_usec_since(before->expires_ms[port], now->expires_ms[port]));
	return passed_ms;
}

void tw_takeover_compare(const struct tw_takeover_look *before, const struct tw_takeover_look *now,
			 struct tw_takeovers *ret)
{
	usec_t span_usec = before ? tw_usec_since(now->at_usec, before->at_usec) : 0, later_ms;
	uint64_t near_held = 0, reused;

	*ret = (struct tw_takeovers){ .until_usec = now->at_usec, .key = now->key };
	if (!before || before->at_usec == 0 || span_usec == 0 ||
	    memcmp(&before->key, &now->key, sizeof(now->key)) != 0 ||
	    !tw_count_grown(now->reused, before->reused, &reused))
		return;
	later_ms = passed_ms(before, now, span_usec);
	ret->from_usec = before->at_usec;
	ret->near_ports = now->high > 0 ? ((uint32_t)now->high - now->low) / 2 + 1 : 0;
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		uint32_t was = before->cookies[port], is = now->cookies[port];
		bool opened = is != 0 && is != was;
		/* A TIME-WAIT that has to be there still: timers are late, never early. */
		bool lasts = was != 0 && before->expires_ms[port] > later_ms + DUMP_MS;
		bool inside = now->high > 0 && port >= now->low && port <= now->high;

		ret->early += lasts && opened;
		/* In its first pass connect() looks at these (__inet_hash_connect()): only there what waits is met. */
		if (inside && (port - now->low) % 2 == 0) {
			near_held += is != 0;
			ret->opened += opened;
			ret->waiting += lasts && is_ripe(before, port);
		} else {
			ret->passed += opened && inside;
		}
	}
	ret->taken = (uint32_t)TW_MIN((uint64_t)ret->early, reused);
	if (near_held * 100 < (uint64_t)ret->near_ports * NEARLY_ALL)
		ret->passed = 0;
}
