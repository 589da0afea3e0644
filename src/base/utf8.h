/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"

#include <stddef.h>

/* U+FFFD, in the place of what is no character. */
#define TW_UTF8_REPLACEMENT "\xef\xbf\xbd"

/* How many bytes at `text` are one character of UTF-8 as RFC 3629 has it, table 3-7 of Unicode; 0 for none. */
size_t tw_utf8_length(const char *text, size_t available);

/* Bytes that are no UTF-8 as U+FFFD: at most three times as long as `string`. */
void tw_utf8_add(struct tw_text *text, const char *string);
