/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void tw_text_init(struct tw_text *text, char *bytes, size_t capacity)
{
	*text = (struct tw_text){ .bytes = bytes, .capacity = capacity };
	bytes[0] = '\0';
}

/* What still fits in front of the final NUL. */
static size_t room_of(const struct tw_text *text)
{
	return text->capacity - text->length - 1;
}

void tw_text_add_bytes(struct tw_text *text, const char *bytes, size_t length)
{
	size_t taken = TW_MIN(length, room_of(text));

	if (taken > 0)
		memcpy(text->bytes + text->length, bytes, taken);
	text->length += taken;
	text->bytes[text->length] = '\0';
	if (taken < length)
		text->cut = true;
}

void tw_text_add(struct tw_text *text, const char *string)
{
	tw_text_add_bytes(text, string, strlen(string));
}

void tw_text_add_char(struct tw_text *text, char byte)
{
	/* By itself: charts and JSON are written byte by byte. */
	if (room_of(text) == 0) {
		text->cut = true;
		return;
	}
	text->bytes[text->length++] = byte;
	text->bytes[text->length] = '\0';
}

void tw_text_addv(struct tw_text *text, const char *format, va_list arguments)
{
	size_t room = room_of(text);
	int wanted = vsnprintf(text->bytes + text->length, room + 1, format, arguments);

	if (wanted >= 0 && (size_t)wanted <= room) {
		text->length += (size_t)wanted;
		return;
	}

	text->cut = true;
	if (wanted >= 0)
		text->length += room;
	/* A failed vsnprintf() may have left anything behind the text. */
	text->bytes[text->length] = '\0';
}

void tw_text_addf(struct tw_text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tw_text_addv(text, format, arguments);
	va_end(arguments);
}

void tw_text_add_scrubbed(struct tw_text *text, const char *string)
{
	for (; *string != '\0'; string++)
		tw_text_add_char(text, (unsigned char)*string < 0x20 || *string == 0x7f ? '?' : *string);
}

size_t tw_utf8_length(const char *text, size_t available)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first = bytes[0];
	/* Of the second byte: beyond it lie overlong forms, surrogates, and what is beyond U+10FFFF. */
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4 || available < length || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (bytes[i] < 0x80 || bytes[i] > 0xbf)
			return 0;
	}
	return length;
}

void tw_utf8_add(struct tw_text *text, const char *string)
{
	size_t taken;

	for (size_t left = strlen(string); left > 0; left -= taken, string += taken) {
		taken = tw_utf8_length(string, left);
		if (taken > 0) {
			tw_text_add_bytes(text, string, taken);
		} else {
			tw_text_add(text, TW_UTF8_REPLACEMENT);
			taken = 1;
		}
	}
}

bool tw_text_copy_bytes(char *to, size_t capacity, const char *from, size_t length)
{
	struct tw_text text;

	tw_text_init(&text, to, capacity);
	tw_text_add_bytes(&text, from, length);
	return !text.cut;
}

bool tw_text_copy(char *to, size_t capacity, const char *from)
{
	return tw_text_copy_bytes(to, capacity, from, strlen(from));
}

void tw_text_add_milli(struct tw_text *text, int64_t milli)
{
	tw_text_add_milli_rounded(text, milli, 3);
}

void tw_text_add_milli_rounded(struct tw_text *text, int64_t milli, unsigned digits)
{
	static const uint64_t powers[] = { 1, 10, 100, 1000 };
	/* Negated as unsigned: INT64_MIN has no positive twin. */
	uint64_t magnitude = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;
	uint64_t dropped, scale, scaled, fraction;

	digits = TW_MIN(digits, 3u);
	dropped = powers[3 - digits];
	scale = powers[digits];
	scaled = (magnitude + dropped / 2) / dropped;
	while (digits > 0 && scaled % 10 == 0) {
		scaled /= 10;
		scale /= 10;
		digits--;
	}

	fraction = scaled % scale;
	/* No "-0" where rounding left nothing. */
	tw_text_addf(text, "%s%" PRIu64, milli < 0 && scaled > 0 ? "-" : "", scaled / scale);
	if (digits > 0)
		tw_text_addf(text, ".%0*" PRIu64, (int)digits, fraction);
}

/* What must stand before a value or a key: a comma, but at the beginning and behind what opens or has one. */
static void separate(struct tw_text *text)
{
	if (text->length > 0 && !strchr("{[:,\n", text->bytes[text->length - 1]))
		tw_text_add_char(text, ',');
}

void tw_json_begin(struct tw_text *text, char bracket)
{
	separate(text);
	tw_text_add_char(text, bracket);
}

void tw_json_end(struct tw_text *text, char bracket)
{
	tw_text_add_char(text, bracket);
}

static void add_ascii(struct tw_text *text, char byte)
{
	static const char from[] = "\"\\\n\t\r\b\f";
	static const char to[] = "\"\\ntrbf";
	const char *found = byte ? strchr(from, byte) : NULL;

	if (found)
		tw_text_addf(text, "\\%c", to[found - from]);
	else if ((unsigned char)byte < 0x20)
		tw_text_addf(text, "\\u%04x", (unsigned)(unsigned char)byte);
	else
		tw_text_add_char(text, byte);
}

void tw_json_string_bytes(struct tw_text *text, const char *bytes, size_t length)
{
	separate(text);
	tw_text_add_char(text, '"');
	for (size_t at = 0; at < length;) {
		size_t taken = tw_utf8_length(bytes + at, length - at);

		if (taken == 0)
			tw_text_add(text, TW_UTF8_REPLACEMENT);
		else if (taken == 1)
			add_ascii(text, bytes[at]);
		else
			tw_text_add_bytes(text, bytes + at, taken);
		at += TW_MAX(taken, (size_t)1);
	}
	tw_text_add_char(text, '"');
}

void tw_json_string(struct tw_text *text, const char *string)
{
	tw_json_string_bytes(text, string, strlen(string));
}

struct tw_text *tw_json_key(struct tw_text *text, const char *key)
{
	tw_json_string(text, key);
	tw_text_add_char(text, ':');
	return text;
}

void tw_json_literal(struct tw_text *text, const char *literal)
{
	separate(text);
	tw_text_add(text, literal);
}

void tw_json_u64(struct tw_text *text, uint64_t number)
{
	separate(text);
	tw_text_addf(text, "%" PRIu64, number);
}

void tw_json_milli(struct tw_text *text, int64_t milli)
{
	separate(text);
	tw_text_add_milli(text, milli);
}
