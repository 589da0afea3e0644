/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void words_fail(const char *what, const char *word)
{
	fprintf(stderr, "%s: %s\n", what, word);
	exit(2);
}

unsigned words_split(struct words *words, char *line)
{
	char *rest = line, *next;

	words->count = 0;
	line[strcspn(line, "#\n")] = '\0';
	while ((next = strtok_r(rest, " ", &rest))) {
		if (words->count == WORDS_MAX)
			words_fail("too many words", next);
		words->all[words->count++] = next;
	}
	return words->count;
}

const char *words_at(const struct words *words, unsigned at)
{
	if (at >= words->count)
		words_fail("a word is missing after", words->all[0]);
	return words->all[at];
}

long words_number(const struct words *words, unsigned at)
{
	return strtol(words_at(words, at), NULL, 10);
}

const char *words_option(const struct words *words, const char *name)
{
	size_t length = strlen(name);

	for (unsigned i = 1; i < words->count; i++)
		if (strncmp(words->all[i], name, length) == 0 &&
		    (words->all[i][length] == '\0' || words->all[i][length] == '='))
			return words->all[i] + length + (words->all[i][length] == '=');
	return NULL;
}

unsigned words_option_number(const struct words *words, const char *name, unsigned otherwise)
{
	const char *value = words_option(words, name);

	return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}
