/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-namespaces.h"

#include "base/macros.h"
#include "base/parse.h"
#include "config/settings-draft.h"

#include <string.h>
#include <strings.h>

_Static_assert(TW_NAMESPACE_LIST_MAX > TW_SETTINGS_LINE_MAX, "each value that fits into a line fits into a list");

/* What can be a file under /run/netns, or a unit; a name with a slash is neither. */
static bool is_name(const char *word, size_t length)
{
	return length < TW_NAMESPACE_NAME_MAX && !memchr(word, '/', length) && !tw_parse_is(word, length, ".") &&
	       !tw_parse_is(word, length, "..");
}

/* A slip that would be taken for a name, and nothing would ever be watched by it. */
static bool is_slip(const char *word, size_t length, struct tw_text *why)
{
	static const char *const words[] = { TW_NAMESPACE_HOST, TW_NAMESPACE_ALL };
	char copy[TW_NAMESPACE_LIST_MAX];

	for (size_t i = 0; i < length; i++)
		if (word[i] == ',' || word[i] == ';') {
			tw_text_add(why, "expected host, all, or names with a blank between them");
			return true;
		}
	(void)tw_text_copy_bytes(copy, sizeof(copy), word, length);
	for (size_t i = 0; i < TW_ARRAY_SIZE(words); i++)
		if (strcasecmp(copy, words[i]) == 0 && strcmp(copy, words[i]) != 0) {
			tw_text_addf(why, "expected host, all, or names; did you mean '%s'?", words[i]);
			return true;
		}
	return false;
}

bool tw_namespaces_parse(struct tw_namespace_list *list, const char *value, struct tw_text *why)
{
	const char *cursor = value, *end = value + strlen(value), *word;
	size_t length;

	while (tw_parse_word(&cursor, end, &word, &length)) {
		if (!is_name(word, length)) {
			tw_text_add(why, "expected host, all, or names of network namespaces as `ip netns` shows them, "
					 "without a slash");
			return false;
		}
		if (is_slip(word, length, why))
			return false;
	}
	return tw_text_copy(list->words, sizeof(list->words), value);
}
