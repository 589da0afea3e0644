/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"

/*
 * Words as text of HTML or XML, or between the quotes of an attribute: nothing in them is markup, whoever wrote them.
 * What is no UTF-8, and control bytes other than newline and tab, become U+FFFD; so do the characters that turn the
 * direction of writing.
 */
void tw_html_add(struct tw_text *text, const char *words);
void tw_html_add_bytes(struct tw_text *text, const char *words, size_t length);

/* <time datetime="...">2026-11-22 19:45:44</time> */
void tw_html_add_time(struct tw_text *text, usec_t at_usec);
