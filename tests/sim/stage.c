/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/stage.h"

#include "act/reconcile.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Far from 0, where a time means "never". */
#define SIM_EPOCH_USEC (1000 * TW_USEC_PER_SEC)

#define SIM_OF(pointer, member) ((struct sim *)(void *)((char *)(pointer)-offsetof(struct sim, member)))

static struct tw_time read_clock(struct tw_clock *clock)
{
	struct sim *sim = SIM_OF(clock, clock);

	return (struct tw_time){
		.now_usec = sim->now_usec,
		/* What the thread does is not the loop's. */
		.cpu_usec = sim->worker ? 0 : sim->source.datagrams * sim->datagram_cost_usec,
	};
}

static void tell(struct tw_recorder *recorder, const char *namespace TW_UNUSED, const struct tw_event *event)
{
	struct sim *sim = SIM_OF(recorder, recorder);
	struct sim_event *kept;

	sim->told[event->kind]++;
	if (event->kind == TW_EVENT_SAMPLE || sim->event_count == SIM_EVENTS_MAX)
		return;
	kept = &sim->events[sim->event_count++];
	kept->at_usec = sim->now_usec;
	kept->event = *event;
	(void)tw_text_copy(kept->rule, sizeof(kept->rule), event->rule ? event->rule->name : event->rule_name);
	/* What these point to does not outlive the telling. */
	kept->event.rule = NULL;
	kept->event.sample = NULL;
}

struct sim *sim_new(void)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		abort();
	sim->clock.read = read_clock;
	sim->recorder.tell = tell;
	sim->now_usec = SIM_EPOCH_USEC;
	tw_fake_source_init(&sim->source);
	tw_fake_act_init(&sim->act);
	tw_fake_act_set(&sim->act, TW_TUNABLE_TW_REUSE, 2);
	tw_fake_act_set(&sim->act, TW_TUNABLE_KEEPALIVE_TIME, 7200);
	tw_fake_act_set(&sim->act, TW_TUNABLE_TIMESTAMPS, 1);
	tw_fake_act_set(&sim->act, TW_TUNABLE_MAX_TW_BUCKETS, 131072);
	sim->source.tells_bound = true;
	return sim;
}

struct sim *sim_free(struct sim *sim)
{
	if (sim->running)
		tw_manager_done(&sim->manager);
	sim->worker = tw_worker_free(sim->worker);
	tw_fake_source_done(&sim->source);
	free(sim);
	return NULL;
}

int sim_begin(void **state)
{
	*state = sim_new();
	return 0;
}

int sim_end(void **state)
{
	sim_free(*state);
	return 0;
}

static int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct sim *sim = context;
	const struct tw_acting_edges edges = {
		.sysctl = &sim->act.sysctl,
		.socket = &sim->act.socket,
		.store = &sim->act.store,
		.recorder = &sim->recorder,
	};

	*ret = tw_acting_new(&edges, &sim->ledger, name);
	return *ret ? 0 : -ENOMEM;
}

void sim_start(struct sim *sim, struct tw_settings *settings)
{
	static const struct tw_hash_key key = { 1, 2 };
	const struct tw_manager_edges edges = {
		.host = {
			.source = &sim->source.base,
			.recorder = &sim->recorder,
			.make_acting = make_acting,
			.context = sim,
			.tells_bound = true,
		},
		.clock = &sim->clock,
	};
	struct tw_reconciler recovery;

	tw_reconcile_init(&recovery, &sim->act.saved, &sim->act.sysctl, &sim->act.store, &sim->recorder, "host");
	(void)tw_reconcile_restore(&recovery);
	sim->ledger = recovery.ledger;
	if (tw_manager_init(&sim->manager, settings, &edges, &key) < 0)
		abort();
	sim->running = true;
}

void sim_stop(struct sim *sim)
{
	(void)tw_manager_stop(&sim->manager);
	sim_kill(sim);
}

void sim_kill(struct sim *sim)
{
	tw_manager_done(&sim->manager);
	sim->running = false;
}

/* Time stands still while the worker does its job. */
static void wait_for_worker(struct sim *sim)
{
	struct pollfd ended = { .fd = sim->worker ? tw_worker_fd(sim->worker) : -1, .events = POLLIN };

	if (sim->worker && tw_manager_busy(&sim->manager) && poll(&ended, 1, -1) < 0)
		abort();
}

void sim_use_worker(struct sim *sim)
{
	if (tw_worker_new(&sim->worker) < 0)
		abort();
	sim->manager.worker = sim->worker;
}

void sim_tick(struct sim *sim)
{
	/* The gauge shows what the sysctls are. */
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++)
		if (sim->act.live[i].known && sim->source.gauge.sysctls[i].known)
			sim->source.gauge.sysctls[i] = sim->act.live[i];
	if (tw_manager_tick(&sim->manager) < 0)
		abort();
	do {
		wait_for_worker(sim);
	} while (tw_manager_work(&sim->manager) || tw_manager_busy(&sim->manager));
}

void sim_run(struct sim *sim, unsigned seconds)
{
	usec_t end_usec = sim->now_usec + seconds * TW_USEC_PER_SEC;

	while (sim->now_usec < end_usec) {
		sim->now_usec = TW_MIN(sim->now_usec + tw_manager_interval(&sim->manager), end_usec);
		sim_tick(sim);
	}
}

void sim_set_time_wait(struct sim *sim, unsigned count, unsigned age_seconds)
{
	tw_fake_source_clear_state(&sim->source, TW_STATE_TIME_WAIT);
	tw_fake_source_add_many(&sim->source, TW_STATE_TIME_WAIT, SIM_HOST, SIM_PORT, 32768, count, age_seconds * 1000);
	tw_fake_source_settle(&sim->source);
}

unsigned sim_when(const struct sim *sim, enum tw_event_kind kind)
{
	for (unsigned i = 0; i < sim->event_count; i++)
		if (sim->events[i].event.kind == kind)
			return (unsigned)((sim->events[i].at_usec - SIM_EPOCH_USEC) / TW_USEC_PER_SEC);
	return 0;
}

const struct sim_event *sim_last(const struct sim *sim, enum tw_event_kind kind)
{
	for (unsigned i = sim->event_count; i > 0; i--)
		if (sim->events[i - 1].event.kind == kind)
			return &sim->events[i - 1];
	return NULL;
}

int64_t sim_live(const struct sim *sim, enum tw_tunable tunable)
{
	return sim->act.live[tunable].value.numbers[0];
}

void sim_assert_untouched(const struct sim *sim)
{
	assert_int_equal(sim_live(sim, TW_TUNABLE_TW_REUSE), 2);
	assert_int_equal(sim_live(sim, TW_TUNABLE_KEEPALIVE_TIME), 7200);
	assert_int_equal(sim_live(sim, TW_TUNABLE_MAX_TW_BUCKETS), 131072);
	assert_false(tw_ledger_owes(&sim->act.saved));
	assert_int_equal(sim->act.rash_writes, 0);
}

struct tw_settings *sim_settings(void)
{
	struct tw_settings *settings = tw_settings_new();
	struct tw_rule_settings *rule;

	if (!settings)
		abort();
	rule = &settings->rules[0];
	rule->actions[rule->action_count++] = (struct tw_action){
		.kind = TW_ACTION_SET,
		.tunable = TW_TUNABLE_KEEPALIVE_TIME,
		.value.numbers[0] = 600,
	};
	return settings;
}
