/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

void tw_json_init(struct tw_json *json, struct tw_text *text)
{
	*json = (struct tw_json){ .text = text };
}

/* What must stand before a value or a key: a comma behind an earlier one, nothing behind a key. */
static void separate(struct tw_json *json)
{
	bool *filled;

	if (json->after_key) {
		json->after_key = false;
		return;
	}
	if (json->depth == 0 || json->depth > TW_JSON_DEPTH_MAX)
		return;

	filled = &json->filled[json->depth - 1];
	if (*filled)
		tw_text_add_char(json->text, ',');
	*filled = true;
}

static void begin(struct tw_json *json, char bracket)
{
	separate(json);
	tw_text_add_char(json->text, bracket);
	if (json->depth < TW_JSON_DEPTH_MAX)
		json->filled[json->depth] = false;
	else
		json->text->cut = true; /* its commas are lost: the document is no longer whole */
	json->depth++;
}

static void end(struct tw_json *json, char bracket)
{
	if (json->depth > 0)
		json->depth--;
	json->after_key = false;
	tw_text_add_char(json->text, bracket);
}

void tw_json_object_begin(struct tw_json *json)
{
	begin(json, '{');
}

void tw_json_object_end(struct tw_json *json)
{
	end(json, '}');
}

void tw_json_array_begin(struct tw_json *json)
{
	begin(json, '[');
}

void tw_json_array_end(struct tw_json *json)
{
	end(json, ']');
}

static void add_ascii(struct tw_text *text, char byte)
{
	static const char from[] = "\"\\\n\t\r\b\f";
	static const char to[] = "\"\\ntrbf";
	const char *found = byte ? strchr(from, byte) : NULL;

	if (found) {
		tw_text_add_char(text, '\\');
		tw_text_add_char(text, to[found - from]);
	} else if ((unsigned char)byte < 0x20) {
		tw_text_addf(text, "\\u%04x", (unsigned)(unsigned char)byte);
	} else {
		tw_text_add_char(text, byte);
	}
}

static void add_quoted(struct tw_text *text, const char *bytes, size_t length)
{
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

struct tw_json *tw_json_key(struct tw_json *json, const char *key)
{
	separate(json);
	add_quoted(json->text, key, strlen(key));
	tw_text_add_char(json->text, ':');
	json->after_key = true;
	return json;
}

void tw_json_string(struct tw_json *json, const char *string)
{
	tw_json_string_bytes(json, string, strlen(string));
}

void tw_json_string_bytes(struct tw_json *json, const char *bytes, size_t length)
{
	separate(json);
	add_quoted(json->text, bytes, length);
}

void tw_json_u64(struct tw_json *json, uint64_t number)
{
	separate(json);
	tw_text_addf(json->text, "%" PRIu64, number);
}

void tw_json_i64(struct tw_json *json, int64_t number)
{
	separate(json);
	tw_text_addf(json->text, "%" PRId64, number);
}

void tw_json_milli(struct tw_json *json, int64_t milli)
{
	separate(json);
	tw_text_add_milli(json->text, milli);
}

void tw_json_bool(struct tw_json *json, bool truth)
{
	separate(json);
	tw_text_add(json->text, truth ? "true" : "false");
}

void tw_json_null(struct tw_json *json)
{
	separate(json);
	tw_text_add(json->text, "null");
}
