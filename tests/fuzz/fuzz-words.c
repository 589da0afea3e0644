/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any words, of a configuration, a cgroup or the journal, on their way to whoever reads them: over the bus, in JSON, in
 * a page, on a terminal. Nothing in them is more than words there.
 */
#include "base/macros.h"
#include "base/text.h"
#include "ctl/report/html.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "&quot;" and "\u001f" take six bytes in the place of one. */
#define GROWTH 6

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_characters(const char *bytes, size_t length)
{
	for (size_t at = 0, step; at < length; at += step) {
		step = tw_utf8_length(bytes + at, length - at);
		require(step > 0);
	}
}

static void require_no_markup(const char *bytes)
{
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

	require(!strpbrk(bytes, "<>\"'"));
	for (; *bytes != '\0'; bytes++) {
		bool known = *bytes != '&';

		for (size_t i = 0; i < TW_ARRAY_SIZE(entities) && !known; i++)
			known = strncmp(bytes, entities[i], strlen(entities[i])) == 0;
		require(known);
		require((unsigned char)*bytes >= 0x20 || *bytes == '\n' || *bytes == '\t');
	}
}

/* Another reader finds in it just what goes over the bus. */
static void require_json(const struct tw_text *text, const char *clean)
{
	json_t *read = json_loadb(text->bytes, text->length, JSON_DECODE_ANY, NULL);

	require(json_is_string(read) && strcmp(json_string_value(read), clean) == 0);
	json_decref(read);
}

static void check(const char *words, size_t room, char *one, char *other)
{
	struct tw_text text, clean;

	tw_text_init(&clean, one, room);
	tw_utf8_add(&clean, words);
	require(!clean.cut && clean.length <= 3 * strlen(words));
	require_characters(clean.bytes, clean.length);

	tw_text_init(&text, other, room);
	tw_json_string(&text, words);
	require(!text.cut);
	require_json(&text, clean.bytes);

	tw_text_init(&text, other, room);
	tw_html_add(&text, words);
	require(!text.cut);
	require_characters(text.bytes, text.length);
	require_no_markup(text.bytes);

	tw_text_init(&text, other, room);
	tw_text_add_scrubbed(&text, words);
	require(text.length == strlen(words));
	for (const char *at = text.bytes; *at != '\0'; at++)
		require((unsigned char)*at >= 0x20 && *at != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = GROWTH * size + sizeof("\"\"");
	TW_CLEANUP_FREE char *words = malloc(size + 1);
	TW_CLEANUP_FREE char *one = malloc(room), *other = malloc(room);

	require(words && one && other);
	if (size > 0)
		memcpy(words, data, size);
	words[size] = '\0';
	check(words, room, one, other);
	return 0;
}
