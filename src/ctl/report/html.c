/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/report/html.h"

#include "ctl/when.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The character at `bytes` and its length, by table 3-7 of Unicode; 0 for none. */
static size_t decode(const unsigned char *bytes, size_t available, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = bytes[0];
	size_t length = first < 0x80   ? 1
			: first < 0xc2 ? 0
			: first < 0xe0 ? 2
			: first < 0xf0 ? 3
			: first < 0xf5 ? 4
				       : 0;
	uint32_t code = length == 1 ? first : length > 1 ? first & (0x7fu >> length) : 0;

	if (length == 0 || length > available)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3fu);
	}
	/* Overlong, a surrogate, or beyond the last. */
	if (code < least[length] || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		return 0;
	*ret = code;
	return length;
}

/* Characters that XML does not know, and those that make text look like another one. */
static bool is_forbidden(uint32_t code)
{
	return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0) ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || (code & 0xfffe) == 0xfffe;
}

static const char *entity_of(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

void tw_html_add_bytes(struct tw_text *text, const char *words, size_t length)
{
	for (size_t at = 0; at < length;) {
		uint32_t code = 0;
		size_t taken = decode((const unsigned char *)words + at, length - at, &code);
		const char *entity = entity_of(code);

		if (taken == 0 || is_forbidden(code))
			tw_text_add(text, REPLACEMENT);
		else if (entity)
			tw_text_add(text, entity);
		else
			tw_text_add_bytes(text, words + at, taken);
		at += taken > 0 ? taken : 1;
	}
}

void tw_html_add(struct tw_text *text, const char *words)
{
	tw_html_add_bytes(text, words, strlen(words));
}

void tw_html_add_time(struct tw_text *text, usec_t at_usec)
{
	tw_text_add(text, "<time datetime=\"");
	tw_when_add_utc(text, at_usec);
	tw_text_add(text, "\">");
	tw_when_add(text, at_usec);
	tw_text_add(text, "</time>");
}
