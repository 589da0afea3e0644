/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "base/text.h"

#include <stddef.h>

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
 * Reads what tw_ledger_text_write() wrote, and nothing else: each line once and in its place, each tunable at most
 * once, nothing behind the end. Returns 0, -EPROTONOSUPPORT for another version, -EBADMSG for anything else.
 */
int tw_ledger_text_parse(const char *bytes, size_t length, struct tw_ledger *ret);
