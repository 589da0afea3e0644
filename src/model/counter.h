/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Counters that only grow, until a namespace is made anew: a delta needs to notice a reset. */
enum tw_counter {
	TW_COUNTER_TIME_WAIT_OVERFLOW, /* TcpExt TCPTimeWaitOverflow */
	TW_COUNTER_LISTEN_OVERFLOW,    /* TcpExt ListenOverflows */
	TW_COUNTER_LISTEN_DROP,	       /* TcpExt ListenDrops */
	TW_COUNTER_SYN_COOKIES,	       /* TcpExt SyncookiesSent */
	TW_COUNTER_CONNECT_FAIL,       /* Tcp AttemptFails */
	TW_COUNTER_RESET,	       /* Tcp EstabResets */
	TW_COUNTER_MEMORY_ABORT,       /* TcpExt TCPAbortOnMemory */
	TW_COUNTER_TIME_WAIT_REUSED,   /* TcpExt TWRecycled */
	TW_COUNTER_ACTIVE_OPEN,	       /* Tcp ActiveOpens */
	TW_COUNTER_PASSIVE_OPEN,       /* Tcp PassiveOpens */
	TW_COUNTER_COUNT,
};

/* "time-wait-overflow": as the metric that is its rate is called, where there is one. */
const char *tw_counter_name(enum tw_counter counter);
