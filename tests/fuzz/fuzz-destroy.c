/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any datagram at all as the answers to requests to end sockets: each answer is one that the kernel can give. */
#include "act/destroyer.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNTOLD 12345

/* A promise of the parser is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

/* The first message's own is that of the second request, so that its neighbours are found too, over the wrap as well.
 */
static uint32_t first_of(const uint8_t *data, size_t size)
{
	uint32_t sequence = 0;

	if (size >= 12)
		memcpy(&sequence, data + 8, sizeof(sequence));
	return sequence - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int answers[4] = { UNTOLD, UNTOLD, UNTOLD, UNTOLD };
	unsigned told = 0;
	int r = tw_destroy_parse(data, size, first_of(data, size), TW_ARRAY_SIZE(answers), answers);

	/* No answer is shorter than a header and a number. */
	require(r == -EPROTO || (r >= 0 && (size_t)r <= size / 20));
	for (size_t i = 0; i < TW_ARRAY_SIZE(answers); i++) {
		if (answers[i] == UNTOLD)
			continue;
		told++;
		require(answers[i] <= 0 && answers[i] >= -4095);
	}
	require(r < 0 || told <= (unsigned)r);
	return 0;
}
