/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger-text.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MAGIC "timewaitd-ledger"
/* Grows when an older timewaitd would misread what a newer one wrote. */
#define VERSION 3

static void add_value(struct tw_text *text, const char *name, enum tw_tunable tunable,
		      const struct tw_tunable_value *value)
{
	tw_text_addf(text, " %s %" PRId64, name, value->numbers[0]);
	if (tw_tunable_info(tunable)->kind == TW_TUNABLE_RANGE)
		tw_text_addf(text, " %" PRId64, value->numbers[1]);
}

/* No name may end the line that it stands on. */
static void add_name(struct tw_text *text, const char *name)
{
	for (; *name; name++)
		tw_text_add_char(text, (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static void add_entry(struct tw_text *text, enum tw_tunable tunable, const struct tw_ledger_entry *entry)
{
	tw_text_addf(text, "entry %s %s", tw_tunable_info(tunable)->key,
		     entry->owner == TW_OWNER_OURS ? "ours" : "yielded");
	add_value(text, "baseline", tunable, &entry->baseline);
	add_value(text, "previous", tunable, &entry->previous);
	add_value(text, "written", tunable, &entry->written);
	tw_text_add(text, " rule ");
	add_name(text, entry->rule);
	tw_text_add_char(text, '\n');
}

void tw_ledger_text_write(const struct tw_ledger *ledger, struct tw_text *text)
{
	unsigned count = 0;

	tw_text_addf(text, MAGIC " %d\nboot ", VERSION);
	add_name(text, ledger->boot_id);
	tw_text_addf(text, "\nnamespace %" PRIu64 " %" PRIu64 "\n", ledger->namespace.inode, ledger->namespace.cookie);
	for (size_t i = 0; i < TW_ARRAY_SIZE(ledger->entries); i++) {
		if (ledger->entries[i].owner == TW_OWNER_NOBODY)
			continue;
		add_entry(text, (enum tw_tunable)i, &ledger->entries[i]);
		count++;
	}
	tw_text_addf(text, "end %u\n", count);
}

/* What is left of one line: words, divided by a blank. */
struct line {
	const char *at;
	const char *end;
};

/* A line without its newline; only a line that ends in one is a line. */
static bool next_line(const char **cursor, const char *end, struct line *ret)
{
	const char *newline;

	if (*cursor == end)
		return false;
	newline = memchr(*cursor, '\n', (size_t)(end - *cursor));
	if (!newline)
		return false;
	*ret = (struct line){ .at = *cursor, .end = newline };
	*cursor = newline + 1;
	return true;
}

static bool take_word(struct line *line, const char **ret_word, size_t *ret_length)
{
	const char *blank;

	if (line->at == line->end)
		return false;
	blank = memchr(line->at, ' ', (size_t)(line->end - line->at));
	*ret_word = line->at;
	*ret_length = (size_t)((blank ? blank : line->end) - line->at);
	line->at = blank ? blank + 1 : line->end;
	return *ret_length > 0;
}

static bool take(struct line *line, const char *expected)
{
	const char *word;
	size_t length;

	return take_word(line, &word, &length) && tw_parse_is(word, length, expected);
}

static bool take_i64(struct line *line, int64_t *ret)
{
	const char *word;
	size_t length;

	return take_word(line, &word, &length) && tw_parse_i64(word, length, ret) == 0;
}

static bool take_u64(struct line *line, uint64_t *ret)
{
	const char *word;
	size_t length;

	return take_word(line, &word, &length) && tw_parse_u64(word, length, ret) == 0;
}

/* Control bytes are never written. */
static bool take_rest(struct line *line, char *to, size_t capacity)
{
	size_t length = (size_t)(line->end - line->at);

	for (const char *byte = line->at; byte < line->end; byte++)
		if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
			return false;
	if (!tw_text_copy_bytes(to, capacity, line->at, length))
		return false;
	line->at = line->end;
	return true;
}

static bool at_end(const struct line *line)
{
	return line->at == line->end;
}

static bool take_value(struct line *line, const char *name, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	if (!take(line, name) || !take_i64(line, &ret->numbers[0]))
		return false;
	return tw_tunable_info(tunable)->kind != TW_TUNABLE_RANGE || take_i64(line, &ret->numbers[1]);
}

static bool take_owner(struct line *line, enum tw_owner *ret)
{
	const char *word;
	size_t length;

	if (!take_word(line, &word, &length))
		return false;
	*ret = tw_parse_is(word, length, "ours") ? TW_OWNER_OURS : TW_OWNER_YIELDED;
	return *ret == TW_OWNER_OURS || tw_parse_is(word, length, "yielded");
}

/* By its key as it is written, not in the spellings that a configuration may use. */
static bool take_tunable(struct line *line, enum tw_tunable *ret)
{
	const char *word;
	size_t length;

	return take_word(line, &word, &length) && tw_tunable_from_key(word, length, ret) &&
	       tw_parse_is(word, length, tw_tunable_info(*ret)->key);
}

/* What stands behind "entry". */
static bool parse_entry(struct line *line, struct tw_ledger *ledger)
{
	struct tw_ledger_entry entry = { 0 };
	enum tw_tunable tunable;

	if (!take_tunable(line, &tunable) || ledger->entries[tunable].owner != TW_OWNER_NOBODY)
		return false;
	if (!take_owner(line, &entry.owner) || !take_value(line, "baseline", tunable, &entry.baseline) ||
	    !take_value(line, "previous", tunable, &entry.previous) ||
	    !take_value(line, "written", tunable, &entry.written))
		return false;
	if (!take(line, "rule") || !take_rest(line, entry.rule, sizeof(entry.rule)))
		return false;
	ledger->entries[tunable] = entry;
	return true;
}

static bool parse_head(const char **cursor, const char *end, struct tw_ledger *ledger)
{
	struct line line;

	if (!next_line(cursor, end, &line) || !take(&line, "boot") || at_end(&line) ||
	    !take_rest(&line, ledger->boot_id, sizeof(ledger->boot_id)))
		return false;
	return next_line(cursor, end, &line) && take(&line, "namespace") && take_u64(&line, &ledger->namespace.inode) &&
	       take_u64(&line, &ledger->namespace.cookie) && at_end(&line);
}

/* The entries, and the line that ends them. */
static bool parse_body(const char **cursor, const char *end, struct tw_ledger *ledger)
{
	struct line line;
	uint64_t count = 0, told;

	while (next_line(cursor, end, &line)) {
		const char *word;
		size_t length;

		if (!take_word(&line, &word, &length))
			return false;
		if (tw_parse_is(word, length, "end"))
			return take_u64(&line, &told) && told == count && at_end(&line) && *cursor == end;
		if (!tw_parse_is(word, length, "entry") || !parse_entry(&line, ledger))
			return false;
		count++;
	}
	return false;
}

/* What reads well but was not written so (a number with a leading zero, lines in another order) is not ours. */
static bool is_canonical(const struct tw_ledger *ledger, const char *bytes, size_t length)
{
	char again[TW_LEDGER_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, again, sizeof(again));
	tw_ledger_text_write(ledger, &text);
	return !text.cut && text.length == length && memcmp(text.bytes, bytes, length) == 0;
}

int tw_ledger_text_parse(const char *bytes, size_t length, struct tw_ledger *ret)
{
	const char *cursor = bytes, *end = bytes + length;
	struct tw_ledger ledger = { 0 };
	struct line line;
	uint64_t version;

	if (!next_line(&cursor, end, &line) || !take(&line, MAGIC) || !take_u64(&line, &version) || !at_end(&line))
		return -EBADMSG;
	if (version != VERSION)
		return -EPROTONOSUPPORT;
	if (!parse_head(&cursor, end, &ledger) || !parse_body(&cursor, end, &ledger) ||
	    !is_canonical(&ledger, bytes, length))
		return -EBADMSG;
	*ret = ledger;
	return 0;
}
