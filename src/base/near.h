/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/*
 * Of `count` words the one nearest to `word` by edit distance, where it is near enough to be meant (at most two
 * edits, and fewer than half the word); else NULL. For "did you mean" in messages.
 */
const char *tw_near(const char *word, const char *const *words, size_t count);
