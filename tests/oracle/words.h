/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The words of a script's line: apart from script.c, which does what they say. Errors end the process. */

#define WORDS_MAX 16

struct words {
	char *all[WORDS_MAX];
	unsigned count;
};

/* Takes the line to pieces, which are its words; how many. */
unsigned words_split(struct words *words, char *line);

_Noreturn void words_fail(const char *what, const char *word);

const char *words_at(const struct words *words, unsigned at);
long words_number(const struct words *words, unsigned at);
/* Of NAME=VALUE, or of NAME alone, the value; NULL where it is not there. */
const char *words_option(const struct words *words, const char *name);
unsigned words_option_number(const struct words *words, const char *name, unsigned otherwise);
