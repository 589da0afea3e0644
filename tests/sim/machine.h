/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The real manager over many network namespaces in memory, which come and go: one machine a program, anew for each
 * test.
 */
#include "base/macros.h"
#include "watch/manager.h"
#include "fake/fake-act.h"
#include "fake/fake-source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S TW_USEC_PER_SEC
#define EPOCH (1000 * S)
#define MACHINE_MAX 64
/* CPU time of a tick, a datagram of a dump, and an activity read, about as they are. */
#define GAUGE_USEC 60
#define DATAGRAM_USEC 200
#define ACTIVITY_USEC 4

struct house {
	bool there, named, closed;
	struct tw_namespace namespace;
	struct tw_fake_source source;
	struct tw_fake_act act;
	unsigned opened, shut;
};

struct machine {
	struct tw_clock clock;
	struct tw_recorder recorder;
	struct tw_discovery discovery;
	struct tw_manager manager;
	usec_t now_usec;
	struct house host, houses[MACHINE_MAX];
	const struct house *found[MACHINE_MAX];
	unsigned found_count;
	bool with_processes, denied;
	unsigned process_looks;
	unsigned told[TW_EVENT_COUNT];
	char last[TW_EVENT_COUNT][TW_NAMESPACE_NAME_MAX]; /* whom it was told of */
	char reason[TW_REASON_MAX];
};

static struct machine *machine;

static inline usec_t cost_of(const struct house *house)
{
	return house->source.gauges * GAUGE_USEC + house->source.datagrams * DATAGRAM_USEC +
	       house->source.activity_reads * ACTIVITY_USEC;
}

static inline struct tw_time read_clock(struct tw_clock *clock TW_UNUSED)
{
	usec_t cpu_usec = cost_of(&machine->host);

	for (unsigned i = 0; i < MACHINE_MAX; i++)
		cpu_usec += cost_of(&machine->houses[i]);
	return (struct tw_time){ machine->now_usec, cpu_usec };
}

static inline void tell(struct tw_recorder *recorder TW_UNUSED, const char *namespace, const struct tw_event *event)
{
	machine->told[event->kind]++;
	(void)strcpy(machine->last[event->kind], namespace);
	if (event->kind != TW_EVENT_SAMPLE)
		(void)strcpy(machine->reason, event->reason);
}

static inline int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct house *house = context;
	const struct tw_acting_edges edges = {
		.sysctl = &house->act.sysctl,
		.socket = &house->act.socket,
		.store = &house->act.store,
		.recorder = &machine->recorder,
	};

	*ret = tw_acting_new(&edges, &house->act.saved, name);
	return *ret ? 0 : -ENOMEM;
}

static inline void look(struct tw_discovery *discovery TW_UNUSED, bool processes)
{
	machine->with_processes = processes;
	machine->process_looks += processes;
	machine->found_count = 0;
	for (unsigned i = 0; i < MACHINE_MAX; i++)
		if (machine->houses[i].there && (machine->houses[i].named || processes))
			machine->found[machine->found_count++] = &machine->houses[i];
}

static inline int step(struct tw_discovery *discovery TW_UNUSED)
{
	return 0;
}

static inline const struct tw_namespace *found(struct tw_discovery *discovery TW_UNUSED, unsigned index,
					       bool *ret_named)
{
	if (index >= machine->found_count)
		return NULL;
	*ret_named = machine->found[index]->named;
	return &machine->found[index]->namespace;
}

static inline bool denied(struct tw_discovery *discovery TW_UNUSED)
{
	return machine->denied;
}

static inline struct tw_watch_edges edges_of(struct house *house)
{
	return (struct tw_watch_edges){
		.source = &house->source.base,
		.recorder = &machine->recorder,
		.make_acting = make_acting,
		.context = house,
		.tells_bound = true,
	};
}

static inline int open_one(struct tw_discovery *discovery TW_UNUSED, unsigned index, struct tw_watch_edges *ret)
{
	struct house *house = &machine->houses[machine->found[index] - machine->houses];

	if (house->closed)
		return -EPERM;
	house->opened++;
	*ret = edges_of(house);
	return 0;
}

static inline void close_one(struct tw_discovery *discovery TW_UNUSED, const struct tw_watch_edges *edges)
{
	((struct house *)edges->context)->shut++;
}

static inline void build(struct house *house)
{
	tw_fake_source_init(&house->source);
	house->source.tells_bound = true;
	tw_fake_act_init(&house->act);
	tw_fake_act_set(&house->act, TW_TUNABLE_TW_REUSE, 2);
	tw_fake_act_set(&house->act, TW_TUNABLE_TIMESTAMPS, 1);
}

static inline int begin(void **state TW_UNUSED)
{
	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return -1;
	machine->clock.read = read_clock;
	machine->recorder.tell = tell;
	machine->discovery = (struct tw_discovery){ look, step, found, denied, open_one, close_one };
	machine->now_usec = EPOCH;
	build(&machine->host);
	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		struct house *house = &machine->houses[i];

		build(house);
		tw_fake_source_beat(&house->source);
		house->named = true;
		house->namespace.id = 100 + i;
		(void)snprintf(house->namespace.name, sizeof(house->namespace.name), "n%u", i);
	}
	return 0;
}

static inline int end(void **state TW_UNUSED)
{
	unsigned opened = 0, shut = 0;

	tw_manager_done(&machine->manager);
	for (unsigned i = 0; i < MACHINE_MAX; i++) {
		opened += machine->houses[i].opened;
		shut += machine->houses[i].shut;
		tw_fake_source_done(&machine->houses[i].source);
	}
	tw_fake_source_done(&machine->host.source);
	free(machine);
	return opened == shut ? 0 : -1;
}

static inline struct tw_settings *settings_of(const char *namespaces)
{
	struct tw_settings *settings = tw_settings_new();

	assert_non_null(settings);
	(void)strcpy(settings->namespaces.words, namespaces);
	settings->cpu_budget_milli = 2000;
	settings->sample_record_usec = 0;
	return settings;
}

static inline void start(struct tw_settings *settings)
{
	static const struct tw_hash_key key = { 1, 2 };
	const struct tw_manager_edges edges = { edges_of(&machine->host), &machine->discovery, &machine->clock };

	assert_int_equal(tw_manager_init(&machine->manager, settings, &edges, &key), 0);
	assert_true(tw_manager_begin(&machine->manager));
}

/* Each second the story goes on: the function, where there is one, says how. */
static inline void run(unsigned seconds, void (*happens)(unsigned second))
{
	usec_t end_usec = machine->now_usec + seconds * S;
	unsigned second = 0;

	while (machine->now_usec < end_usec) {
		usec_t next_usec = TW_MIN(machine->now_usec + tw_manager_interval(&machine->manager), end_usec);

		if (happens && (next_usec - EPOCH) / S != (machine->now_usec - EPOCH) / S)
			happens(second++);
		machine->now_usec = next_usec;
		assert_int_equal(tw_manager_tick(&machine->manager), 0);
		while (tw_manager_work(&machine->manager))
			;
	}
}

static inline const struct tw_watch *watch_of(const char *name)
{
	for (unsigned i = 0; i < tw_manager_count(&machine->manager); i++)
		if (strcmp(tw_manager_watch(&machine->manager, i)->name, name) == 0)
			return tw_manager_watch(&machine->manager, i);
	return NULL;
}

/* The same of one that must be there. */
static inline const struct tw_watch *the(const char *name)
{
	const struct tw_watch *watch = watch_of(name);

	assert_non_null(watch);
	return watch ? watch : &machine->manager.host;
}

/* Something happens in it: packets, and sockets that come and go. */
static inline void stir(struct house *house)
{
	house->source.gauge.segments += 10;
}
