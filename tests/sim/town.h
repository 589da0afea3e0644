/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The real manager over many network namespaces in memory, which come and go: one town a program, anew for each test.
 */
#include "base/macros.h"
#include "daemon/manager.h"
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
#define TOWN_MAX 64
/* CPU time of a tick, a datagram of a dump, and a pulse, about as they are. */
#define GAUGE_USEC 60
#define DATAGRAM_USEC 200
#define PULSE_USEC 4

struct house {
	bool there, named, closed;
	struct tw_namespace namespace;
	struct tw_fake_source source;
	struct tw_fake_act act;
	unsigned opened, shut;
};

struct town {
	struct tw_clock clock;
	struct tw_recorder recorder;
	struct tw_neighbours neighbours;
	struct tw_manager manager;
	usec_t now_usec;
	struct house host, houses[TOWN_MAX];
	const struct house *found[TOWN_MAX];
	unsigned found_count;
	bool with_processes, denied;
	unsigned process_looks;
	unsigned told[TW_EVENT_COUNT];
	char last[TW_EVENT_COUNT][TW_NAMESPACE_NAME_MAX]; /* whom it was told of */
	char reason[TW_REASON_MAX];
};

static struct town *town;

static inline usec_t cost_of(const struct house *house)
{
	return house->source.gauges * GAUGE_USEC + house->source.datagrams * DATAGRAM_USEC +
	       house->source.pulses * PULSE_USEC;
}

static inline struct tw_time read_clock(struct tw_clock *clock TW_UNUSED)
{
	usec_t cpu_usec = cost_of(&town->host);

	for (unsigned i = 0; i < TOWN_MAX; i++)
		cpu_usec += cost_of(&town->houses[i]);
	return (struct tw_time){ town->now_usec, cpu_usec };
}

static inline void tell(struct tw_recorder *recorder TW_UNUSED, const char *namespace, const struct tw_event *event)
{
	town->told[event->kind]++;
	(void)strcpy(town->last[event->kind], namespace);
	if (event->kind != TW_EVENT_SAMPLE)
		(void)strcpy(town->reason, event->reason);
}

static inline int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct house *house = context;
	const struct tw_acting_edges edges = {
		.sysctl = &house->act.sysctl,
		.socket = &house->act.socket,
		.store = &house->act.store,
		.recorder = &town->recorder,
	};

	*ret = tw_acting_new(&edges, &house->act.saved, name);
	return *ret ? 0 : -ENOMEM;
}

static inline void look(struct tw_neighbours *neighbours TW_UNUSED, bool processes)
{
	town->with_processes = processes;
	town->process_looks += processes;
	town->found_count = 0;
	for (unsigned i = 0; i < TOWN_MAX; i++)
		if (town->houses[i].there && (town->houses[i].named || processes))
			town->found[town->found_count++] = &town->houses[i];
}

static inline int step(struct tw_neighbours *neighbours TW_UNUSED)
{
	return 0;
}

static inline const struct tw_namespace *found(struct tw_neighbours *neighbours TW_UNUSED, unsigned index,
					       bool *ret_named)
{
	if (index >= town->found_count)
		return NULL;
	*ret_named = town->found[index]->named;
	return &town->found[index]->namespace;
}

static inline bool denied(struct tw_neighbours *neighbours TW_UNUSED)
{
	return town->denied;
}

static inline struct tw_watch_edges edges_of(struct house *house)
{
	return (struct tw_watch_edges){
		.source = &house->source.base,
		.recorder = &town->recorder,
		.make_acting = make_acting,
		.context = house,
		.tells_bound = true,
	};
}

static inline int open_one(struct tw_neighbours *neighbours TW_UNUSED, unsigned index, struct tw_watch_edges *ret)
{
	struct house *house = &town->houses[town->found[index] - town->houses];

	if (house->closed)
		return -EPERM;
	house->opened++;
	*ret = edges_of(house);
	return 0;
}

static inline void close_one(struct tw_neighbours *neighbours TW_UNUSED, const struct tw_watch_edges *edges)
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
	town = calloc(1, sizeof(*town));
	if (!town)
		return -1;
	town->clock.read = read_clock;
	town->recorder.tell = tell;
	town->neighbours = (struct tw_neighbours){ look, step, found, denied, open_one, close_one };
	town->now_usec = EPOCH;
	build(&town->host);
	for (unsigned i = 0; i < TOWN_MAX; i++) {
		struct house *house = &town->houses[i];

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

	tw_manager_done(&town->manager);
	for (unsigned i = 0; i < TOWN_MAX; i++) {
		opened += town->houses[i].opened;
		shut += town->houses[i].shut;
		tw_fake_source_done(&town->houses[i].source);
	}
	tw_fake_source_done(&town->host.source);
	free(town);
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
	const struct tw_manager_edges edges = { edges_of(&town->host), &town->neighbours, &town->clock };

	assert_int_equal(tw_manager_init(&town->manager, settings, &edges, &key), 0);
	assert_true(tw_manager_begin(&town->manager));
}

/* Each second the story goes on: the function, where there is one, says how. */
static inline void run(unsigned seconds, void (*happens)(unsigned second))
{
	usec_t end_usec = town->now_usec + seconds * S;
	unsigned second = 0;

	while (town->now_usec < end_usec) {
		usec_t next_usec = TW_MIN(town->now_usec + tw_manager_interval(&town->manager), end_usec);

		if (happens && (next_usec - EPOCH) / S != (town->now_usec - EPOCH) / S)
			happens(second++);
		town->now_usec = next_usec;
		assert_int_equal(tw_manager_tick(&town->manager), 0);
		while (tw_manager_work(&town->manager))
			;
	}
}

static inline const struct tw_watch *watch_of(const char *name)
{
	for (unsigned i = 0; i < tw_manager_count(&town->manager); i++)
		if (strcmp(tw_manager_watch(&town->manager, i)->name, name) == 0)
			return tw_manager_watch(&town->manager, i);
	return NULL;
}

/* The same of one that must be there. */
static inline const struct tw_watch *the(const char *name)
{
	const struct tw_watch *watch = watch_of(name);

	assert_non_null(watch);
	return watch ? watch : town->manager.host;
}

/* Something happens in it: packets, and sockets that come and go. */
static inline void stir(struct house *house)
{
	house->source.gauge.segments += 10;
}
