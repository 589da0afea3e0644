/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <string.h>

size_t tw_utf8_length(const char *text, size_t available)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first = bytes[0];
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t length;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;

	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0; /* else overlong */
	else if (first == 0xed)
		high = 0x9f; /* else a surrogate */
	else if (first == 0xf0)
		low = 0x90; /* else overlong */
	else if (first == 0xf4)
		high = 0x8f; /* else beyond U+10FFFF */

	if (available < length || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (bytes[i] < 0x80 || bytes[i] > 0xbf)
			return 0;
	}
	return length;
}

void tw_utf8_add(struct tw_text *text, const char *string)
{
	size_t left = strlen(string);

	while (left > 0) {
		size_t taken = tw_utf8_length(string, left);

		if (taken == 0)
			tw_text_add(text, TW_UTF8_REPLACEMENT);
		else
			tw_text_add_bytes(text, string, taken);
		taken = taken == 0 ? 1 : taken;
		string += taken;
		left -= taken;
	}
}
