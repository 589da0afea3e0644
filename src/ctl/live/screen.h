/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "ctl/live/grid.h"
#include "ctl/terminal-source.h"
#include "model/settings.h"

#include <stdbool.h>

/* How words stand out. */
enum tw_style {
	TW_STYLE_PLAIN,
	TW_STYLE_TITLE,
	TW_STYLE_FAINT,
	TW_STYLE_GOOD,
	TW_STYLE_WARN,
	TW_STYLE_BAD,
};

/* Lines for a person that fit a width: each is begun, filled and ended. */
struct tw_screen {
	struct tw_text *text; /* borrows */
	unsigned width;	      /* columns, at least TW_TERMINAL_WIDTH_MIN */
	bool colour;
	unsigned column; /* of the line under way */
	unsigned start;	 /* where its words begin */
};

/* Words of a sentence, wrapped between them, its lines after the first indented. A word that is longer than a line is
 * cut into lines. */
void tw_screen_words(struct tw_screen *screen, enum tw_style style, unsigned indent, const char *words);

/* Blanks up to this column of the line under way. */
void tw_screen_indent(struct tw_screen *screen, unsigned indent);

/* Ends the line under way; without one, leaves an empty line. */
void tw_screen_end(struct tw_screen *screen);

/* A line of its own. */
void tw_screen_title(struct tw_screen *screen, const char *title);

/* The grid, fitted to the width. A name that is too long stands on lines of its own. */
void tw_screen_grid(struct tw_screen *screen, struct tw_grid *grid);

enum tw_style tw_style_of_severity(enum tw_severity severity);
