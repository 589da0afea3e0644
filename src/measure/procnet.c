/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/procnet.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* What is left of a text. */
struct view {
	const char *cursor, *end;
};

/* A name and where its number goes. */
struct field {
	const char *name;
	size_t name_length;
	struct tw_count count;
};

#define FIELD(text)                                             \
	{                                                       \
		.name = (text), .name_length = sizeof(text) - 1 \
	}

static bool next_word(struct view *view, const char **ret_word, size_t *ret_length)
{
	return tw_parse_word(&view->cursor, view->end, ret_word, ret_length);
}

static bool next_line(struct view *view, struct view *ret_line)
{
	const char *newline;

	if (view->cursor == view->end)
		return false;
	newline = memchr(view->cursor, '\n', (size_t)(view->end - view->cursor));
	*ret_line = (struct view){ view->cursor, newline ? newline : view->end };
	view->cursor = newline ? newline + 1 : view->end;
	return true;
}

/* The next line that begins with the word `label`, behind that word. */
static bool next_labelled(struct view *view, const char *label, struct view *ret_line)
{
	struct view line;
	const char *word;
	size_t length;

	while (next_line(view, &line))
		if (next_word(&line, &word, &length) && tw_parse_is(word, length, label)) {
			*ret_line = line;
			return true;
		}
	return false;
}

static void take(struct field *fields, size_t count, const char *name, size_t name_length, const char *number,
		 size_t number_length)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		if (fields[i].name_length != name_length || memcmp(fields[i].name, name, name_length) != 0)
			continue;
		if (tw_parse_u64(number, number_length, &value) == 0)
			fields[i].count = (struct tw_count){ .value = value, .known = true };
		return;
	}
}

/* "name number name number ...". */
static void take_pairs(struct view line, struct field *fields, size_t count)
{
	const char *name, *number;
	size_t name_length, number_length;

	while (next_word(&line, &name, &name_length) && next_word(&line, &number, &number_length))
		take(fields, count, name, name_length, number, number_length);
}

/* A line of names, then a line of as many numbers; both begin with the table's label. */
static int take_columns(struct view view, const char *label, struct field *fields, size_t count)
{
	struct view names, numbers;
	const char *name, *number;
	size_t name_length, number_length;

	if (!next_labelled(&view, label, &names) || !next_labelled(&view, label, &numbers))
		return -EINVAL;
	while (next_word(&names, &name, &name_length) && next_word(&numbers, &number, &number_length))
		take(fields, count, name, name_length, number, number_length);
	return 0;
}

int tw_procnet_parse_sockstat(const char *text, size_t length, struct tw_procnet_sockstat *ret)
{
	struct field fields[] = { FIELD("inuse"), FIELD("orphan"), FIELD("tw"), FIELD("alloc"), FIELD("mem") };
	struct view view = { text, text + length }, line;

	if (!next_labelled(&view, "TCP:", &line))
		return -EINVAL;
	take_pairs(line, fields, TW_ARRAY_SIZE(fields));
	for (size_t i = 0; i < TW_ARRAY_SIZE(fields); i++)
		if (!fields[i].count.known)
			return -EINVAL;
	*ret = (struct tw_procnet_sockstat){
		.inuse = fields[0].count.value,
		.orphan = fields[1].count.value,
		.time_wait = fields[2].count.value,
		.alloc = fields[3].count.value,
		.memory_pages = fields[4].count.value,
	};
	return 0;
}

int tw_procnet_parse_sockstat6(const char *text, size_t length, uint64_t *ret_inuse)
{
	struct field field = FIELD("inuse");
	struct view view = { text, text + length }, line;

	if (!next_labelled(&view, "TCP6:", &line))
		return -EINVAL;
	take_pairs(line, &field, 1);
	if (!field.count.known)
		return -EINVAL;
	*ret_inuse = field.count.value;
	return 0;
}

static void hand_on(const struct field *fields, const enum tw_counter *which, size_t count, struct tw_count *counters)
{
	for (size_t i = 0; i < count; i++)
		if (fields[i].count.known)
			counters[which[i]] = fields[i].count;
}

int tw_procnet_parse_snmp(const char *text, size_t length, struct tw_count counters[TW_COUNTER_COUNT],
			  uint64_t *ret_established)
{
	static const enum tw_counter which[] = {
		TW_COUNTER_CONNECT_FAIL,
		TW_COUNTER_RESET,
		TW_COUNTER_ACTIVE_OPEN,
		TW_COUNTER_PASSIVE_OPEN,
	};
	struct field fields[] = {
		FIELD("AttemptFails"), FIELD("EstabResets"), FIELD("ActiveOpens"),
		FIELD("PassiveOpens"), FIELD("CurrEstab"),
	};
	const struct field *established = &fields[TW_ARRAY_SIZE(which)];

	if (take_columns((struct view){ text, text + length }, "Tcp:", fields, TW_ARRAY_SIZE(fields)) < 0 ||
	    !established->count.known)
		return -EINVAL;
	hand_on(fields, which, TW_ARRAY_SIZE(which), counters);
	*ret_established = established->count.value;
	return 0;
}

int tw_procnet_parse_netstat(const char *text, size_t length, struct tw_count counters[TW_COUNTER_COUNT])
{
	static const enum tw_counter which[] = {
		TW_COUNTER_TIME_WAIT_OVERFLOW, TW_COUNTER_LISTEN_OVERFLOW, TW_COUNTER_LISTEN_DROP,
		TW_COUNTER_SYN_COOKIES,	       TW_COUNTER_MEMORY_ABORT,	   TW_COUNTER_TIME_WAIT_REUSED,
	};
	struct field fields[] = {
		FIELD("TCPTimeWaitOverflow"), FIELD("ListenOverflows"),	 FIELD("ListenDrops"),
		FIELD("SyncookiesSent"),      FIELD("TCPAbortOnMemory"), FIELD("TWRecycled"),
	};
	int r = take_columns((struct view){ text, text + length }, "TcpExt:", fields, TW_ARRAY_SIZE(fields));

	if (r < 0)
		return r;
	hand_on(fields, which, TW_ARRAY_SIZE(which), counters);
	return 0;
}

/* Exactly `count` numbers, and nothing else. */
static int parse_numbers(const char *text, size_t length, uint64_t *ret, size_t count)
{
	struct view view = { text, text + length };
	const char *word;
	size_t word_length;

	for (size_t i = 0; i < count; i++)
		if (!next_word(&view, &word, &word_length) || tw_parse_u64(word, word_length, &ret[i]) < 0)
			return -EINVAL;
	return next_word(&view, &word, &word_length) ? -EINVAL : 0;
}

int tw_procnet_parse_tcp_mem(const char *text, size_t length, uint64_t *ret_limit_pages)
{
	uint64_t numbers[3];

	if (parse_numbers(text, length, numbers, TW_ARRAY_SIZE(numbers)) < 0)
		return -EINVAL;
	*ret_limit_pages = numbers[2];
	return 0;
}

int tw_procnet_parse_port_range(const char *text, size_t length, uint16_t *ret_low, uint16_t *ret_high)
{
	uint64_t numbers[2];

	if (parse_numbers(text, length, numbers, TW_ARRAY_SIZE(numbers)) < 0 || numbers[0] > numbers[1] ||
	    numbers[1] > UINT16_MAX)
		return -EINVAL;
	*ret_low = (uint16_t)numbers[0];
	*ret_high = (uint16_t)numbers[1];
	return 0;
}

int tw_procnet_parse_number(const char *text, size_t length, uint64_t *ret)
{
	uint64_t number;

	if (parse_numbers(text, length, &number, 1) < 0)
		return -EINVAL;
	*ret = number;
	return 0;
}
