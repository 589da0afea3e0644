/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A datagram, built message by message, and what the parser tells of it: apart because two tests build theirs so. */

#include "base/macros.h"
#include "measure/diag/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SEQUENCE 77

/* A datagram under construction. */
struct datagram {
	uint8_t bytes[4096];
	size_t length;
};

/* What the parser told. */
struct told {
	unsigned count;
	struct tw_flow last;
};

static inline void on_flow(void *context, const struct tw_flow *flow)
{
	struct told *told = context;

	told->count++;
	told->last = *flow;
}

static inline struct nlmsghdr *header_at(struct datagram *datagram, size_t at)
{
	return (struct nlmsghdr *)(void *)(datagram->bytes + at);
}

/* Returns where it begins. */
static inline size_t add(struct datagram *datagram, uint16_t type, const void *body, size_t size)
{
	struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(sizeof(header) + size),
		.nlmsg_type = type,
		.nlmsg_seq = SEQUENCE,
	};
	size_t at = datagram->length;

	assert_true(at + sizeof(header) + size + 4 <= sizeof(datagram->bytes));
	memcpy(datagram->bytes + at, &header, sizeof(header));
	if (size > 0)
		memcpy(datagram->bytes + at + sizeof(header), body, size);
	datagram->length += NLMSG_ALIGN(sizeof(header) + size);
	return at;
}

static inline struct inet_diag_msg row_of(uint8_t family, uint8_t state)
{
	struct inet_diag_msg row = {
		.idiag_family = family,
		.idiag_state = state,
		.id.idiag_sport = htons(40000),
		.id.idiag_dport = htons(443),
		.id.idiag_cookie = { 0x11111111, 0x22222222 },
		.idiag_expires = 1234,
		.idiag_rqueue = 5,
		.idiag_wqueue = 6,
		.idiag_uid = 7,
		.idiag_inode = 8,
	};

	assert_int_equal(inet_pton(family, family == AF_INET ? "10.1.2.3" : "2001:db8::1", row.id.idiag_src), 1);
	assert_int_equal(inet_pton(family, family == AF_INET ? "10.4.5.6" : "2001:db8::2", row.id.idiag_dst), 1);
	return row;
}

/* From memory of exactly that size and at an odd address, so that a sanitizer sees what goes wrong. */
static inline int parse_cut(const struct datagram *datagram, size_t length, struct told *told)
{
	uint8_t *copy = malloc(length + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy + 1, datagram->bytes, length);
	*told = (struct told){ 0 };
	r = tw_diag_parse(copy + 1, length, SEQUENCE, on_flow, told);
	free(copy);
	return r;
}

static inline int parse(const struct datagram *datagram, struct told *told)
{
	return parse_cut(datagram, datagram->length, told);
}
