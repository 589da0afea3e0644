/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/metric.h"

/* Every state, metric and sysctl, with room to spare. */
#define TW_PAGE_NUMBERS_MAX 96

/* What a reading verb has to say: paragraphs for a person, and the numbers that stand in them for a program. */
struct tw_page {
	struct tw_text text; /* each paragraph on one line, ended by a newline when the next one begins */
	unsigned number_count;
	struct tw_page_number {
		const char *name; /* borrows */
		struct tw_value value;
	} numbers[TW_PAGE_NUMBERS_MAX];
};

/* Over memory that the caller owns; capacity at least 1. */
void tw_page_init(struct tw_page *page, char *bytes, size_t capacity);

/* Begins a paragraph; with a title, "TITLE: " in front. Returns where its words go; no newline may be among them. */
struct tw_text *tw_page_begin(struct tw_page *page, const char *title);

/* A paragraph of these words; none where there are no words. */
void tw_page_say(struct tw_page *page, const char *title, const char *words);

/* Notes a number; a name that is there already is not noted twice, nor is what no longer fits. */
void tw_page_note(struct tw_page *page, const char *name, struct tw_value value);

/* The paragraphs, wrapped at `width` columns where words allow, an empty line between them. Control bytes become '?'.
 */
void tw_page_add_text(const struct tw_page *page, unsigned width, struct tw_text *text);

/*
 * Words and a newline, wrapped at `width` where they allow: the first line goes on at `column`, those after it are
 * indented. Control bytes become '?'.
 */
void tw_page_add_words(struct tw_text *text, const char *words, size_t length, unsigned width, size_t column,
		       unsigned indent);

/* {"topic":...,"text":[paragraphs],"numbers":{...}} and a newline; `topic` NULL is null, and so is what is unknown. */
void tw_page_add_json(const struct tw_page *page, const char *topic, struct tw_text *text);
