/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-field.h"

#include "base/macros.h"

#include <inttypes.h>
#include <string.h>

void tw_record_init(struct tw_record *record)
{
	record->count = 0;
	record->used = 0;
}

static char field_letter(char letter)
{
	if (letter >= 'a' && letter <= 'z')
		return (char)(letter - 'a' + 'A');
	return letter == '-' ? '_' : letter;
}

void tw_record_begin(struct tw_record *record, struct tw_text *ret_text, const char *prefix, const char *name)
{
	/* One byte stays behind the last field, so that a text always has memory of its own. */
	tw_text_init(ret_text, record->bytes + record->used, sizeof(record->bytes) - record->used);
	tw_text_add(ret_text, prefix);
	for (; *name != '\0'; name++)
		tw_text_add_char(ret_text, field_letter(*name));
	tw_text_add_char(ret_text, '=');
}

bool tw_record_end(struct tw_record *record, const struct tw_text *text)
{
	const char *equals = strchr(text->bytes, '=');

	if (!equals || record->count == TW_RECORD_FIELDS_MAX)
		return false;
	record->fields[record->count].text = text->bytes;
	record->fields[record->count].length = text->length;
	record->fields[record->count].name_length = (size_t)(equals - text->bytes);
	record->count++;
	record->used = TW_MIN(record->used + text->length + 1, sizeof(record->bytes) - 1);
	return !text->cut;
}

bool tw_record_add(struct tw_record *record, const char *name, const char *value)
{
	struct tw_text text;

	tw_record_begin(record, &text, "", name);
	tw_text_add(&text, value);
	return tw_record_end(record, &text);
}

void tw_record_add_u64(struct tw_record *record, const char *prefix, const char *name, uint64_t number)
{
	struct tw_text text;

	tw_record_begin(record, &text, prefix, name);
	tw_text_addf(&text, "%" PRIu64, number);
	(void)tw_record_end(record, &text);
}

void tw_record_add_milli(struct tw_record *record, const char *prefix, const char *name, int64_t milli)
{
	struct tw_text text;

	tw_record_begin(record, &text, prefix, name);
	tw_text_add_milli(&text, milli);
	(void)tw_record_end(record, &text);
}

const char *tw_record_get(const struct tw_record *record, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < record->count; i++) {
		if (record->fields[i].name_length == length && memcmp(record->fields[i].text, name, length) == 0)
			return record->fields[i].text + length + 1;
	}
	return NULL;
}
