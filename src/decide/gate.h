/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <stdbool.h>

/* Why a change cannot help; each has one sentence and one advice. */
enum tw_gate_verdict {
	TW_GATE_OPEN,
	TW_GATE_NO_TIMESTAMPS,	  /* reuse needs tcp_timestamps */
	TW_GATE_ALREADY,	  /* what is live covers it: the value itself, or 2 towards a loopback destination */
	TW_GATE_HELD_ESTABLISHED, /* connections that live hold the ports: pooling, or a wider range */
	TW_GATE_HELD_BOUND,	  /* bound-but-unconnected sockets hold them */
	TW_GATE_SERVER_SIDE,	  /* TIME-WAIT is on the accepting side, where it costs no port */
	TW_GATE_PORTS_FREE,	  /* no destination is short of ports */
	TW_GATE_NO_OVERFLOW,	  /* TIME-WAIT is far from tcp_max_tw_buckets */
	TW_GATE_NO_FIN_WAIT_2,	  /* no orphaned FIN-WAIT-2; TIME-WAIT is not shortened by it */
};

/* Whether setting the tunable to `value` can help now. What the sample does not tell is no reason to refuse. */
enum tw_gate_verdict tw_gate_check(enum tw_tunable tunable, const struct tw_tunable_value *value,
				   const struct tw_sample *sample);

/* The sentence for an admin, with this sample's numbers, and what would help instead. */
void tw_gate_explain(enum tw_gate_verdict verdict, enum tw_tunable tunable, const struct tw_sample *sample,
		     struct tw_text *reason, struct tw_text *advice);
