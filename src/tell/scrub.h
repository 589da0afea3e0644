/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"

/*
 * Control bytes as '?': a terminal obeys them, and a newline would end a row of a table. Texts come from outside: a
 * configuration, a unit's name.
 */
static inline void tw_scrub_add(struct tw_text *text, const char *string)
{
	for (; *string != '\0'; string++) {
		bool control = (unsigned char)*string < 0x20 || *string == 0x7f;

		tw_text_add_char(text, control ? '?' : *string);
	}
}
