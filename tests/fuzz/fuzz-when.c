/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any words as a point in time: what is understood is written, and read again, as the same. */
#include "base/macros.h"
#include "ctl/when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026-11-22 19:45:44 UTC. */
#define NOW_USEC (UINT64_C(1795376744) * TW_USEC_PER_SEC + 123456)
/* "9999-12-31 00:00:00 UTC": the parser knows no later year. */
#define LAST_USEC (UINT64_C(253402214400) * TW_USEC_PER_SEC)

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

/* Local times are not one to one, where an hour comes twice; but the words are the same. */
static void require_same_words(usec_t at_usec)
{
	char words[48], again[48];
	struct tw_text text;
	usec_t read_usec = 0;

	tw_text_init(&text, words, sizeof(words));
	tw_when_add(&text, at_usec);
	require(!text.cut && tw_when_parse(words, NOW_USEC, &read_usec) == 0);
	tw_text_init(&text, again, sizeof(again));
	tw_when_add(&text, read_usec);
	require(strcmp(words, again) == 0);
}

static void require_same_time(usec_t at_usec)
{
	char words[48];
	struct tw_text text;
	usec_t read_usec = 0;

	tw_text_init(&text, words, sizeof(words));
	tw_when_add_utc(&text, at_usec);
	require(!text.cut && tw_when_parse(words, NOW_USEC, &read_usec) == 0);
	require(read_usec == at_usec - at_usec % TW_USEC_PER_SEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TW_CLEANUP_FREE char *words = malloc(size + 1);
	static bool zoned;
	usec_t at_usec = 42;
	int r;

	require(words != NULL);
	if (!zoned)
		setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	zoned = true;
	if (size > 0)
		memcpy(words, data, size);
	words[size] = '\0';
	r = tw_when_parse(words, NOW_USEC, &at_usec);
	require(r == 0 || (r == -EINVAL && at_usec == 42));
	if (r < 0 || at_usec > LAST_USEC)
		return 0;
	require_same_words(at_usec);
	require_same_time(at_usec);
	return 0;
}
