/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reconcile.h"

/*
 * net.ipv4.ip_local_reserved_ports, which an older timewaitd added to before it widened the port range. What its ledger
 * owes is put back, once the range is: where somebody else has changed the list meanwhile, it is theirs. Returns 0, or
 * -errno where it is still owed.
 */
int tw_reconcile_release(struct tw_reconciler *reconciler);
