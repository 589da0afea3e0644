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
	if (number == KERNEL_NEW_SYN_RECV) {
		*ret = TW_STATE_SYN_RECV;
		return true;
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(states); i++) {
		if (states[i].kernel == number) {
			*ret = (enum tw_state)i;
			return true;
		}
	}
	return false;
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
