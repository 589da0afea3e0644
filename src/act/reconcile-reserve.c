/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/reconcile-reserve.h"

#include "act/reconcile-save.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define KEY "net.ipv4.ip_local_reserved_ports"
/* A list that is longer as text would leave no room for the sentence around it. */
#define LIST_MAX 160

/* ---- the records: the list is no tunable, so they name it in their reason */

static void tell(const struct tw_reconciler *reconciler, const struct tw_event *event)
{
	reconciler->recorder->tell(reconciler->recorder, reconciler->namespace, event);
}

static void add_list(struct tw_text *text, const struct tw_port_set *ports)
{
	char bytes[LIST_MAX];
	struct tw_text list;
	uint32_t size = tw_port_set_size(ports);

	tw_text_init(&list, bytes, sizeof(bytes));
	tw_port_set_add_text(ports, &list);
	if (size == 0)
		tw_text_add(text, "no port");
	else if (list.cut)
		tw_text_addf(text, "%" PRIu32 " ports", size);
	else
		tw_text_add(text, bytes);
}

static void tell_restored(const struct tw_reconciler *reconciler)
{
	struct tw_event event = { .kind = TW_EVENT_RESTORED, .severity = TW_SEVERITY_NOTICE };
	struct tw_text reason;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_add(&reason, KEY " is as it was before the range was widened: ");
	add_list(&reason, &reconciler->ledger.reserved.baseline);
	tell(reconciler, &event);
}

static void tell_yielded(const struct tw_reconciler *reconciler, const struct tw_port_set *live)
{
	struct tw_event event = { .kind = TW_EVENT_YIELDED, .severity = TW_SEVERITY_WARNING };
	struct tw_port_set added = reconciler->ledger.reserved.written;
	struct tw_text reason;

	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_add(&reason, "somebody else set " KEY " to ");
	add_list(&reason, live);
	tw_text_add(&reason, " after timewaitd had added ");
	tw_port_set_subtract(&added, &reconciler->ledger.reserved.baseline);
	add_list(&reason, &added);
	tw_text_add(&reason, "; it is left to them");
	tell(reconciler, &event);
}

static void tell_owed(const struct tw_reconciler *reconciler, int error)
{
	struct tw_event event = { .kind = TW_EVENT_DEGRADED, .severity = TW_SEVERITY_ERROR };
	struct tw_text text;

	tw_text_init(&text, event.reason, sizeof(event.reason));
	tw_text_addf(&text, "cannot put " KEY " back as it was before timewaitd: %s", strerror(-error));
	tw_text_init(&text, event.advice, sizeof(event.advice));
	tw_text_add(&text, "sysctl -w " KEY "=");
	tw_port_set_add_text(&reconciler->ledger.reserved.baseline, &text);
	/* Half a list would be another one. */
	if (text.cut)
		event.advice[0] = '\0';
	tell(reconciler, &event);
}

/* ---- putting it back */

static void drop(struct tw_reconciler *reconciler)
{
	memset(&reconciler->ledger.reserved, 0, sizeof(reconciler->ledger.reserved));
	reconciler->reserved_failed = false;
	tw_reconcile_save_after(reconciler);
}

static int fail(struct tw_reconciler *reconciler, int error)
{
	if (!reconciler->reserved_failed)
		tell_owed(reconciler, error);
	reconciler->reserved_failed = true;
	return error;
}

/* A write that was announced may not have happened: then the list before it is still what we left. */
static bool is_left_by_us(const struct tw_ledger_reserved *reserved, const struct tw_port_set *live)
{
	return tw_port_set_equal(live, &reserved->written) || tw_port_set_equal(live, &reserved->previous);
}

int tw_reconcile_release(struct tw_reconciler *reconciler)
{
	const struct tw_ledger_reserved *reserved = &reconciler->ledger.reserved;
	struct tw_port_set live;
	bool wrote = false;
	int r;

	if (!reserved->ours || reconciler->ledger.entries[TW_TUNABLE_PORT_RANGE].owner != TW_OWNER_NOBODY)
		return 0;
	r = reconciler->sysctl->read_reserved(reconciler->sysctl, &live);
	if (r < 0)
		return fail(reconciler, r);
	if (!tw_port_set_equal(&live, &reserved->baseline) && is_left_by_us(reserved, &live)) {
		int written = reconciler->sysctl->write_reserved(reconciler->sysctl, &reserved->baseline);
		struct tw_port_set found;

		r = reconciler->sysctl->read_reserved(reconciler->sysctl, &found);
		if (r < 0) /* whether it is back shows at the next look */
			return fail(reconciler, written < 0 ? written : r);
		if (tw_port_set_equal(&found, &live))
			return fail(reconciler, written < 0 ? written : -EIO);
		live = found;
		wrote = true;
	}
	if (!tw_port_set_equal(&live, &reserved->baseline))
		tell_yielded(reconciler, &live);
	else if (wrote || reconciler->reserved_failed)
		tell_restored(reconciler);
	drop(reconciler);
	return 0;
}
