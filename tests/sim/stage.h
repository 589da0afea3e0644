/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "watch/manager.h"
#include "fake/fake-act.h"
#include "fake/fake-source.h"

/* Events kept of one story; a day of samples is not kept, but counted. */
#define SIM_EVENTS_MAX 512

/* The address plan of the stories: 10.0.0.1 connects to 10.0.1.HOST. */
#define SIM_HOST 2
#define SIM_PORT 8080
/* So many sockets to there are beyond `raise` (45 %) of the built-in rule: there are 28232 ports. */
#define SIM_MANY 14000

/*
 * The real manager in a world that is wholly in memory: kernel, sysctls, ledger, recorder and time. A second passes
 * when the story says so.
 */
struct sim {
	struct tw_clock clock;
	struct tw_recorder recorder;
	usec_t now_usec;
	usec_t datagram_cost_usec; /* CPU time that one datagram of a dump takes */
	struct tw_fake_source source;
	struct tw_fake_act act;
	struct tw_manager manager;
	struct tw_ledger ledger;  /* at the start */
	struct tw_worker *worker; /* NULL: the manager does all work in place */
	bool running;
	unsigned told[TW_EVENT_COUNT];
	unsigned event_count;
	struct sim_event {
		usec_t at_usec;
		struct tw_event event;
		char rule[TW_RULE_NAME_MAX];
	} events[SIM_EVENTS_MAX];
};

struct sim *sim_new(void);
struct sim *sim_free(struct sim *sim);

/* The same as a test's setup and teardown: its state is the world. */
int sim_begin(void **state);
int sim_end(void **state);

/* Starts a manager over the world as it is, after recovering from the ledger, as the daemon does. Consumes `settings`.
 */
void sim_start(struct sim *sim, struct tw_settings *settings);
/* Lets a real thread do what takes long, from now on. */
void sim_use_worker(struct sim *sim);
/* An ordered stop. */
void sim_stop(struct sim *sim);
/* Forgets the manager as kill -9 does: nothing is put back, the ledger is what was saved last. */
void sim_kill(struct sim *sim);

/* Lets so many seconds pass, with a tick and its work whenever the manager wants one. */
void sim_run(struct sim *sim, unsigned seconds);

/* A tick and its work at the present time. */
void sim_tick(struct sim *sim);

/* Replaces the sockets towards the busy destination: so many in TIME-WAIT, all of this age. */
void sim_set_time_wait(struct sim *sim, unsigned count, unsigned age_seconds);

/* When the first event of this kind was told, in seconds since the story began; 0 for never. */
unsigned sim_when(const struct sim *sim, enum tw_event_kind kind);
/* The last event of this kind; NULL for none. */
const struct sim_event *sim_last(const struct sim *sim, enum tw_event_kind kind);

/* What this sysctl is now: the first number of it. */
int64_t sim_live(const struct sim *sim, enum tw_tunable tunable);
/* Every sysctl that these stories change is as it was at the beginning, and nothing is owed. */
void sim_assert_untouched(const struct sim *sim);

/* Settings with the built-in rules and one action more: port exhaustion also sets tcp_keepalive_time, which has no
 * gate. */
struct tw_settings *sim_settings(void);
