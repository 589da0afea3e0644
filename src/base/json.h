/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Nesting that the writer can keep track of: the deepest document of this project uses 5. */
#define TW_JSON_DEPTH_MAX 16

/*
 * Writes JSON (RFC 8259) on one line into a tw_text: commas and quotes are its own business, the nesting is the
 * caller's. Bytes that are no UTF-8 become U+FFFD, so that the document is valid whatever the world put in.
 */
struct tw_json {
	struct tw_text *text;
	unsigned depth;
	bool filled[TW_JSON_DEPTH_MAX];
	bool after_key;
};

void tw_json_init(struct tw_json *json, struct tw_text *text);
void tw_json_object_begin(struct tw_json *json);
void tw_json_object_end(struct tw_json *json);
void tw_json_array_begin(struct tw_json *json);
void tw_json_array_end(struct tw_json *json);
/* Returns `json`, for the value that follows. */
struct tw_json *tw_json_key(struct tw_json *json, const char *key);
void tw_json_string(struct tw_json *json, const char *string);
void tw_json_string_bytes(struct tw_json *json, const char *bytes, size_t length);
void tw_json_u64(struct tw_json *json, uint64_t number);
void tw_json_i64(struct tw_json *json, int64_t number);
/* Thousandths as a decimal number. */
void tw_json_milli(struct tw_json *json, int64_t milli);
void tw_json_bool(struct tw_json *json, bool truth);
void tw_json_null(struct tw_json *json);
