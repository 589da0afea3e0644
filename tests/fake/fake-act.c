/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-act.h"

#include "base/macros.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define FAKE_OF(pointer, member) \
	((struct tw_fake_act *)(void *)((char *)(pointer)-offsetof(struct tw_fake_act, member)))

/* One call of an edge. Returns 0 or the error that it must fail with; *ret_late: after its work. */
static int enter(struct tw_fake_act *fake, int standing_error, bool *ret_late)
{
	int error = standing_error;

	*ret_late = false;
	if (fake->interfere)
		fake->interfere(fake);
	if (fake->fail_at > 1) {
		fake->fail_at--;
	} else if (fake->fail_at == 1 && fake->fail_for > 0) {
		fake->fail_for--;
		error = fake->fail_error;
		*ret_late = fake->fail_late;
		fake->fail_late = false;
	}
	return error;
}

static int fake_read(struct tw_sysctl_sink *sink, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	struct tw_fake_act *fake = FAKE_OF(sink, sysctl);
	bool late;
	int r = enter(fake, fake->read_error, &late);

	fake->reads++;
	if (r < 0)
		return r;
	if (!fake->live[tunable].known)
		return -ENOENT;
	*ret = fake->live[tunable].value;
	return 0;
}

/* The ledger on disk must know of a write before it happens: as the value about to be written, or as the baseline. */
static bool is_announced(const struct tw_fake_act *fake, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_ledger_entry *entry = &fake->saved.entries[tunable];

	return entry->owner == TW_OWNER_OURS && (tw_tunable_equal(tunable, value, &entry->written) ||
						 tw_tunable_equal(tunable, value, &entry->baseline));
}

static int fake_write(struct tw_sysctl_sink *sink, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	struct tw_fake_act *fake = FAKE_OF(sink, sysctl);
	bool late;
	int r = enter(fake, fake->write_error, &late);

	fake->writes++;
	if (!is_announced(fake, tunable, value))
		fake->rash_writes++;
	if (r < 0 && !late)
		return r;
	if (!fake->live[tunable].known)
		return -ENOENT;
	fake->live[tunable].value = fake->keeps[tunable].known ? fake->keeps[tunable].value : *value;
	return r;
}

static int fake_save(struct tw_ledger_store *store, const struct tw_ledger *ledger)
{
	struct tw_fake_act *fake = FAKE_OF(store, store);
	bool late;
	int r = enter(fake, fake->save_error, &late);

	fake->saves++;
	if (r < 0 && !late)
		return r;
	fake->saved = *ledger;
	return r;
}

static int answer(struct tw_fake_act *fake, const struct tw_candidate *candidate)
{
	if (fake->socket_answer < 0)
		return fake->socket_answer;
	if (candidate->id.cookie <= fake->gone_at_most)
		return -ENOENT;
	if (fake->ended_count < TW_FAKE_ENDED_MAX)
		fake->ended[fake->ended_count++] = candidate->id.cookie;
	return 0;
}

static int fake_end(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[])
{
	struct tw_fake_act *fake = FAKE_OF(sink, socket);

	if (fake->socket_error < 0)
		return fake->socket_error;
	if (count == 1 && rows[0].id.cookie == TW_COOKIE_ANY - 1) {
		fake->probes++;
		ret_answers[0] = fake->probe_answer;
		return 0;
	}
	fake->batches++;
	fake->largest_batch = TW_MAX(fake->largest_batch, count);
	for (unsigned i = 0; i < count; i++)
		ret_answers[i] = answer(fake, &rows[i]);
	return 0;
}

static void fake_tell(struct tw_recorder *recorder, const char *namespace TW_UNUSED, const struct tw_event *event)
{
	struct tw_fake_act *fake = FAKE_OF(recorder, recorder);

	fake->events[TW_MIN(fake->event_count, TW_FAKE_EVENTS_MAX - 1U)] = *event;
	fake->event_count++;
}

void tw_fake_act_init(struct tw_fake_act *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->sysctl = (struct tw_sysctl_sink){
		.read = fake_read,
		.write = fake_write,
	};
	fake->store = (struct tw_ledger_store){ .save = fake_save };
	fake->recorder = (struct tw_recorder){ .tell = fake_tell };
	fake->socket = (struct tw_socket_sink){ .end = fake_end };
	fake->probe_answer = -ENOENT;
	for (size_t i = 0; i < TW_ARRAY_SIZE(fake->live); i++)
		fake->live[i].known = true;
	tw_fake_act_set_range(fake, 32768, 60999);
	tw_ledger_init(&fake->saved, "00000000-0000-4000-8000-000000000000", &(struct tw_netns_id){ 1, 1 });
}

void tw_fake_act_start(struct tw_fake_act *fake, struct tw_reconciler *reconciler)
{
	tw_reconcile_init(reconciler, &fake->saved, &fake->sysctl, &fake->store, &fake->recorder, "host");
}

void tw_fake_act_set(struct tw_fake_act *fake, enum tw_tunable tunable, int64_t number)
{
	fake->live[tunable] = (struct tw_live_value){ .value = { { number, 0 } }, .known = true };
}

void tw_fake_act_set_range(struct tw_fake_act *fake, int64_t low, int64_t high)
{
	fake->live[TW_TUNABLE_PORT_RANGE] = (struct tw_live_value){ .value = { { low, high } }, .known = true };
}

const struct tw_event *tw_fake_act_last(const struct tw_fake_act *fake)
{
	return fake->event_count ? &fake->events[TW_MIN(fake->event_count, (unsigned)TW_FAKE_EVENTS_MAX) - 1] : NULL;
}

void tw_fake_act_forget_events(struct tw_fake_act *fake)
{
	fake->event_count = 0;
}
