/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/port-model.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <string.h>

/* Where the kernel has no tcp_tw_reuse_delay, it is 1 s (Linux before 6.14). */
#define REUSE_DELAY_MS 1000
/* The index of lo in every network namespace: LOOPBACK_IFINDEX. */
#define LOOPBACK_INDEX 1

/* Of a hundred. How sure parity must be, and from where on a half counts as used up. */
#define SURE 90
#define NEARLY_ALL 98

/* Two looks further apart say too little of each other. A survey comes once a minute by default. */
#define REFUTE_SPAN_MAX_USEC (3 * TW_USEC_PER_MINUTE)
/* The same where growth is what tells: all that began to wait in between must still be young. */
#define REFUTE_GROWTH_SPAN_MAX_USEC (TW_SURVEY_YOUNG_USEC + TW_USEC_PER_SEC)
/* Fewer new connections than this may all have been made by other means. */
#define REFUTE_MIN 16

/* The longest life that a vendor's kernel takes for tcp_tw_timeout is 600 s; a day is beyond any doubt. */
#define LIFE_SECONDS_MAX (24 * 60 * 60)

uint32_t tw_time_wait_life_ms(const struct tw_gauge *gauge)
{
	const struct tw_live_value *timeout = &gauge->sysctls[TW_TUNABLE_TW_TIMEOUT];
	int64_t seconds = timeout->value.numbers[0];

	if (!timeout->known || seconds <= 0 || seconds > LIFE_SECONDS_MAX)
		return (uint32_t)(TW_TIME_WAIT_USEC / TW_USEC_PER_MSEC);
	return (uint32_t)seconds * 1000;
}

struct tw_reuse_rule tw_reuse_rule(const struct tw_gauge *gauge, const struct tw_live_value *baseline)
{
	const struct tw_live_value *live = &gauge->sysctls[TW_TUNABLE_TW_REUSE];
	const struct tw_live_value *delay = &gauge->sysctls[TW_TUNABLE_TW_REUSE_DELAY];
	struct tw_reuse_rule rule = {
		.reuse = live->known ? live->value.numbers[0] : 0,
		.delay_ms = REUSE_DELAY_MS,
	};

	rule.baseline = baseline->known ? baseline->value.numbers[0] : rule.reuse;
	if (delay->known && delay->value.numbers[0] >= 0 && delay->value.numbers[0] <= UINT32_MAX)
		rule.delay_ms = (uint32_t)delay->value.numbers[0];
	return rule;
}

bool tw_reuse_in_force(int64_t reuse, const struct tw_destination *key)
{
	if (reuse == 2)
		return key->device == LOOPBACK_INDEX || tw_address_is_loopback(&key->source) ||
		       tw_address_is_loopback(&key->destination);
	return reuse == 1;
}

static uint32_t ripe(const struct tw_port_holding *holding)
{
	return holding->time_wait - TW_MIN(holding->time_wait, holding->unripe_time_wait);
}

/* Exclusive ports that the destination does not hold. */
static uint32_t elsewhere(const struct tw_port_holding *holding, uint32_t exclusive_ports)
{
	return exclusive_ports - TW_MIN(exclusive_ports, holding->exclusive);
}

uint32_t tw_port_blocked(const struct tw_port_holding *holding, uint32_t exclusive_ports, bool in_force)
{
	uint32_t takeable = ripe(holding);

	takeable -= TW_MIN(takeable, holding->exclusive_ripe);
	return holding->ports - (in_force ? TW_MIN(holding->ports, takeable) : 0) + elsewhere(holding, exclusive_ports);
}

uint64_t tw_port_demand(const struct tw_port_holding *holding, uint32_t exclusive_ports, uint32_t life_ms,
			uint32_t young_ms)
{
	uint64_t living = holding->ports - TW_MIN(holding->ports, holding->time_wait);

	return living + elsewhere(holding, exclusive_ports) + (uint64_t)holding->young_time_wait * life_ms / young_ms;
}

static bool reaches(uint32_t part, uint32_t whole, unsigned percent)
{
	return (uint64_t)part * 100 >= (uint64_t)whole * percent;
}

bool tw_parity_is_blinding(const struct tw_parity_ports *ports)
{
	return reaches(ports->near_held, ports->near_usable, SURE);
}

enum tw_parity tw_parity_judge(const struct tw_parity_ports *ports)
{
	uint32_t held = ports->near_held + ports->far_held;

	if (ports->far_held == 0)
		return TW_PARITY_PLAIN;
	if (tw_parity_is_blinding(ports))
		return TW_PARITY_UNCLEAR;
	if (reaches(held - ports->far_held, held, SURE))
		return TW_PARITY_PLAIN;
	if (held < TW_PARITY_PORTS_MIN)
		return TW_PARITY_UNCLEAR;
	if (reaches(ports->far_held, held, SURE) || reaches(ports->far_held, ports->far_usable, NEARLY_ALL))
		return TW_PARITY_FIRST;
	return TW_PARITY_UNCLEAR;
}

static uint32_t living(const struct tw_reuse_look *look)
{
	return look->ports - TW_MIN(look->ports, look->time_wait);
}

/* Sockets that reuse cannot take over: they live, or have waited too short a time. */
static uint32_t untakeable(const struct tw_reuse_look *look)
{
	return living(look) + look->unripe_time_wait;
}

/*
 * At least so many connections to it were opened since: those that live or began to wait, and did not live before. What
 * is young was so long ago too where the looks are closer than that.
 */
static bool were_opened(const struct tw_reuse_look *before, const struct tw_reuse_look *now)
{
	bool close = now->at_usec - before->at_usec < TW_SURVEY_YOUNG_USEC;

	return (uint64_t)now->young_time_wait + living(now) >=
	       (uint64_t)living(before) + (close ? before->young_time_wait : 0) + REFUTE_MIN;
}

/* None was taken over in the whole namespace. */
static bool counter_stood(const struct tw_reuse_look *before, const struct tw_reuse_look *now)
{
	return before->reused.known && now->reused.known && before->reused.value == now->reused.value;
}

/* By what is new, while there was always something to take: what lived in between is still there, or is young. */
static bool grew(const struct tw_reuse_look *before, const struct tw_reuse_look *now, uint32_t usable)
{
	uint32_t added = now->ports - TW_MIN(now->ports, before->ports);

	return now->at_usec - before->at_usec <= REFUTE_GROWTH_SPAN_MAX_USEC && added >= REFUTE_MIN &&
	       added >= now->young_time_wait / 2 &&
	       (uint64_t)untakeable(before) + living(now) + now->young_time_wait < usable / 4;
}

bool tw_reuse_refuted(const struct tw_reuse_look *before, const struct tw_reuse_look *now, uint32_t usable)
{
	uint32_t half = usable / 2;

	if (!before->in_force || !now->in_force || before->at_usec == 0 || now->at_usec <= before->at_usec ||
	    now->at_usec - before->at_usec > REFUTE_SPAN_MAX_USEC)
		return false;
	/* Half of the first half at least: that sixteen connections in a row pass it by is no chance. */
	if (before->ports <= half || now->ports <= half || untakeable(before) >= half ||
	    (uint64_t)now->near_held < (uint64_t)untakeable(now) + half / 2)
		return false;
	return (were_opened(before, now) && counter_stood(before, now)) || grew(before, now, usable);
}

/* ---- sets of ports */

void tw_port_set_clear(struct tw_port_set *set)
{
	memset(set, 0, sizeof(*set));
}

void tw_port_set_remove(struct tw_port_set *set, uint16_t port)
{
	set->words[port / 64] &= ~(UINT64_C(1) << (port % 64));
}

void tw_port_set_add_range(struct tw_port_set *set, uint16_t low, uint16_t high)
{
	/* Wider than a port, so that the loop ends behind 65535. */
	for (uint32_t port = low; port <= high; port++)
		tw_port_set_add(set, (uint16_t)port);
}

void tw_port_set_subtract(struct tw_port_set *set, const struct tw_port_set *other)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(set->words); i++)
		set->words[i] &= ~other->words[i];
}

uint32_t tw_port_set_size(const struct tw_port_set *set)
{
	uint32_t size = 0;

	for (size_t i = 0; i < TW_ARRAY_SIZE(set->words); i++)
		size += (uint32_t)__builtin_popcountll(set->words[i]);
	return size;
}

uint32_t tw_port_set_odd(const struct tw_port_set *set)
{
	uint32_t size = 0;

	for (size_t i = 0; i < TW_ARRAY_SIZE(set->words); i++)
		size += (uint32_t)__builtin_popcountll(set->words[i] & UINT64_C(0xaaaaaaaaaaaaaaaa));
	return size;
}

static int parse_port(const char *text, size_t length, uint16_t *ret)
{
	uint64_t number;

	if (tw_parse_u64(text, length, &number) < 0 || number > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)number;
	return 0;
}

/* "8080" or "9000-9010". */
static int parse_item(const char *text, size_t length, struct tw_port_set *set)
{
	const char *dash = memchr(text, '-', length);
	size_t low_length = dash ? (size_t)(dash - text) : length;
	uint16_t low, high;

	if (parse_port(text, low_length, &low) < 0)
		return -EINVAL;
	high = low;
	if (dash && parse_port(dash + 1, length - low_length - 1, &high) < 0)
		return -EINVAL;
	if (low > high)
		return -EINVAL;
	tw_port_set_add_range(set, low, high);
	return 0;
}

int tw_port_set_parse(const char *text, size_t length, struct tw_port_set *ret)
{
	struct tw_port_set set = { 0 };

	tw_parse_trim(&text, &length);
	while (length > 0) {
		const char *comma = memchr(text, ',', length);
		size_t item = comma ? (size_t)(comma - text) : length;

		if (parse_item(text, item, &set) < 0)
			return -EINVAL;
		/* A comma at the very end leaves an item without a number behind. */
		if (comma && item + 1 == length)
			return -EINVAL;
		item = TW_MIN(item + 1, length);
		text += item;
		length -= item;
	}
	*ret = set;
	return 0;
}
