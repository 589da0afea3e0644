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

/* The line of each file that is read, by the word that it begins with; and whether the numbers are in one of their own.
 */
static const struct {
	const char *label;
	bool apart; /* "LABEL name name", then "LABEL number number"; else "LABEL name number name number" */
} lines[TW_PROCNET_COUNT] = {
	[TW_PROCNET_SOCKSTAT] = { "TCP:", false },
	[TW_PROCNET_SOCKSTAT6] = { "TCP6:", false },
	[TW_PROCNET_SNMP] = { "Tcp:", true },
	[TW_PROCNET_NETSTAT] = { "TcpExt:", true },
};

#define NUMBER(member) offsetof(struct tw_gauge, member), false
#define COUNTER(name) offsetof(struct tw_gauge, counters[TW_COUNTER_##name]), true

/* Where each number goes. */
static const struct {
	enum tw_procnet file;
	bool needed;
	const char *name;
	size_t at;
	bool is_count; /* a struct tw_count stands there, else a plain number that is added to */
} fields[] = {
	{ TW_PROCNET_SOCKSTAT, true, "inuse", NUMBER(tcp_inuse) },
	{ TW_PROCNET_SOCKSTAT, true, "orphan", NUMBER(orphan) },
	{ TW_PROCNET_SOCKSTAT, true, "tw", NUMBER(time_wait) },
	{ TW_PROCNET_SOCKSTAT, true, "alloc", NUMBER(alloc) },
	{ TW_PROCNET_SOCKSTAT, true, "mem", NUMBER(memory_pages) },
	{ TW_PROCNET_SOCKSTAT6, true, "inuse", NUMBER(tcp6_inuse) },
	{ TW_PROCNET_SNMP, true, "CurrEstab", NUMBER(established) },
	/* Unsigned: a sum that wraps moves all the same. */
	{ TW_PROCNET_SNMP, false, "InSegs", NUMBER(segments) },
	{ TW_PROCNET_SNMP, false, "OutSegs", NUMBER(segments) },
	{ TW_PROCNET_SNMP, false, "AttemptFails", COUNTER(CONNECT_FAIL) },
	{ TW_PROCNET_SNMP, false, "EstabResets", COUNTER(RESET) },
	{ TW_PROCNET_SNMP, false, "ActiveOpens", COUNTER(ACTIVE_OPEN) },
	{ TW_PROCNET_SNMP, false, "PassiveOpens", COUNTER(PASSIVE_OPEN) },
	{ TW_PROCNET_NETSTAT, false, "TCPTimeWaitOverflow", COUNTER(TIME_WAIT_OVERFLOW) },
	{ TW_PROCNET_NETSTAT, false, "ListenOverflows", COUNTER(LISTEN_OVERFLOW) },
	{ TW_PROCNET_NETSTAT, false, "ListenDrops", COUNTER(LISTEN_DROP) },
	{ TW_PROCNET_NETSTAT, false, "SyncookiesSent", COUNTER(SYN_COOKIES) },
	{ TW_PROCNET_NETSTAT, false, "TCPAbortOnMemory", COUNTER(MEMORY_ABORT) },
	{ TW_PROCNET_NETSTAT, false, "TWRecycled", COUNTER(TIME_WAIT_REUSED) },
};

/* The next line that begins with this word, without it; what is behind that line is left of *text. */
static bool find_line(struct view *text, const char *label, struct view *ret)
{
	while (text->cursor < text->end) {
		const char *newline = memchr(text->cursor, '\n', (size_t)(text->end - text->cursor)), *word;
		struct view line = { text->cursor, newline ? newline : text->end };
		size_t length;

		text->cursor = newline ? newline + 1 : text->end;
		if (!tw_parse_word(&line.cursor, line.end, &word, &length) || !tw_parse_is(word, length, label))
			continue;
		*ret = line;
		return true;
	}
	return false;
}

static void put(struct tw_gauge *gauge, unsigned field, uint64_t value)
{
	void *place = (char *)gauge + fields[field].at;

	if (fields[field].is_count)
		*(struct tw_count *)place = (struct tw_count){ .value = value, .known = true };
	else
		*(uint64_t *)place += value;
}

int tw_procnet_parse(enum tw_procnet file, const char *text, size_t length, struct tw_gauge *gauge)
{
	struct view rest = { text, text + length }, names, apart = { 0 },
		    *numbers = lines[file].apart ? &apart : &names;
	struct tw_gauge made = *gauge;
	bool found[TW_ARRAY_SIZE(fields)] = { false };
	const char *name, *number;
	size_t name_length, number_length;
	uint64_t value;

	if (!find_line(&rest, lines[file].label, &names) ||
	    (lines[file].apart && !find_line(&rest, lines[file].label, &apart)))
		return -EINVAL;
	while (tw_parse_word(&names.cursor, names.end, &name, &name_length) &&
	       tw_parse_word(&numbers->cursor, numbers->end, &number, &number_length))
		for (unsigned i = 0; i < TW_ARRAY_SIZE(fields); i++)
			/* Its first byte spares most of the columns a call for each field. */
			if (fields[i].file == file && !found[i] && fields[i].name[0] == name[0] &&
			    tw_parse_is(name, name_length, fields[i].name) &&
			    tw_parse_u64(number, number_length, &value) == 0) {
				found[i] = true;
				put(&made, i, value);
			}
	for (unsigned i = 0; i < TW_ARRAY_SIZE(fields); i++)
		if (fields[i].file == file && fields[i].needed && !found[i])
			return -EINVAL;
	*gauge = made;
	return 0;
}

int tw_procnet_parse_numbers(const char *text, size_t length, unsigned count, uint64_t *ret)
{
	const char *end = text + length, *word;
	uint64_t number = 0;

	for (; tw_parse_word(&text, end, &word, &length); count--)
		if (count == 0 || tw_parse_u64(word, length, &number) < 0)
			return -EINVAL;
	if (count > 0)
		return -EINVAL;
	*ret = number;
	return 0;
}
