/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/port-model.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <string.h>

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
