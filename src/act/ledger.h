/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/setns-source.h"
#include "base/text.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stddef.h>

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

/* Whether anything is owed: a baseline that is still to be put back. What was yielded is not owed. */
bool tw_ledger_owes(const struct tw_ledger *ledger);

/* More than the longest ledger: each entry has at most seven numbers and words, a key and a rule's name. */
#define TW_LEDGER_TEXT_MAX 8192

/*
 * Writes a ledger as text, one fact a line:
 *
 *     timewaitd-ledger 3
 *     boot 6f4f2c0e-9c5b-4d0f-8f35-0f5c6a1c4a5e
 *     namespace 4026531840 1
 *     entry net.ipv4.tcp_tw_reuse ours baseline 2 previous 2 written 1 rule port-exhaustion
 *     entry net.ipv4.ip_local_port_range yielded baseline 32768 60999 previous 1024 65535 written 1024 65535 rule wide
 *     end 2
 *
 * The namespace has its inode and its cookie, 0 where that is not known. The last line counts the entries: a ledger
 * that was cut anywhere has none. Control bytes in names become '?'.
 */
void tw_ledger_text_write(const struct tw_ledger *ledger, struct tw_text *text);

/*
 * Reads what tw_ledger_text_write() wrote, and nothing else, to the byte. Returns 0, -EPROTONOSUPPORT for another
 * version, -EBADMSG for anything else.
 */
int tw_ledger_text_parse(const char *bytes, size_t length, struct tw_ledger *ret);
