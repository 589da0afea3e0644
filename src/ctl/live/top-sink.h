/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "ctl/live/top-model.h"
#include "ctl/terminal-source.h"

#include <stdbool.h>

/* What stands above the panes. */
struct tw_top_head {
	const char *line; /* borrows */
	bool alarm;	  /* something is raised, or wrong */
};

/* Takes the terminal. Returns 0, or -ENOTTY where it cannot be drawn on. */
int tw_top_open(const struct tw_terminal *terminal);

/* Gives the terminal back as it was; also where it was not taken. */
void tw_top_close(void);

void tw_top_draw(struct tw_top *top, const struct tw_top_head *head);

/* How many rows of a table the screen has room for. */
unsigned tw_top_page(void);

/*
 * The next key, one of enum tw_top_key among them; TW_TOP_KEY_NONE after so long, or where the size has changed or a
 * signal came. *ret_gone: the terminal is.
 */
int tw_top_wait_key(usec_t timeout_usec, bool *ret_gone);
