/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/text.h"
#include "model/event.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Did a change help the subject of an alert? Three answers: it helped, it made no difference, or it was not tested: so
 * far nobody needed it. What is asked is the subject's own evidence, and only what cannot be noise:
 *
 *   tcp_tw_reuse        ports of the destination whose TIME-WAIT was taken over; no difference: twenty were to be
 *                       expected by the connections that came, and none was
 *   tcp_max_tw_buckets  no overflow, or less of it, in a window as long as the one before, and more TIME-WAIT than the
 *                       old value allows; no difference: overflow, and no more TIME-WAIT than before
 *   tcp_fin_timeout     orphaned FIN-WAIT-2 fall by a tenth, once those with the old time are gone, but not as if none
 *                       came any more
 *   ip_autobind_reuse   one source port towards two destinations; no difference: ports went on to be bound first until
 *                       none was left, for only then the kernel shares one, and none is shared
 *
 *   idle --in force--> waiting --proof-after--> proved --not in force--> idle
 *                       |   ^ '--not tested: told once, and it goes on waiting
 *                       |   '-- another step of the ladder
 *                       '--no difference--> resting --cooldown--> idle
 */
enum tw_proof_state {
	TW_PROOF_IDLE,
	TW_PROOF_WAITING,
	TW_PROOF_PROVED, /* helped, or nothing is claimed of it: nothing more to do */
	TW_PROOF_RESTING,
};

/* A number at a time. */
struct tw_proof_mark {
	usec_t at_usec; /* 0: none */
	uint64_t number;
};

/* A count over a window of time. */
struct tw_proof_window {
	uint64_t number;
	usec_t span_usec;
};

struct tw_proof {
	enum tw_proof_state state;
	usec_t since_usec;    /* of the state; waiting: since the value is in force */
	usec_t cooldown_usec; /* of the rule that it rests for */
	bool untested_told;
	bool noisy;   /* what would show that it helped was there before the change too: it shows nothing */
	bool refuted; /* the survey says that reuse takes nothing over */
	struct tw_tunable_value value;
	int64_t base;			      /* what was live before the first change; 0: not known */
	struct tw_proof_mark first;	      /* the number when the alert began, at most a minute before the change */
	struct tw_proof_mark changed;	      /* when the first value came into force */
	struct tw_proof_mark middle;	      /* where the window after the change begins; before it the next `first` */
	struct tw_proof_window before, after; /* of the overflow, as they were compared */
	uint64_t most;			      /* TIME-WAIT since the change */
	usec_t seen_usec;		      /* the last evidence taken in; idle: when it was last seen in force */
	uint64_t taken;			      /* take-overs */
	uint64_t expected_milli;	      /* how many were to be expected */
	usec_t taken_usec;		      /* over so long */
};

enum tw_proof_edge {
	TW_PROOF_NO_EDGE,
	TW_PROOF_EDGE_HELPED,
	TW_PROOF_EDGE_NO_DIFFERENCE,
	TW_PROOF_EDGE_NOT_TESTED,
};

/* One change for one alert. */
struct tw_proof_case {
	enum tw_tunable tunable;
	const struct tw_tunable_value *value; /* in force; NULL: it is not */
	bool climbs;			      /* the ladder has a further step: this one alone cannot fail */
	bool over; /* the alert is over its level: what is seen before the change is what it is held against */
	const struct tw_subject *subject;
	const struct tw_rule_settings *rule;
	usec_t proof_after_usec;
	const struct tw_sample *sample;
	usec_t now_usec;
};

/* One step. A value that changes while in force is another step of a ladder, which is judged as a whole. */
enum tw_proof_edge tw_proof_step(struct tw_proof *proof, const struct tw_proof_case *it);

/* How long an action that made no difference rests still; 0: it does not. */
usec_t tw_proof_rests(const struct tw_proof *proof, usec_t now_usec);

/* Whether take-overs of the subject are what it waits for. */
static inline bool tw_proof_wants_takeovers(const struct tw_proof *proof)
{
	return proof->state == TW_PROOF_WAITING || proof->state == TW_PROOF_IDLE;
}

/* The evidence in words: "5210 ports were taken over in 30s". */
void tw_proof_explain(const struct tw_proof *proof, const struct tw_proof_case *it, struct tw_text *text);
