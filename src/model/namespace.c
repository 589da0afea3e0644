/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/namespace.h"

#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

void tw_namespace_tell_apart(struct tw_namespace *namespace)
{
	char bytes[24];
	struct tw_text suffix;
	size_t length;

	tw_text_init(&suffix, bytes, sizeof(bytes));
	tw_text_addf(&suffix, "@%" PRIu64, namespace->id);
	/* So that it fits, the name itself may be cut. */
	length = TW_MIN(strlen(namespace->name), sizeof(namespace->name) - 1 - suffix.length);
	memcpy(namespace->name + length, suffix.bytes, suffix.length + 1);
}

bool tw_namespace_list_says(const struct tw_namespace_list *list, const char *word)
{
	const char *cursor = list->words, *end = cursor + strlen(cursor), *found;
	size_t length;

	while (tw_parse_word(&cursor, end, &found, &length))
		if (tw_parse_is(found, length, word))
			return true;
	return false;
}

static bool matches(const char *word, size_t length, const char *name)
{
	char pattern[TW_NAMESPACE_LIST_MAX];

	return tw_text_copy_bytes(pattern, sizeof(pattern), word, length) && fnmatch(pattern, name, 0) == 0;
}

bool tw_namespace_list_has(const struct tw_namespace_list *list, const char *name)
{
	const char *cursor = list->words, *end = cursor + strlen(cursor), *word;
	bool host = strcmp(name, TW_NAMESPACE_HOST) == 0;
	size_t length;

	while (tw_parse_word(&cursor, end, &word, &length))
		if (tw_parse_is(word, length, TW_NAMESPACE_ALL) || tw_parse_is(word, length, name) ||
		    (!host && matches(word, length, name)))
			return true;
	return false;
}

bool tw_namespace_list_is_open(const struct tw_namespace_list *list)
{
	return strpbrk(list->words, "*?") || tw_namespace_list_says(list, TW_NAMESPACE_ALL);
}

bool tw_namespace_list_is_wide(const struct tw_namespace_list *list)
{
	const char *cursor = list->words, *end = cursor + strlen(cursor), *word;
	size_t length;

	while (tw_parse_word(&cursor, end, &word, &length))
		if (!tw_parse_is(word, length, TW_NAMESPACE_HOST))
			return true;
	return false;
}
