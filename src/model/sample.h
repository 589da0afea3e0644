/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "model/flow.h"
#include "model/metric.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows that an attribution table can hand on: the most that `top` may ask for. */
#ifndef TW_TOP_MAX /* ./dev fuzz sets a lower one, which short inputs reach */
#define TW_TOP_MAX 100
#endif

/* A sysctl as the gauge found it; known is false where the kernel does not offer it here. */
struct tw_live_value {
	struct tw_tunable_value value;
	bool known;
};

/* A plain number that the kernel may not show here. */
struct tw_count {
	uint64_t value;
	bool known;
};

/* The read that costs the same at any socket count. */
struct tw_gauge {
	usec_t at_usec; /* 0: there is none yet */
	struct tw_count counters[TW_COUNTER_COUNT];
	struct tw_live_value sysctls[TW_TUNABLE_COUNT];
	uint64_t tcp_inuse;		    /* sockstat TCP inuse, IPv4: hashed full sockets, listeners too */
	uint64_t tcp6_inuse;		    /* sockstat6 */
	uint64_t time_wait;		    /* sockstat tw: TIME-WAIT and orphaned FIN-WAIT-2, both families */
	uint64_t orphan;		    /* of the whole machine */
	uint64_t alloc;			    /* of the whole machine */
	uint64_t memory_pages;		    /* of the whole machine */
	uint64_t established;		    /* snmp CurrEstab: CLOSE-WAIT counts too */
	uint64_t segments;		    /* snmp InSegs and OutSegs: moves with every packet of TCP */
	struct tw_count memory_limit_pages; /* tcp_mem[2], which the first network namespace alone shows */
	/* What all of TCP may take on this machine: the same also elsewhere; else an estimate that is below it. */
	struct tw_count memory_bound_pages;
	struct tw_count conntrack_count; /* where conntrack is loaded */
	struct tw_count conntrack_max;
	uint32_t reserved_ports; /* how many ports of the range ip_local_reserved_ports takes away */
};

/* How many sockets a gauge counted. */
struct tw_tally {
	usec_t at_usec; /* 0: there is none */
	uint64_t sockets;
};

/*
 * For so long a tally is remembered: longer than the kernel's timers for TIME-WAIT are coarse. They end those of two
 * seconds at once where CONFIG_HZ is 250, of 4 s at 1000 and of 5 s at 100 (the table in kernel/time/timer.c). What
 * comes back after such a drop is no growth.
 */
#define TW_RECENT_PEAK_SECONDS 8

/* The highest tally of each of the last seconds, and the last of all: what is above them has grown. */
struct tw_recent_peak {
	struct tw_tally seconds[TW_RECENT_PEAK_SECONDS];
	struct tw_tally last;
};

/* What of a gauge is read the cheapest, and moves with nearly all that happens. */
struct tw_activity {
	uint64_t tcp_inuse, tcp6_inuse, time_wait; /* as in the gauge */
	struct tw_count segments;		   /* the same, where it was asked for */
};

/* Exact numbers per state. */
struct tw_census {
	usec_t at_usec; /* 0: there is none yet */
	bool partial;	/* its dump failed, or moved too much: nothing may rest on it */
	uint64_t count[TW_STATE_COUNT];
	uint64_t count_ipv6[TW_STATE_COUNT]; /* of these, the true IPv6 ones (v4-mapped are IPv4) */
	bool known[TW_STATE_COUNT];
	bool ipv6_known[TW_STATE_COUNT]; /* not where the count was derived */
	uint64_t mini_fin_wait_2;	 /* orphaned FIN-WAIT-2: part of sockstat's tw */
};

/* What holds the ports towards a destination: the states, told apart as far as their remedies differ. */
enum tw_holder {
	TW_HOLDER_TIME_WAIT,
	TW_HOLDER_ESTABLISHED,
	TW_HOLDER_SYN_SENT,
	TW_HOLDER_FIN_WAIT_2_ORPHANED, /* mini-sockets: no program has them any more */
	TW_HOLDER_FIN_WAIT_2,	       /* a program has them still */
	TW_HOLDER_CLOSE_WAIT,
	TW_HOLDER_CLOSING, /* FIN-WAIT-1, CLOSING and LAST-ACK: the peer does not acknowledge the close */
	TW_HOLDER_COUNT,
};
/* "fin-wait-2-orphaned": the name for records and snapshots. */
const char *tw_holder_name(enum tw_holder holder);

/* One destination at a moment, for tw_reuse_refuted(). */
struct tw_reuse_look {
	usec_t at_usec;
	bool in_force;
	uint32_t ports, time_wait, unripe_time_wait, young_time_wait;
	uint32_t near_held;	/* of `ports`, those that connect() looks at first; of the later look alone */
	struct tw_count reused; /* TWRecycled of the namespace */
};

/* Ports towards one destination. */
struct tw_destination_row {
	struct tw_destination key;
	uint32_t ports;			/* usable local ports held by sockets to it, whatever their state */
	uint32_t held[TW_HOLDER_COUNT]; /* of these, by the state of what holds them */
	uint32_t time_wait;		/* of these, TIME-WAIT */
	uint32_t young_time_wait;	/* of these, not older than TW_SURVEY_YOUNG_USEC */
	uint32_t unripe_time_wait;	/* of `time_wait`: younger than tcp_tw_reuse_delay, so not for reuse */
	uint32_t established;		/* of `ports` */
	uint32_t other;			/* of `ports`: every other state */
	/*
	 * Usable ports that a plain connect() to it cannot take now: exclusive ones of others too and, of a device,
	 * what sockets to the same that are bound to no device hold.
	 */
	uint32_t blocked;
	uint32_t blocked_baseline; /* the same, were tcp_tw_reuse what it was before timewaitd changed it */
	struct tw_reuse_look look; /* what the next survey is held against: the last one that was 5 s old or more */
	usec_t no_timestamps_usec; /* when living ones of its connections said that they have no TCP timestamps; or 0 */
	bool reuse_refuted; /* reuse would take nothing over for that reason, or is in force and takes nothing over */
	bool bound_first_known;
	/*
	 * Of `ports`: taken by bind() before connect(), so that they are blocked for everybody. At least so many where
	 * the kernel was not asked and they are about half of what is usable, or more.
	 */
	uint32_t bound_first;
	struct tw_value port_demand; /* blocked under the baseline sysctls, by the present rate of connections */
	struct tw_value port_use;    /* blocked / usable, 100 % at the most */
	struct tw_value port_eta;    /* s until its ports run out at their present growth; unknown without */
};

/* Destinations that a survey tells of whatever their rank. */
#define TW_WATCHED_MAX 32
struct tw_watched {
	unsigned count;
	struct tw_destination keys[TW_WATCHED_MAX];
};

/* TIME-WAIT younger than this tells the present rate of new connections, whatever piled up before. */
#define TW_SURVEY_YOUNG_USEC (5 * TW_USEC_PER_SEC)
/* How long Linux keeps a socket in TIME-WAIT: TCP_TIMEWAIT_LEN, 60 s (include/net/tcp.h). */
#define TW_TIME_WAIT_USEC (60 * TW_USEC_PER_SEC)
/*
 * A socket in TIME-WAIT: struct tcp_timewait_sock and what the kernel's slab adds to it (`objsize` of tw_sock_TCP in
 * /proc/slabinfo, Linux 6.18). On the connecting side the port's buckets come on top, 128 bytes each (tcp_bind_bucket,
 * tcp_bind2_bucket), which the sockets of that port share.
 */
#define TW_TIME_WAIT_BYTES UINT64_C(256)

/* Units that hold bound-but-unconnected ports, and source addresses that bind first: as many as a person reads. */
#define TW_BOUND_ROWS_MAX 8
#define TW_BINDER_ROWS_MAX 8

/* The bound-but-unconnected sockets of one systemd unit, on ports that connect() may pick. */
struct tw_bound_row {
	char unit[TW_UNIT_MAX]; /* "" where the cgroup is not known */
	uint32_t sockets;
};

/* A source address whose ports were taken by bind() before connect(): they are blocked for everybody. */
struct tw_binder_row {
	struct tw_address source;
	uint32_t ports;
	uint32_t destinations;	    /* towards so many */
	struct tw_destination most; /* where most of them go */
};

/*
 * What bind() of a source address, before connect() and to port 0, finds taken: each port on which a socket has that
 * address, whoever's and towards whomever.
 */
struct tw_binder_need {
	struct tw_address source;
	usec_t seen_usec;		/* it has bound ports first, last: who finds none any more has none */
	uint32_t ports;			/* taken, at least: what listens or is bound is not told by its address */
	uint32_t own;			/* of these, bound first */
	enum tw_holder holder;		/* what most of these sockets are in, or did before and still do nearly */
	uint32_t held[TW_HOLDER_COUNT]; /* the sockets, where there are enough to ask for */
	struct tw_value use; /* of the half, odd or even, that has more room: bind() takes one after the other */
};

/*
 * What became of one destination's TIME-WAIT between two looks: whether tcp_tw_reuse takes its ports over. Of a port
 * that was taken over twice in between it counts one: a lower bound.
 */
struct tw_takeovers {
	usec_t from_usec, until_usec; /* the two looks; from 0: there was one alone, or they tell nothing */
	struct tw_destination key;
	uint32_t early; /* ports whose TIME-WAIT was gone before its time, and that are held again */
	uint32_t taken; /* of these, at most as many as TIME-WAIT sockets were reused in the whole namespace */
	/*
	 * Of the ports that connect() looks at first, those of the range's lower bound's parity: how many there are;
	 * those with a socket that was not there at the first look; those whose TIME-WAIT of the first look could be
	 * taken over, so that it would be seen.
	 */
	uint32_t near_ports, opened, waiting;
	uint32_t passed; /* opened on the other ports while nearly all of the near ones were held: it passed these by */
};

/* Sockets attributed. */
struct tw_survey {
	usec_t at_usec; /* 0: there is none yet */
	bool partial;
	bool has_busiest;
	uint32_t usable;	  /* ip_local_port_range, inclusive, minus reserved: listeners' ports are part of it */
	uint32_t bound_ports;	  /* of these, held by bound-but-unconnected sockets */
	uint32_t exclusive_ports; /* of `usable`, blocked for everybody: listening, bound, or bound first */
	uint32_t bound_first_ports;	/* of these, bound first: all that is known of */
	uint32_t unclear_ports;		/* may be bound first: neither parity nor the kernel told */
	uint32_t shared_ports;		/* of `bound_first_ports`: of one source, towards several destinations */
	struct tw_takeovers takeovers;	/* of the destination that the order named */
	int64_t reuse;			/* tcp_tw_reuse just before */
	uint32_t reuse_delay_ms;	/* tcp_tw_reuse_delay just before */
	struct tw_count reused, opened; /* TWRecycled and ActiveOpens just before */
	uint64_t bound_sockets;		/* bound or listening, anywhere: as many as its census counted */
	unsigned binder_count;
	struct tw_binder_row binders[TW_BINDER_ROWS_MAX]; /* most ports first */
	unsigned need_count;
	struct tw_binder_need needs[TW_BINDER_ROWS_MAX]; /* of those, and of who was one a while ago */
	uint32_t destinations; /* how many there are, those dropped from the table too (then a lower bound) */
	unsigned bound_row_count;
	struct tw_bound_row bound_rows[TW_BOUND_ROWS_MAX]; /* most sockets first */
	uint64_t dropped;	      /* sockets that the bounded table no longer tells by destination */
	uint64_t time_wait;	      /* of both sides */
	uint64_t accepting_time_wait; /* of these, on a port that is listened on, so that they cost connect() none */
	uint64_t outside_time_wait;   /* of these, on a port that is neither listened on nor one that connect() picks */
	/* Of the busiest destination; where there is none, what is exclusive. */
	struct tw_value port_use;
	/*
	 * Of the destination that needs most: what would be blocked now under the baseline sysctls; and where reuse is
	 * in force only because timewaitd has set it, what would come to be if the present rate of new connections
	 * went on for a whole TIME-WAIT: (ports not in TIME-WAIT + young TIME-WAIT * 60 s / 5 s) / usable. Not held at
	 * 100 %. It tells whether a remedy that lets TIME-WAIT ports be used again is still needed.
	 */
	struct tw_value port_demand;
	struct tw_value exclusive_eta; /* s until all ports are exclusive at their present growth; unknown without */
	struct tw_value port_eta;      /* the shortest of these and of all rows; unknown where none grows */
	unsigned top_count;
	/* Most blocked first, then most ports; ties by address. Those that are watched are among them. */
	struct tw_destination_row top[TW_TOP_MAX];
};

/* One listening address, with all its sockets (SO_REUSEPORT makes several). */
struct tw_listener_row {
	struct tw_endpoint address;
	uint32_t sockets;
	uint32_t queue;	  /* of the fullest socket: connections that wait for accept() */
	uint32_t backlog; /* of that socket; the kernel lets in one more than this */
	/* On the accepting side, in every state but TIME-WAIT; unknown where the census left ESTABLISHED out. */
	struct tw_count connections;
	uint32_t close_wait;	   /* of these */
	uint32_t syn_recv;	   /* of these */
	struct tw_count time_wait; /* they cost no port; unknown where the census left TIME-WAIT out */
};

/*
 * How full an accept queue is. One without a backlog has room for one connection all the same: the kernel refuses only
 * once there are more than the backlog (sk_acceptq_is_full()).
 */
static inline uint32_t tw_listener_room(uint32_t backlog)
{
	return backlog > 0 ? backlog : 1;
}

static inline struct tw_value tw_listener_fullness(const struct tw_listener_row *row)
{
	return tw_value_percent(row->queue, tw_listener_room(row->backlog));
}

/* The accepting side. */
struct tw_accepting {
	usec_t at_usec; /* 0: there is none yet */
	bool partial;
	uint32_t listeners; /* how many there are */
	/* Sockets of both sides in every state but LISTEN and TIME-WAIT, for shares; unknown as in the rows. */
	struct tw_count connections;
	struct tw_value accept_queue; /* tw_listener_fullness() of the fullest; 0 without a listener */
	unsigned row_count;
	struct tw_listener_row rows[TW_TOP_MAX]; /* fullest queue first, then most connections */
};

/* One socket in CLOSE-WAIT: the application was told that the peer has closed, and has not closed. */
struct tw_close_wait_socket {
	uint64_t cookie;
	/*
	 * When the peer's FIN came or data was sent last, the later: never too early, as far as is known. Infinity, so
	 * that it is of no age, while anything waits to be sent or acknowledged.
	 */
	usec_t since_usec;
	usec_t asked_usec; /* when the kernel said so last */
	uint32_t unread;   /* bytes that the application has not read */
	uint32_t unit;	   /* index into tw_close_wait.rows; TW_NO_UNIT where that is full */
};
#define TW_NO_UNIT UINT32_MAX

/* Those of one systemd unit. */
struct tw_close_wait_row {
	char unit[TW_UNIT_MAX]; /* "web.service"; "" where the cgroup is not known */
	uint32_t count;
	usec_t oldest_usec; /* age of the oldest */
	uint64_t unread;
};

/* CLOSE-WAIT, tracked by socket cookie from one census to the next. */
struct tw_close_wait {
	usec_t at_usec; /* 0: there is none yet */
	bool partial;
	uint64_t untracked; /* beyond the bounded tracker: counted by the census only */
	unsigned row_count;
	struct tw_close_wait_row rows[TW_TOP_MAX]; /* most sockets first */
	/* By cookie. Borrows from what a scan leaves to the next, until that one's results. */
	const struct tw_close_wait_socket *sockets;
	uint32_t socket_count;
};

/* What watching costs, as CPU time; 0 for what was not done yet. */
struct tw_cost {
	usec_t tick_usec;   /* of the last tick: gauge, rules, records */
	usec_t census_usec; /* of the last census */
	usec_t survey_usec; /* of the last survey */
	usec_t total_usec;  /* of the daemon since its start */
};

/* All that is known of one network namespace at one moment. */
struct tw_sample {
	struct tw_gauge gauge;
	struct tw_gauge previous; /* the gauge before, for rates */
	struct tw_tally peak;	  /* the highest of the last seconds before this gauge: tw_recent_peak_highest() */
	struct tw_census census;
	struct tw_survey survey;
	struct tw_accepting accepting;
	struct tw_close_wait close_wait;
	struct tw_cost cost;
};

/* All sockets that a gauge, or an activity read, counts: listeners and mini-sockets too, bound ones not. */
struct tw_tally tw_gauge_tally(const struct tw_gauge *gauge);
struct tw_tally tw_activity_tally(const struct tw_activity *activity, usec_t at_usec);

/* A tally that is not earlier than those before it. */
void tw_recent_peak_add(struct tw_recent_peak *peak, struct tw_tally tally);

/*
 * The highest that is not older than TW_RECENT_PEAK_SECONDS, of equal ones the later. Where all are older, the last of
 * them; without any, one of the time 0.
 */
struct tw_tally tw_recent_peak_highest(const struct tw_recent_peak *peak, usec_t now_usec);
/* Whether the activity is what the gauge saw, in all that it tells. */
bool tw_gauge_has_activity(const struct tw_gauge *gauge, const struct tw_activity *activity);

/* Nothing has moved since: the gauge and the close-wait of the sample are as good as new, and so much older. */
void tw_sample_confirm(struct tw_sample *sample, usec_t now_usec);
/* Growth of a counter per second between the two gauges; unknown after a reset, or on the first gauge. */
struct tw_value tw_sample_rate(const struct tw_sample *sample, enum tw_counter counter);
/* The metric's value, unknown where its part of the sample is missing or partial. */
struct tw_value tw_sample_metric(const struct tw_sample *sample, enum tw_metric metric);
/* When the metric's part of the sample was measured; 0 for never. */
usec_t tw_sample_metric_at(const struct tw_sample *sample, enum tw_metric metric);

/*
 * The most ports that can be blocked by now for any one destination that had fewer blocked than `ports`: those of the
 * busiest at the last survey and the connections opened since (ActiveOpens), with what was bound since; and never more
 * than there are sockets. An upper bound, so that a survey can be spared while it is low. Without a complete survey and
 * census, or where tcp_tw_reuse or its delay has changed since or ActiveOpens is not known, it is the sockets alone.
 */
uint64_t tw_sample_port_bound(const struct tw_sample *sample, uint64_t ports);

/* Growth of a count; false where it is not known, or was reset. */
bool tw_count_grown(struct tw_count now, struct tw_count before, uint64_t *ret);
/* ip_local_port_range as the gauge has it, both inclusive; false where it is not known, or makes no sense. */
bool tw_gauge_port_range(const struct tw_gauge *gauge, uint16_t *ret_low, uint16_t *ret_high);

/* The row of the destination, or of who binds first from the source or did lately; NULL where there is none. */
const struct tw_destination_row *tw_survey_row(const struct tw_survey *survey, const struct tw_destination *key);
const struct tw_binder_row *tw_survey_binder(const struct tw_survey *survey, const struct tw_address *source);
const struct tw_binder_need *tw_survey_binder_need(const struct tw_survey *survey, const struct tw_address *source);

/* Of all connections, those of the listener; unknown where either number is. */
struct tw_value tw_listener_share(const struct tw_listener_row *row, const struct tw_accepting *accepting);
