/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/event.h"
#include "model/sample.h"
#include "model/tunable.h"

#include <stdbool.h>

/* Why a change cannot help; each has one sentence and one advice. */
enum tw_gate_verdict {
	TW_GATE_OPEN,
	TW_GATE_NO_TIMESTAMPS, /* reuse needs tcp_timestamps */
	TW_GATE_ALREADY,       /* what is live covers it: the value itself, or 2 where an end is loopback */
	TW_GATE_REFUTED,       /* reuse takes nothing over, or would not: the peer has no timestamps */
	/* What holds the ports instead of TIME-WAIT, in the order of enum tw_holder. */
	TW_GATE_HELD_ESTABLISHED,
	TW_GATE_HELD_SYN_SENT,
	TW_GATE_HELD_FIN_WAIT_2_ORPHANED,
	TW_GATE_HELD_FIN_WAIT_2,
	TW_GATE_HELD_CLOSE_WAIT,
	TW_GATE_HELD_CLOSING,
	TW_GATE_HELD_BOUND,	  /* sockets that listen, or are bound without a connection */
	TW_GATE_BOUND_FIRST,	  /* taken by bind() before connect() */
	TW_GATE_BIND_SHORT,	  /* bind() finds the ports of its address taken */
	TW_GATE_SERVER_SIDE,	  /* TIME-WAIT is on the accepting side, where it costs no port */
	TW_GATE_PORTS_FREE,	  /* the destination is not short of ports */
	TW_GATE_NO_OVERFLOW,	  /* TIME-WAIT is far from tcp_max_tw_buckets */
	TW_GATE_NO_FIN_WAIT_2,	  /* no FIN-WAIT-2; TIME-WAIT is not shortened by it */
	TW_GATE_OWNED_FIN_WAIT_2, /* FIN-WAIT-2 that a program has still: the timeout is for those that nobody has */
	TW_GATE_NOT_BOUND_FIRST,
	TW_GATE_VERDICT_COUNT,
};

/*
 * Whether setting the tunable to `value` can help `subject` now. Only what the sample tells of the subject itself is a
 * reason to refuse; of one that is no destination, that of the one with the most blocked ports. `ours`: the value that
 * is live is what timewaitd set, so that being live already speaks against nothing.
 */
enum tw_gate_verdict tw_gate_check(enum tw_tunable tunable, const struct tw_tunable_value *value,
				   const struct tw_sample *sample, const struct tw_subject *subject, bool ours);

/*
 * A destination that others leave no port but what it has in TIME-WAIT itself, which reuse would give back to it. The
 * one with most of these; NULL: there is none.
 */
const struct tw_destination_row *tw_gate_left_waiting(const struct tw_sample *sample);

/* The sentence for an admin, with this sample's numbers, and what would help instead. */
void tw_gate_explain(enum tw_gate_verdict verdict, enum tw_tunable tunable, const struct tw_sample *sample,
		     const struct tw_subject *subject, struct tw_text *reason, struct tw_text *advice);

/* What helps where this sysctl does not: a phrase. */
const char *tw_gate_other_remedy(enum tw_tunable tunable);

/* A number for what a refusal says, and whether one that said `before` need not be told again: it says no more now. */
int tw_gate_told(enum tw_gate_verdict verdict, const struct tw_sample *sample, const struct tw_subject *subject);
bool tw_gate_is_told(int before, int now);

/* The subject's own row; without one the worst. NULL where no destination has a port, or none is known. */
const struct tw_destination_row *tw_gate_row(const struct tw_sample *sample, const struct tw_subject *subject);

/* What holds most of the row's ports. */
enum tw_holder tw_gate_holder(const struct tw_destination_row *row);

/* Whether tcp_tw_reuse=2, the kernel's default, is 1 for this row: for loopback (tcp_twsk_unique()). */
bool tw_gate_covered(enum tw_tunable tunable, const struct tw_sample *sample, const struct tw_destination_row *row);
