/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/reconcile.h"

/* Stores the reconciler's ledger before a change. Returns 0 or -errno; then it is saved again at the next
 * reconciliation. */
int tw_reconcile_save(struct tw_reconciler *reconciler);

/* The same after the fact: nothing waits for it, and a failure is told once until it works. */
void tw_reconcile_save_after(struct tw_reconciler *reconciler);
