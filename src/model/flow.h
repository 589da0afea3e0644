/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"

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
/* From the kernel's number (include/net/tcp_states.h); TCP_NEW_SYN_RECV is SYN-RECV. False for CLOSE and unknown. */
bool tw_state_from_kernel(unsigned number, enum tw_state *ret);
/* The bit for idiag_states: 1 << kernel number. */
uint32_t tw_state_kernel_bit(enum tw_state state);

/*
 * One address type for both families: an IPv4 address stands as ::ffff:a.b.c.d, so that an AF_INET socket and a
 * v4-mapped AF_INET6 socket to the same host are the same words.
 */
struct tw_address {
	uint8_t bytes[16]; /* network order */
};

struct tw_endpoint {
	struct tw_address address;
	uint16_t port; /* host order */
};

/* The scope in which ephemeral ports run out, on the connecting side. No padding: it is hashed as bytes. */
struct tw_destination {
	struct tw_address source;
	struct tw_address destination;
	uint32_t device; /* index of the device that the sockets are bound to; 0: none */
	uint16_t port;	 /* the destination's, host order */
	uint16_t zero;	 /* in the place of padding */
};

/* Whether a connection has TCP timestamps (RFC 7323). */
enum tw_timestamps {
	TW_TIMESTAMPS_UNKNOWN,
	TW_TIMESTAMPS_YES,
	TW_TIMESTAMPS_NO,
};

/* For how long a socket has done nothing, as INET_DIAG_INFO tells it. Milliseconds. */
struct tw_idle {
	uint32_t data_sent_ms;	       /* since it sent data, or else was connected: tcpi_last_data_sent */
	uint32_t ack_received_ms;      /* tcpi_last_ack_recv */
	enum tw_timestamps timestamps; /* TCPI_OPT_TIMESTAMPS: told beside it */
};

/* One socket as a dump tells it. */
struct tw_flow {
	enum tw_state state;
	bool mini; /* an inet_timewait_sock: TIME-WAIT, or orphaned FIN-WAIT-2; sockstat counts both as tw */
	bool has_cgroup;
	bool has_idle;
	uint8_t family; /* of the socket: AF_INET or AF_INET6 */
	struct tw_endpoint local;
	struct tw_endpoint remote;
	uint32_t device;	/* index of the device that it is bound to; 0: none */
	uint32_t expires_ms;	/* until its timer fires; of a mini-socket: until it ends */
	uint32_t receive_queue; /* bytes; of a listener: connections waiting for accept() */
	uint32_t send_queue;	/* bytes; of a listener: its backlog */
	uint32_t uid;
	uint32_t inode;
	uint64_t cookie;
	uint64_t cgroup_id; /* inode of its cgroup2 directory */
	struct tw_idle idle;
};

/* NAME_MAX of the kernel with NUL: a systemd unit's name is that of a cgroup's directory. */
#define TW_UNIT_MAX 256

/* Longest "[address]:port" with NUL. */
#define TW_ENDPOINT_TEXT_MAX 64
/* Longest "source -> destination:port" with NUL. */
#define TW_DESTINATION_TEXT_MAX 128

struct tw_address tw_address_from_ipv4(const void *bytes4);
bool tw_address_is_ipv4(const struct tw_address *address);
bool tw_address_is_loopback(const struct tw_address *address);
bool tw_address_is_any(const struct tw_address *address);
bool tw_address_equal(const struct tw_address *a, const struct tw_address *b);

/* "10.0.0.1" or "2001:db8::1". */
void tw_address_add(struct tw_text *text, const struct tw_address *address);
/* "10.0.0.1:80" or "[2001:db8::1]:80". */
void tw_endpoint_add(struct tw_text *text, const struct tw_address *address, uint16_t port);
/* "10.0.0.1 -> 10.0.0.2:80". */
void tw_destination_add(struct tw_text *text, const struct tw_destination *destination);

/* An address in either notation; strict. Returns 0 or -EINVAL. */
int tw_address_parse(const char *text, size_t length, struct tw_address *ret);
/* A port from 1 to 65535: 0 stands for none, and so cannot be written. Returns 0 or -EINVAL. */
int tw_port_parse(const char *text, size_t length, uint16_t *ret);
/* "10.0.0.2:80", "[::1]:80", or without a port (then *ret_port is 0). Returns 0 or -EINVAL. */
int tw_endpoint_parse(const char *text, size_t length, struct tw_address *ret_address, uint16_t *ret_port);
