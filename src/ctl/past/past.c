/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past.h"

#include "base/parse.h"

#include <string.h>

bool tw_past_keeps(const char *name, size_t length)
{
	static const char *const others[] = { "MESSAGE", "PRIORITY", "_HOSTNAME", "_BOOT_ID" };

	/* In JSON a name may be anything; with a "=" in it, it would be another one. */
	if (length > 10 && memcmp(name, "TIMEWAITD_", 10) == 0)
		return !memchr(name, '=', length);
	for (size_t i = 0; i < TW_ARRAY_SIZE(others); i++)
		if (tw_parse_is(name, length, others[i]))
			return true;
	return false;
}

bool tw_past_add(struct tw_record *record, const char *name, size_t name_length, const char *value, size_t length)
{
	struct tw_text text;
	char word[64 + 1]; /* journald takes names of at most 64 bytes */

	if (!tw_past_keeps(name, name_length) || !tw_text_copy_bytes(word, sizeof(word), name, name_length))
		return false;
	tw_record_begin(record, &text, "", word);
	tw_text_add_bytes(&text, value, strnlen(value, length));
	return tw_record_end(record, &text);
}

bool tw_past_event(const struct tw_record *record, enum tw_event_kind *ret)
{
	const char *name = tw_record_get(record, "TIMEWAITD_EVENT");

	for (unsigned i = 0; name && i < TW_EVENT_COUNT; i++) {
		if (strcmp(name, tw_event_name((enum tw_event_kind)i)) == 0) {
			*ret = (enum tw_event_kind)i;
			return true;
		}
	}
	return false;
}

struct tw_value tw_past_milli(const struct tw_record *record, const char *name)
{
	const char *text = tw_record_get(record, name);
	int64_t milli;

	if (!text || tw_parse_milli(text, strlen(text), &milli) < 0)
		return tw_value_unknown();
	return tw_value_of(milli);
}

struct tw_count tw_past_u64(const struct tw_record *record, const char *name)
{
	const char *text = tw_record_get(record, name);
	struct tw_count count = { 0 };

	count.known = text && tw_parse_u64(text, strlen(text), &count.value) >= 0;
	return count;
}

const char *tw_past_text(const struct tw_record *record, const char *name)
{
	const char *text = tw_record_get(record, name);

	return text ? text : "";
}

struct tw_value tw_past_metric(const struct tw_record *record, enum tw_metric metric)
{
	char name[64 + 1];

	tw_past_name(tw_metric_info(metric)->name, name);
	return tw_past_milli(record, name);
}

const char *tw_past_name(const char *word, char ret[TW_PAST_NAME_MAX])
{
	struct tw_text text;

	tw_text_init(&text, ret, TW_PAST_NAME_MAX);
	tw_text_add(&text, "TIMEWAITD_");
	for (; *word != '\0'; word++)
		tw_text_add_char(&text, *word == '-' ? '_' : *word >= 'a' && *word <= 'z' ? (char)(*word - 32) : *word);
	return ret;
}
