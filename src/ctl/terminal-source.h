/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* Narrower than this nobody reads sentences: a terminal that is has to wrap. */
#define TW_TERMINAL_WIDTH_MIN 20

/* What standard output is. */
struct tw_terminal {
	bool moves;	 /* a terminal that obeys escapes: not TERM=dumb */
	bool colour;	 /* and where the environment has no NO_COLOR */
	bool utf8;	 /* the locale's text is UTF-8 */
	unsigned width;	 /* columns; 80 where it is no terminal */
	unsigned height; /* lines; 0 where it is no terminal */
};

struct tw_terminal tw_terminal_look(void);
