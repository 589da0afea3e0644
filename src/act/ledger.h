/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/netns-id.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/* Who a tunable belongs to at this moment. */
enum tw_owner {
	TW_OWNER_NOBODY,  /* untouched: no entry */
	TW_OWNER_OURS,	  /* changed by timewaitd: the baseline is owed */
	TW_OWNER_YIELDED, /* somebody else wrote it after us: left alone until the rule has cleared */
};

/* What timewaitd did to one tunable. */
struct tw_ledger_entry {
	enum tw_owner owner;
	struct tw_tunable_value baseline; /* before our first write */
	struct tw_tunable_value written;  /* our last write, or the one about to be made */
	struct tw_tunable_value
		previous;	     /* before that write, until it was seen in place; then the same as `written` */
	char rule[TW_RULE_NAME_MAX]; /* on whose behalf */
};

/* Length of /proc/sys/kernel/random/boot_id with NUL. */
#define TW_BOOT_ID_MAX 37

/* What timewaitd owes to one network namespace. */
struct tw_ledger {
	char boot_id[TW_BOOT_ID_MAX]; /* sysctls do not outlive a boot, nor does what we owe */
	struct tw_netns_id namespace; /* never written into another one */
	struct tw_ledger_entry entries[TW_TUNABLE_COUNT];
};

/* Empty. A boot id that does not fit is cut. */
void tw_ledger_init(struct tw_ledger *ledger, const char *boot_id, const struct tw_netns_id *namespace);

/* Whether nothing stands in it: nothing is owed, and nothing yielded. */
bool tw_ledger_is_empty(const struct tw_ledger *ledger);

/* Whether anything is owed: a baseline that is still to be put back. What was yielded is not owed. */
bool tw_ledger_owes(const struct tw_ledger *ledger);
