/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger.h"

#include "base/macros.h"
#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define MAGIC "timewaitd-ledger"
/* Grows when an older timewaitd would misread what a newer one wrote. */
#define VERSION 3

void tw_ledger_init(struct tw_ledger *ledger, const char *boot_id, const struct tw_netns_id *namespace)
{
	memset(ledger, 0, sizeof(*ledger));
	(void)tw_text_copy(ledger->boot_id, sizeof(ledger->boot_id), boot_id);
	ledger->namespace = *namespace;
}

bool tw_ledger_owes(const struct tw_ledger *ledger)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(ledger->entries); i++)
		if (ledger->entries[i].owner == TW_OWNER_OURS)
			return true;
	return false;
}

static void add_value(struct tw_text *text, const char *name, enum tw_tunable tunable,
		      const struct tw_tunable_value *value)
{
	char number[TW_TUNABLE_VALUE_MAX];

	tw_text_addf(text, " %s %s", name, tw_tunable_format(tunable, value, number));
}

/* No name may end the line that it stands on. */
static void add_name(struct tw_text *text, const char *name)
{
	for (; *name; name++)
		tw_text_add_char(text, (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
	tw_text_add_char(text, '\n');
}

void tw_ledger_text_write(const struct tw_ledger *ledger, struct tw_text *text)
{
	unsigned count = 0;

	tw_text_addf(text, MAGIC " %d\nboot ", VERSION);
	add_name(text, ledger->boot_id);
	tw_text_addf(text, "namespace %" PRIu64 " %" PRIu64 "\n", ledger->namespace.inode, ledger->namespace.cookie);
	for (enum tw_tunable i = 0; i < TW_TUNABLE_COUNT; i++) {
		const struct tw_ledger_entry *entry = &ledger->entries[i];

		if (entry->owner == TW_OWNER_NOBODY)
			continue;
		tw_text_addf(text, "entry %s %s", tw_tunable_info(i)->key,
			     entry->owner == TW_OWNER_OURS ? "ours" : "yielded");
		add_value(text, "baseline", i, &entry->baseline);
		add_value(text, "previous", i, &entry->previous);
		add_value(text, "written", i, &entry->written);
		tw_text_add(text, " rule ");
		add_name(text, entry->rule);
		count++;
	}
	tw_text_addf(text, "end %u\n", count);
}

/* What is left of one line. */
struct line {
	const char *at, *end;
};

/* Only what ends in a newline is a line. */
static bool next_line(struct line *text, struct line *ret)
{
	const char *newline = text->at < text->end ? memchr(text->at, '\n', (size_t)(text->end - text->at)) : NULL;

	if (!newline)
		return false;
	*ret = (struct line){ .at = text->at, .end = newline };
	text->at = newline + 1;
	return true;
}

static bool take(struct line *line, const char *expected)
{
	const char *word;
	size_t length;

	return tw_parse_word(&line->at, line->end, &word, &length) && tw_parse_is(word, length, expected);
}

static bool take_u64(struct line *line, uint64_t *ret)
{
	const char *word;
	size_t length;

	return tw_parse_word(&line->at, line->end, &word, &length) && tw_parse_u64(word, length, ret) == 0;
}

static bool take_value(struct line *line, const char *name, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	unsigned count = tw_tunable_info(tunable)->kind == TW_TUNABLE_RANGE ? 2 : 1;
	const char *word;
	size_t length;

	if (!take(line, name))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!tw_parse_word(&line->at, line->end, &word, &length) ||
		    tw_parse_i64(word, length, &ret->numbers[i]) < 0)
			return false;
	return true;
}

/* Behind the blank, to the end of the line: a name may have blanks itself. */
static void take_name(struct line *line, char *ret, size_t capacity)
{
	const char *name = line->at < line->end ? line->at + 1 : line->end;

	(void)tw_text_copy_bytes(ret, capacity, name, (size_t)(line->end - name));
}

static bool parse_entry(struct line *line, struct tw_ledger *ledger)
{
	struct tw_ledger_entry entry = { 0 };
	enum tw_tunable tunable;
	const char *word;
	size_t length;

	if (!tw_parse_word(&line->at, line->end, &word, &length) || !tw_tunable_from_key(word, length, &tunable) ||
	    !tw_parse_word(&line->at, line->end, &word, &length))
		return false;
	entry.owner = tw_parse_is(word, length, "ours") ? TW_OWNER_OURS : TW_OWNER_YIELDED;
	if (!take_value(line, "baseline", tunable, &entry.baseline) ||
	    !take_value(line, "previous", tunable, &entry.previous) ||
	    !take_value(line, "written", tunable, &entry.written) || !take(line, "rule"))
		return false;
	take_name(line, entry.rule, sizeof(entry.rule));
	ledger->entries[tunable] = entry;
	return true;
}

static bool parse_line(struct line *line, struct tw_ledger *ledger)
{
	const char *word;
	size_t length;

	if (!tw_parse_word(&line->at, line->end, &word, &length))
		return false;
	if (tw_parse_is(word, length, "boot"))
		take_name(line, ledger->boot_id, sizeof(ledger->boot_id));
	else if (tw_parse_is(word, length, "namespace"))
		return take_u64(line, &ledger->namespace.inode) && take_u64(line, &ledger->namespace.cookie);
	else if (tw_parse_is(word, length, "entry"))
		return parse_entry(line, ledger);
	return true;
}

/* Reads loosely: whatever was not written exactly so shows when it is written again. */
int tw_ledger_text_parse(const char *bytes, size_t length, struct tw_ledger *ret)
{
	struct line text = { bytes, bytes + length }, line;
	struct tw_ledger ledger = { 0 };
	char room[TW_LEDGER_TEXT_MAX];
	struct tw_text again;
	uint64_t version;

	if (!next_line(&text, &line) || !take(&line, MAGIC) || !take_u64(&line, &version) || line.at != line.end)
		return -EBADMSG;
	if (version != VERSION)
		return -EPROTONOSUPPORT;
	while (next_line(&text, &line))
		if (!parse_line(&line, &ledger))
			return -EBADMSG;
	tw_text_init(&again, room, sizeof(room));
	tw_ledger_text_write(&ledger, &again);
	if (!ledger.boot_id[0] || again.cut || again.length != length || memcmp(room, bytes, length) != 0)
		return -EBADMSG;
	*ret = ledger;
	return 0;
}
