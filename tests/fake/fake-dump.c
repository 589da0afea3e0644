/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's formats, byte for byte: apart from fake-source because they know of no faults. */
#include "fake-dump.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROW_SIZE_MAX 1024
/* TCP_CLOSE: how the kernel tells bound-but-unconnected sockets. */
#define KERNEL_CLOSE 7
#define TIMER_TIME_WAIT 3

void tw_fake_write(struct tw_fake_writer *writer, uint16_t type, const void *body, size_t size)
{
	struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(sizeof(header) + size),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_MULTI,
		.nlmsg_seq = writer->sequence,
	};
	uint8_t *start = writer->bytes + writer->length;

	if (writer->length + NLMSG_ALIGN(header.nlmsg_len) > writer->room)
		abort();
	memcpy(start, &header, sizeof(header));
	memcpy(start + sizeof(header), body, size);
	writer->length += NLMSG_ALIGN(header.nlmsg_len);
}

static void set_words(uint32_t words[4], const struct tw_address *address, uint8_t family)
{
	if (family == AF_INET)
		memcpy(words, address->bytes + 12, 4);
	else
		memcpy(words, address->bytes, 16);
}

static uint8_t kernel_number(enum tw_state state)
{
	return state == TW_STATE_BOUND ? KERNEL_CLOSE : (uint8_t)__builtin_ctz(tw_state_kernel_bit(state));
}

/* Behind the last message, as the kernel tells it of sockets that are whole. */
static void add_info(struct tw_fake_writer *writer, struct nlmsghdr *message, const struct tw_flow *flow)
{
	struct tcp_info info = {
		.tcpi_last_data_sent = flow->idle.data_sent_ms,
		.tcpi_last_ack_recv = flow->idle.ack_received_ms,
	};
	struct rtattr attribute = { .rta_len = sizeof(attribute) + sizeof(info), .rta_type = INET_DIAG_INFO };
	uint8_t *bytes = (uint8_t *)message + NLMSG_ALIGN(message->nlmsg_len);

	memcpy(bytes, &attribute, sizeof(attribute));
	memcpy(bytes + sizeof(attribute), &info, sizeof(info));
	message->nlmsg_len = NLMSG_ALIGN(message->nlmsg_len) + RTA_ALIGN(attribute.rta_len);
	writer->length += RTA_ALIGN(attribute.rta_len);
}

bool tw_fake_write_flow(struct tw_fake_writer *writer, const struct tw_diag_query *query, const struct tw_flow *flow)
{
	struct row {
		struct inet_diag_msg row;
		struct rtattr attribute;
		uint64_t cgroup __attribute__((packed));
	} body = {
		.row = {
			.idiag_family = flow->family,
			.idiag_state = kernel_number(flow->state),
			.idiag_timer = flow->mini ? TIMER_TIME_WAIT : 0,
			.id.idiag_sport = htons(flow->local.port),
			.id.idiag_dport = htons(flow->remote.port),
			.id.idiag_if = flow->device,
			.id.idiag_cookie = { (uint32_t)flow->cookie, (uint32_t)(flow->cookie >> 32) },
			.idiag_expires = flow->expires_ms,
			.idiag_rqueue = flow->receive_queue,
			.idiag_wqueue = flow->send_queue,
			.idiag_uid = flow->uid,
			/* A program has accepted what is in CLOSE-WAIT. */
			.idiag_inode = flow->inode ? flow->inode : flow->state == TW_STATE_CLOSE_WAIT,
		},
		.attribute = { .rta_len = sizeof(body.attribute) + sizeof(body.cgroup),
			       .rta_type = INET_DIAG_CGROUP_ID },
		.cgroup = flow->cgroup_id,
	};

	const size_t size = flow->has_cgroup ? sizeof(body) : sizeof(body.row);
	struct nlmsghdr *message = (struct nlmsghdr *)(void *)(writer->bytes + writer->length);

	if (writer->length + ROW_SIZE_MAX > writer->room)
		return false;
	set_words(body.row.id.idiag_src, &flow->local.address, flow->family);
	set_words(body.row.id.idiag_dst, &flow->remote.address, flow->family);
	tw_fake_write(writer, query->family == AF_UNSPEC ? TCPDIAG_GETSOCK : SOCK_DIAG_BY_FAMILY, &body, size);
	if (!flow->mini && (query->extensions & TW_DIAG_INFO))
		add_info(writer, message, flow);
	return true;
}
