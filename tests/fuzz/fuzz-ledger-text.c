/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger.h"

#include "base/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the parser is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_sound(const struct tw_ledger *ledger)
{
	require(ledger->boot_id[0] != '\0' && memchr(ledger->boot_id, '\0', sizeof(ledger->boot_id)) != NULL);
	for (size_t i = 0; i < TW_ARRAY_SIZE(ledger->entries); i++) {
		const struct tw_ledger_entry *entry = &ledger->entries[i];

		require(entry->owner == TW_OWNER_NOBODY || entry->owner == TW_OWNER_OURS ||
			entry->owner == TW_OWNER_YIELDED);
		require(memchr(entry->rule, '\0', sizeof(entry->rule)) != NULL);
	}
}

/* What was read is written as the same bytes. */
static void require_same_text(const struct tw_ledger *ledger, const char *bytes, size_t size)
{
	static char again[TW_LEDGER_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, again, sizeof(again));
	tw_ledger_text_write(ledger, &text);
	require(!text.cut && text.length == size && memcmp(again, bytes, size) == 0);
}

static void parse(const char *bytes, size_t size)
{
	struct tw_ledger ledger;
	int r = tw_ledger_text_parse(bytes, size, &ledger);

	require(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
	if (r < 0)
		return;
	require_sound(&ledger);
	require_same_text(&ledger, bytes, size);
	/* Its last line counts: without its last byte it is none. */
	require(tw_ledger_text_parse(bytes, size - 1, &ledger) == -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Without a NUL, so that a read beyond the end is seen. */
	TW_CLEANUP_FREE char *bytes = malloc(size > 0 ? size : 1);

	require(bytes != NULL);
	if (size > 0)
		memcpy(bytes, data, size);
	parse(bytes, size);
	return 0;
}
