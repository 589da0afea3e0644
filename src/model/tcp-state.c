/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tcp-state.h"

#include "base/macros.h"
#include "base/parse.h"

/* TCP_NEW_SYN_RECV of include/net/tcp_states.h: a request socket. It has no bit of its own in a dump. */
#define KERNEL_NEW_SYN_RECV 12

static const struct {
	const char *name;
	const char *title;
	unsigned kernel; /* include/net/tcp_states.h */
} states[] = {
	[TW_STATE_LISTEN] = { "listen", "LISTEN", 10 },
	[TW_STATE_SYN_SENT] = { "syn-sent", "SYN-SENT", 2 },
	[TW_STATE_SYN_RECV] = { "syn-recv", "SYN-RECV", 3 },
	[TW_STATE_ESTABLISHED] = { "established", "ESTABLISHED", 1 },
	[TW_STATE_FIN_WAIT_1] = { "fin-wait-1", "FIN-WAIT-1", 4 },
	[TW_STATE_FIN_WAIT_2] = { "fin-wait-2", "FIN-WAIT-2", 5 },
	[TW_STATE_CLOSE_WAIT] = { "close-wait", "CLOSE-WAIT", 8 },
	[TW_STATE_LAST_ACK] = { "last-ack", "LAST-ACK", 9 },
	[TW_STATE_CLOSING] = { "closing", "CLOSING", 11 },
	[TW_STATE_TIME_WAIT] = { "time-wait", "TIME-WAIT", 6 },
	[TW_STATE_BOUND] = { "bound", "BOUND", 13 },
};
_Static_assert(TW_ARRAY_SIZE(states) == TW_STATE_COUNT, "each state has its row");

const char *tw_state_name(enum tw_state state)
{
	return states[state].name;
}

const char *tw_state_title(enum tw_state state)
{
	return states[state].title;
}

bool tw_state_from_kernel(unsigned number, enum tw_state *ret)
{
	/* The same the other way round: it is asked for once a socket. 0: none; else the state and 1. */
	static const uint8_t by_kernel[] = {
		[1] = 1 + TW_STATE_ESTABLISHED,
		[2] = 1 + TW_STATE_SYN_SENT,
		[3] = 1 + TW_STATE_SYN_RECV,
		[4] = 1 + TW_STATE_FIN_WAIT_1,
		[5] = 1 + TW_STATE_FIN_WAIT_2,
		[6] = 1 + TW_STATE_TIME_WAIT,
		[8] = 1 + TW_STATE_CLOSE_WAIT,
		[9] = 1 + TW_STATE_LAST_ACK,
		[10] = 1 + TW_STATE_LISTEN,
		[11] = 1 + TW_STATE_CLOSING,
		[KERNEL_NEW_SYN_RECV] = 1 + TW_STATE_SYN_RECV,
		[13] = 1 + TW_STATE_BOUND,
	};

	if (number >= TW_ARRAY_SIZE(by_kernel) || by_kernel[number] == 0)
		return false;
	*ret = (enum tw_state)(by_kernel[number] - 1);
	return true;
}

uint32_t tw_state_kernel_bit(enum tw_state state)
{
	return UINT32_C(1) << states[state].kernel;
}

bool tw_state_from_name(const char *name, size_t length, enum tw_state *ret)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(states); i++) {
		if (tw_parse_is(name, length, states[i].name)) {
			*ret = (enum tw_state)i;
			return true;
		}
	}
	return false;
}
