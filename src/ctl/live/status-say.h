/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"
#include "ctl/live/screen.h"
#include "remote/snapshot-read.h"

/* Longest sentence of a status page, with NUL: a finding, and what is put around it. */
#define SENTENCE_MAX (TW_VIEW_SENTENCE_MAX + 256)

/* A figure in a sentence. */
struct tw_figure {
	char bytes[TW_DURATION_TEXT_MAX];
};

/* A sentence that is put together in place, then wrapped. */
#define SAY(screen, style, indent, ...)                               \
	do {                                                          \
		char _bytes[SENTENCE_MAX];                            \
		struct tw_text _text;                                 \
		tw_text_init(&_text, _bytes, sizeof(_bytes));         \
		tw_text_addf(&_text, __VA_ARGS__);                    \
		tw_screen_words((screen), (style), (indent), _bytes); \
	} while (0)
