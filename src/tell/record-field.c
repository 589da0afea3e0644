/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record is put together by: of an event in record.c, and of a sample in record-sample.c. */
#include "tell/record.h"

#include "base/macros.h"

#include <string.h>

void tw_record_init(struct tw_record *record)
{
	record->count = 0;
	record->used = 0;
}

void tw_record_begin(struct tw_record *record, struct tw_text *ret_text, const char *prefix, const char *name)
{
	/* One byte stays behind the last field, so that a text always has memory of its own. */
	tw_text_init(ret_text, record->bytes + record->used, sizeof(record->bytes) - record->used);
	tw_text_add(ret_text, prefix);
	for (; *name != '\0'; name++) {
		bool small = *name >= 'a' && *name <= 'z';

		tw_text_add_char(ret_text, small ? (char)(*name - 'a' + 'A') : *name == '-' ? '_' : *name);
	}
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

bool tw_record_addf(struct tw_record *record, const char *prefix, const char *name, const char *format, ...)
{
	struct tw_text text;
	va_list arguments;

	tw_record_begin(record, &text, prefix, name);
	va_start(arguments, format);
	tw_text_addv(&text, format, arguments);
	va_end(arguments);
	return tw_record_end(record, &text);
}

void tw_record_add_value(struct tw_record *record, const char *prefix, const char *name, struct tw_value value)
{
	struct tw_text text;

	if (!value.known)
		return;
	tw_record_begin(record, &text, prefix, name);
	tw_text_add_milli(&text, value.milli);
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
