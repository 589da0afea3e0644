/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "tell/record.h"

/*
 * Longest single thing that is written in one piece: the words of a record, each byte of which may take six ("&quot;",
 * "\u001f"), with what stands around them.
 */
#define TW_OUT_PIECE_MAX (6 * TW_RECORD_BYTES_MAX + 16384)
/* Half of it is free after tw_out_pass(). */
#define TW_OUT_BYTES (2 * TW_OUT_PIECE_MAX)

/* Text of any length on its way out: what has gathered is handed on whenever half of the room is taken. */
struct tw_out {
	struct tw_text text; /* write here, then call tw_out_pass() */
	void (*put)(void *context, const char *bytes, size_t length);
	void *context; /* borrows */
	char bytes[TW_OUT_BYTES];
};

void tw_out_init(struct tw_out *out, void (*put)(void *context, const char *bytes, size_t length), void *context);

/* Hands on what there is, if that is much: after each thing written. Returns where to go on writing. */
struct tw_text *tw_out_pass(struct tw_out *out);

/* Hands on what is left. */
void tw_out_end(struct tw_out *out);
