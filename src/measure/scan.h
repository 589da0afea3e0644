/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/hash.h"
#include "base/macros.h"
#include "measure/close-wait.h"
#include "measure/diag/diag.h"
#include "measure/exclusive.h"
#include "measure/source.h"
#include "measure/takeover.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* The sockets of both families in some states, a datagram at a time. */
struct tw_dump {
	uint32_t sequence;
	uint64_t bytes_left; /* one that takes more has no end */
};

/*
 * `states` and `extensions` as in struct tw_diag_query. `gauge`: how many sockets there may be, far from exactly.
 * Returns 1, or the source's -errno.
 */
int tw_dump_begin(struct tw_dump *dump, struct tw_source *source, uint32_t states, uint8_t extensions,
		  const struct tw_gauge *gauge);

/*
 * Returns 1 while there is more to do, 0 when all are told, or -errno of the source and of tw_diag_parse(), -EPROTO too
 * for a dump without an end; then what `on_flow` was told is to be thrown away.
 */
int tw_dump_step(struct tw_dump *dump, struct tw_source *source, tw_diag_on_flow on_flow, void *context);

/*
 * What the gauge's CurrEstab counts, so that ESTABLISHED can be told from it instead of a dump. As RFC 4022 wants it
 * that is CLOSE-WAIT, too; Linux left that out until 6.10 (net/ipv4/tcp.c, tcp_set_state()), and the change was carried
 * back, so that no version tells. Dumps that told ESTABLISHED do, and whether the counter has gone astray. Sockets come
 * and go between gauge and dump, so that the two never agree quite. Zero: nothing is known.
 */
struct tw_curr_estab {
	enum tw_curr_estab_counts {
		TW_CURR_ESTAB_UNKNOWN,	   /* no dump has told, or the last one was too far from it */
		TW_CURR_ESTAB_EITHER,	   /* the last one agreed; too few are in CLOSE-WAIT to make a difference */
		TW_CURR_ESTAB_BOTH,	   /* ESTABLISHED and CLOSE-WAIT */
		TW_CURR_ESTAB_ESTABLISHED, /* ESTABLISHED alone */
	} counts,
		told; /* by the last dump that could; that is believed the second time */
};

/* A dump has told all of `census`; `gauge`: CurrEstab read just before it. */
void tw_curr_estab_learn(struct tw_curr_estab *curr_estab, uint64_t gauge, const struct tw_census *census);

/*
 * A dump that left ESTABLISHED out told `close_wait`. Returns false where ESTABLISHED cannot be told without a dump of
 * it; then it is not known any more what is counted, and *ret_established is untouched.
 */
bool tw_curr_estab_derive(struct tw_curr_estab *curr_estab, uint64_t gauge, uint64_t close_wait,
			  uint64_t *ret_established);

/*
 * A census or a survey: one or more dumps and a few questions, gathered into a sample's parts, a slice at a time so
 * that the caller can stop between two and do something else. Knows no clock: the caller says when.
 */
enum tw_scan_kind {
	TW_SCAN_CENSUS, /* count per state; what is many is left out of the dump and derived where that is wanted */
	TW_SCAN_SURVEY, /* count, and attribute each socket to its destination too */
};

struct tw_scan;

/* What a scan of one network namespace leaves to the next one of it. Zero: there was none yet. */
struct tw_scan_past {
	struct tw_close_wait_set close_wait;
	struct tw_curr_estab curr_estab;
	struct tw_parity_past parity;  /* destinations of which parity tells nothing */
	struct tw_takeover_look *look; /* at the destination that was asked for; NULL: none */
};

void tw_scan_past_done(struct tw_scan_past *past);
#define TW_CLEANUP_SCAN_PAST TW_CLEANUP(tw_scan_past_done)

/* `key`: the process's secret. Allocates its tables once; they serve any number of namespaces. NULL without memory. */
struct tw_scan *tw_scan_new(const struct tw_hash_key *key);
struct tw_scan *tw_scan_free(struct tw_scan *scan);
TW_DEFINE_CLEANUP(struct tw_scan, tw_scan_free)
#define TW_CLEANUP_SCAN TW_CLEANUP(tw_scan_freep)

struct tw_scan_order {
	enum tw_scan_kind kind;
	bool derive_time_wait; /* census: mask TIME-WAIT out and derive it from the gauge */
	/*
	 * Census: the same with ESTABLISHED, where earlier scans have shown that this kernel's gauge tells it. Then the
	 * connections of listeners are not known.
	 */
	bool derive_established;
	bool bound_known;	    /* the kernel tells bound-but-unconnected sockets */
	usec_t close_wait_age_usec; /* the least age in CLOSE-WAIT that anybody acts on; 0: none */
	/*
	 * Survey: of how many ports at most the kernel itself is asked whether they are exclusive, 3 to 4 us each; 0:
	 * parity has to do. A thousand tell what share of the usable ones is, give or take 3 points.
	 */
	uint32_t ask_most;
	struct tw_live_value baseline; /* tcp_tw_reuse before timewaitd changed it; not known: it did not */
	bool has_evidence;	       /* survey: look at the sockets of this destination one by one, for take-overs */
	struct tw_destination evidence;
	struct tw_watched watched; /* survey: rows that it has to tell */
	usec_t at_usec;		   /* the sample's time */
	struct tw_gauge gauge;	   /* read just before */
};

/* Starts afresh, giving up a scan under way. `past` is borrowed until the results. Returns 0 or the source's -errno. */
int tw_scan_begin(struct tw_scan *scan, struct tw_scan_past *past, struct tw_source *source,
		  const struct tw_scan_order *order);

/*
 * One datagram's worth of work, or a few questions'. Returns 1 while there is more to do, 0 when the scan has ended
 * (read the results then), or -errno where the world failed in a way that no repetition mends. A dump that is
 * interrupted or overrun is repeated at most twice; after that the scan ends with its results marked partial.
 */
int tw_scan_step(struct tw_scan *scan, struct tw_source *source);

/*
 * After tw_scan_step() returned 0: fills the sample's census, accepting and close_wait, and after a survey its survey,
 * with a forecast from the one that it held before. close_wait.sockets belongs to the past, and stands until the
 * results of the next scan of it.
 */
void tw_scan_results(struct tw_scan *scan, struct tw_sample *sample);

/*
 * Gauge and survey at once and to the end. The gauge that *sample held becomes the previous one, so that there are
 * rates; a sample that is zero has none. It borrows from `past`, which may be zero. Returns 0, -ENOMEM or the source's
 * -errno.
 */
int tw_scan_once(struct tw_source *source, const struct tw_hash_key *key, const struct tw_scan_order *order,
		 struct tw_scan_past *past, struct tw_sample *sample);
