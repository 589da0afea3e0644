/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/page.h"

#include <string.h>

void tw_page_init(struct tw_page *page, char *bytes, size_t capacity)
{
	tw_text_init(&page->text, bytes, capacity);
	page->number_count = 0;
}

struct tw_text *tw_page_begin(struct tw_page *page, const char *title)
{
	if (page->text.length > 0)
		tw_text_add_char(&page->text, '\n');
	if (title)
		tw_text_addf(&page->text, "%s: ", title);
	return &page->text;
}

void tw_page_say(struct tw_page *page, const char *title, const char *words)
{
	if (words)
		tw_text_add(tw_page_begin(page, title), words);
}

void tw_page_note(struct tw_page *page, const char *name, struct tw_value value)
{
	for (unsigned i = 0; i < page->number_count; i++)
		if (strcmp(page->numbers[i].name, name) == 0)
			return;
	if (page->number_count < TW_PAGE_NUMBERS_MAX)
		page->numbers[page->number_count++] = (struct tw_page_number){ name, value };
}

/* The paragraph at *cursor without its newline, and moves on; false behind the last. */
static bool next_paragraph(const char **cursor, const char **ret, size_t *ret_length)
{
	if (**cursor == '\0')
		return false;
	*ret = *cursor;
	*ret_length = strcspn(*cursor, "\n");
	*cursor += *ret_length + ((*cursor)[*ret_length] == '\n');
	return true;
}

/* A unit's name can hold anything, and a terminal obeys control bytes. */
static void add_word(struct tw_text *text, const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)word[i];

		tw_text_add_char(text, byte < 0x20 || byte == 0x7f ? '?' : word[i]);
	}
}

void tw_page_add_words(struct tw_text *text, const char *words, size_t length, unsigned width, size_t column,
		       unsigned indent)
{
	const char *between = "";

	for (size_t at = 0; at < length;) {
		const char *blank = memchr(words + at, ' ', length - at);
		size_t word = blank ? (size_t)(blank - words) - at : length - at;

		if (column > indent && column + strlen(between) + word > width) {
			tw_text_addf(text, "\n%*s", (int)indent, "");
			column = indent;
			between = "";
		}
		tw_text_add(text, between);
		add_word(text, words + at, word);
		column += strlen(between) + word;
		between = " ";
		at += word + 1;
	}
	tw_text_add_char(text, '\n');
}

void tw_page_add_text(const struct tw_page *page, unsigned width, struct tw_text *text)
{
	const char *cursor = page->text.bytes, *words;
	const char *between = "";
	size_t length;

	while (next_paragraph(&cursor, &words, &length)) {
		tw_text_add(text, between);
		tw_page_add_words(text, words, length, width, 0, 0);
		between = "\n";
	}
}

static void add_paragraphs(const struct tw_page *page, struct tw_text *json)
{
	const char *cursor = page->text.bytes, *words;
	size_t length;

	tw_json_begin(json, '[');
	while (next_paragraph(&cursor, &words, &length))
		tw_json_string_bytes(json, words, length);
	tw_json_end(json, ']');
}

static void add_numbers(const struct tw_page *page, struct tw_text *json)
{
	tw_json_begin(json, '{');
	for (unsigned i = 0; i < page->number_count; i++) {
		const struct tw_page_number *number = &page->numbers[i];

		tw_json_key(json, number->name);
		if (number->value.known)
			tw_json_milli(json, number->value.milli);
		else
			tw_json_literal(json, "null");
	}
	tw_json_end(json, '}');
}

void tw_page_add_json(const struct tw_page *page, const char *topic, struct tw_text *text)
{

	tw_json_begin(text, '{');
	tw_json_key(text, "topic");
	if (topic)
		tw_json_string(text, topic);
	else
		tw_json_literal(text, "null");
	tw_json_key(text, "text");
	add_paragraphs(page, text);
	tw_json_key(text, "numbers");
	add_numbers(page, text);
	tw_json_end(text, '}');
	tw_text_add_char(text, '\n');
}
