/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/procnet.h"

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
static void take_pairs(const struct tw_proc_line *line, struct field *fields, size_t count)
{
	struct view view = { line->text, line->text + line->length };
	const char *name, *number;
	size_t name_length, number_length;

	while (next_word(&view, &name, &name_length) && next_word(&view, &number, &number_length))
		take(fields, count, name, name_length, number, number_length);
}

int tw_procnet_parse_sockstat(const char *text, size_t length, struct tw_procnet_sockstat *ret)
{
	struct field fields[] = { FIELD("inuse"), FIELD("orphan"), FIELD("tw"), FIELD("alloc"), FIELD("mem") };
	const char *cursor = text;
	struct tw_proc_line line;

	if (!tw_proc_find_line(&cursor, text + length, "TCP:", &line))
		return -EINVAL;
	take_pairs(&line, fields, TW_ARRAY_SIZE(fields));
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
	const char *cursor = text;
	struct tw_proc_line line;

	if (!tw_proc_find_line(&cursor, text + length, "TCP6:", &line))
		return -EINVAL;
	take_pairs(&line, &field, 1);
	if (!field.count.known)
		return -EINVAL;
	*ret_inuse = field.count.value;
	return 0;
}

static void hand_on(const struct tw_count *found, const enum tw_counter *which, size_t count, struct tw_count *counters)
{
	for (size_t i = 0; i < count; i++)
		if (found[i].known)
			counters[which[i]] = found[i];
}

int tw_procnet_parse_snmp(const char *text, size_t length, struct tw_proc_layout *layout,
			  struct tw_count counters[TW_COUNTER_COUNT], struct tw_procnet_snmp *ret)
{
	static const enum tw_counter which[] = {
		TW_COUNTER_CONNECT_FAIL,
		TW_COUNTER_RESET,
		TW_COUNTER_ACTIVE_OPEN,
		TW_COUNTER_PASSIVE_OPEN,
	};
	static const char *const names[] = {
		"AttemptFails", "EstabResets", "ActiveOpens", "PassiveOpens", "CurrEstab", "InSegs", "OutSegs",
	};
	struct tw_count found[TW_ARRAY_SIZE(names)];
	const struct tw_count *others = &found[TW_ARRAY_SIZE(which)];
	int r = tw_proc_table_read(text, length, "Tcp:", names, TW_ARRAY_SIZE(names), layout, found);

	if (r < 0)
		return r;
	if (!others[0].known)
		return -EINVAL;
	hand_on(found, which, TW_ARRAY_SIZE(which), counters);
	/* Unsigned: a sum that wraps moves all the same. */
	*ret = (struct tw_procnet_snmp){ .established = others[0].value,
					 .segments = others[1].value + others[2].value };
	return 0;
}

int tw_procnet_parse_netstat(const char *text, size_t length, struct tw_proc_layout *layout,
			     struct tw_count counters[TW_COUNTER_COUNT])
{
	static const enum tw_counter which[] = {
		TW_COUNTER_TIME_WAIT_OVERFLOW, TW_COUNTER_LISTEN_OVERFLOW, TW_COUNTER_LISTEN_DROP,
		TW_COUNTER_SYN_COOKIES,	       TW_COUNTER_MEMORY_ABORT,	   TW_COUNTER_TIME_WAIT_REUSED,
	};
	static const char *const names[] = {
		"TCPTimeWaitOverflow", "ListenOverflows",  "ListenDrops",
		"SyncookiesSent",      "TCPAbortOnMemory", "TWRecycled",
	};
	struct tw_count found[TW_ARRAY_SIZE(names)];
	int r = tw_proc_table_read(text, length, "TcpExt:", names, TW_ARRAY_SIZE(names), layout, found);

	if (r < 0)
		return r;
	hand_on(found, which, TW_ARRAY_SIZE(which), counters);
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
