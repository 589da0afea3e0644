/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-save.h"

#include "act/reconcile-tell.h"

int tw_reconcile_save(struct tw_reconciler *reconciler)
{
	int r = reconciler->store->save(reconciler->store, &reconciler->ledger);

	reconciler->unsaved = r < 0;
	if (r >= 0)
		reconciler->unsaved_told = false;
	return r;
}

void tw_reconcile_save_after(struct tw_reconciler *reconciler)
{
	int r = tw_reconcile_save(reconciler);

	if (r < 0 && !reconciler->unsaved_told) {
		reconciler->unsaved_told = true;
		tw_reconcile_tell_stale(reconciler, r);
	}
}
