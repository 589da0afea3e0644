/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/ledger.h"

#include "base/macros.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>

void tw_ledger_init(struct tw_ledger *ledger, const char *boot_id, const struct tw_netns_id *namespace)
{
	memset(ledger, 0, sizeof(*ledger));
	(void)tw_text_copy(ledger->boot_id, sizeof(ledger->boot_id), boot_id);
	ledger->namespace = *namespace;
}

bool tw_ledger_is_empty(const struct tw_ledger *ledger)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(ledger->entries); i++)
		if (ledger->entries[i].owner != TW_OWNER_NOBODY)
			return false;
	return true;
}

bool tw_ledger_owes(const struct tw_ledger *ledger)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(ledger->entries); i++)
		if (ledger->entries[i].owner == TW_OWNER_OURS)
			return true;
	return false;
}
