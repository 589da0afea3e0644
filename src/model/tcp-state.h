/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The states of RFC 9293 that a socket in a table can have (CLOSED is none), and the kernel's bound-but-unconnected. */
enum tw_state {
	TW_STATE_LISTEN,
	TW_STATE_SYN_SENT,
	TW_STATE_SYN_RECV,
	TW_STATE_ESTABLISHED,
	TW_STATE_FIN_WAIT_1,
	TW_STATE_FIN_WAIT_2,
	TW_STATE_CLOSE_WAIT,
	TW_STATE_LAST_ACK,
	TW_STATE_CLOSING,
	TW_STATE_TIME_WAIT,
	TW_STATE_BOUND,
	TW_STATE_COUNT,
};

/* Every state that a dump can be asked for, as the kernel's bits. */
#define TW_STATE_MASK_ALL 0x2f7eu /* bits 1 to 11 (but CLOSE, 7) and 13: see tw_state_kernel_bit() */

/* "time-wait": the name in metrics, records and JSON. */
const char *tw_state_name(enum tw_state state);

/* "TIME-WAIT": the name for people. */
const char *tw_state_title(enum tw_state state);

/* From the kernel's number (include/net/tcp_states.h). TCP_NEW_SYN_RECV is SYN-RECV. Returns false for CLOSE and
 * unknown. */
bool tw_state_from_kernel(unsigned number, enum tw_state *ret);

/* The bit for idiag_states: 1 << kernel number. */
uint32_t tw_state_kernel_bit(enum tw_state state);

/* By name as tw_state_name() gives it. */
bool tw_state_from_name(const char *name, size_t length, enum tw_state *ret);
