/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/out.h"

void tw_out_init(struct tw_out *out, void (*put)(void *context, const char *bytes, size_t length), void *context)
{
	tw_text_init(&out->text, out->bytes, sizeof(out->bytes));
	out->put = put;
	out->context = context;
}

void tw_out_end(struct tw_out *out)
{
	if (out->text.length > 0)
		out->put(out->context, out->bytes, out->text.length);
	tw_text_init(&out->text, out->bytes, sizeof(out->bytes));
}

struct tw_text *tw_out_pass(struct tw_out *out)
{
	char last[] = { 0, 0 };

	/* The last byte stays: what comes next looks at it, for JSON's commas. */
	if (out->text.length > sizeof(out->bytes) / 2) {
		last[0] = out->bytes[out->text.length - 1];
		out->put(out->context, out->bytes, out->text.length - 1);
		tw_text_init(&out->text, out->bytes, sizeof(out->bytes));
		tw_text_add(&out->text, last);
	}
	return &out->text;
}
