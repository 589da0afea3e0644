/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-draft.h"

#include "base/parse.h"

void tw_key_suggest(struct tw_text *text, const char *word, const char *const *words, size_t count)
{
	const char *near = tw_near(word, words, count);

	if (near)
		tw_text_addf(text, "; did you mean '%s'?", near);
}
