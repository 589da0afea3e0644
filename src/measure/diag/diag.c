/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/diag/diag.h"

#include "base/macros.h"
#include "base/netlink-source.h"
#include "model/sock-request.h"

#include <endian.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* TCP_CLOSE of include/net/tcp_states.h. */
#define TW_KERNEL_CLOSE 7
/* idiag_timer of a mini-socket, and of nothing else: net/ipv4/inet_diag.c, inet_twsk_diag_fill(). */
#define TW_TIMER_TIME_WAIT 3
/* INET_DIAG_CGROUP_ID of <linux/inet_diag.h>, by number for headers older than Linux 5.8. */
#define TW_INET_DIAG_CGROUP_ID 21

/* The request of before Linux 3.3. It cannot name a family, and its rows come under its own type. */
static size_t build_dump_of_both(uint8_t buffer[TW_DIAG_REQUEST_MAX], const struct tw_diag_query *query,
				 uint32_t sequence)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = TCPDIAG_GETSOCK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = sequence,
		},
		.body = {
			.idiag_family = AF_UNSPEC,
			.idiag_ext = query->extensions,
			.idiag_states = query->states,
		},
	};

	_Static_assert(sizeof(request) <= TW_DIAG_REQUEST_MAX, "the request fits");
	memcpy(buffer, &request, sizeof(request));
	return sizeof(request);
}

size_t tw_diag_build_dump(uint8_t buffer[TW_DIAG_REQUEST_MAX], const struct tw_diag_query *query, uint32_t sequence)
{
	struct tw_sock_request request = tw_sock_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, query->family, sequence);

	_Static_assert(sizeof(request) <= TW_DIAG_REQUEST_MAX, "the request fits");
	if (query->family == AF_UNSPEC)
		return build_dump_of_both(buffer, query, sequence);
	request.body.idiag_ext = query->extensions;
	request.body.idiag_states = query->states;
	memcpy(buffer, &request, sizeof(request));
	return sizeof(request);
}

size_t tw_diag_build_one(uint8_t buffer[TW_DIAG_REQUEST_MAX], const struct tw_flow *flow, uint8_t extensions,
			 uint32_t sequence)
{
	struct tw_sock_request request = tw_sock_request(SOCK_DIAG_BY_FAMILY, 0, flow->family, sequence);

	request.body.idiag_ext = extensions;
	tw_sock_request_set_id(&request, &(struct tw_sock_id){ flow->local, flow->remote, flow->device, flow->cookie });
	memcpy(buffer, &request, sizeof(request));
	return sizeof(request);
}

/*
 * Bound-but-unconnected sockets are asked for as state 13 and told as CLOSE: only their table holds sockets in that
 * state (net/ipv4/inet_diag.c, inet_diag_dump_icsk()).
 */
static bool state_of(const struct inet_diag_msg *row, enum tw_state *ret)
{
	if (row->idiag_state == TW_KERNEL_CLOSE && row->id.idiag_sport != 0) {
		*ret = TW_STATE_BOUND;
		return true;
	}
	return tw_state_from_kernel(row->idiag_state, ret);
}

/* In one piece: it is read in one, and what was written in several would have to reach the cache first. */
static inline void set_address(struct tw_address *address, uint8_t family, const void *words)
{
	if (family == AF_INET) {
		uint32_t ipv4;
		uint64_t both[2] = { 0, 0 };

		memcpy(&ipv4, words, sizeof(ipv4));
		/* ::ffff:0:0, and the address behind it. */
		both[1] = htole64((uint64_t)le32toh(ipv4) << 32 | UINT64_C(0xffff0000));
		memcpy(address->bytes, both, sizeof(both));
	} else {
		/* A v4-mapped address has the same bytes already. */
		memcpy(address->bytes, words, 16);
	}
}

/*
 * The next attribute: *ret_payload holds what is behind its header. Returns 1, 0 where there is none left, or -EPROTO
 * where it reaches beyond the message.
 */
static inline int next_attribute(struct tw_netlink_rest *rest, struct rtattr *ret, struct tw_netlink_rest *ret_payload)
{
	size_t step;

	if (rest->length == 0)
		return 0;
	if (rest->length < sizeof(*ret))
		return -EPROTO;
	memcpy(ret, rest->bytes, sizeof(*ret));
	if (ret->rta_len < sizeof(*ret) || ret->rta_len > rest->length)
		return -EPROTO;
	ret_payload->bytes = rest->bytes + sizeof(*ret);
	ret_payload->length = ret->rta_len - sizeof(*ret);
	/* The last one may lack its padding. */
	step = TW_MIN(RTA_ALIGN((size_t)ret->rta_len), rest->length);
	rest->bytes += step;
	rest->length -= step;
	return 1;
}

/* The structure has grown from kernel to kernel at its end. */
static void read_info(const struct tw_netlink_rest *info, struct tw_flow *flow)
{
	const size_t sent_at = offsetof(struct tcp_info, tcpi_last_data_sent);
	const size_t ack_at = offsetof(struct tcp_info, tcpi_last_ack_recv);

	if (info->length < ack_at + sizeof(uint32_t))
		return;
	memcpy(&flow->idle.data_sent_ms, info->bytes + sent_at, sizeof(uint32_t));
	memcpy(&flow->idle.ack_received_ms, info->bytes + ack_at, sizeof(uint32_t));
	flow->idle.timestamps = info->bytes[offsetof(struct tcp_info, tcpi_options)] & TCPI_OPT_TIMESTAMPS
					? TW_TIMESTAMPS_YES
					: TW_TIMESTAMPS_NO;
	flow->has_idle = true;
}

static int read_attributes(struct tw_netlink_rest rest, struct tw_flow *flow)
{
	struct tw_netlink_rest payload;
	struct rtattr attribute;
	int r;

	while ((r = next_attribute(&rest, &attribute, &payload)) > 0)
		if (attribute.rta_type == TW_INET_DIAG_CGROUP_ID && payload.length >= sizeof(flow->cgroup_id)) {
			memcpy(&flow->cgroup_id, payload.bytes, sizeof(flow->cgroup_id));
			flow->has_cgroup = true;
		} else if (attribute.rta_type == INET_DIAG_INFO) {
			read_info(&payload, flow);
		}
	return r;
}

static int read_row(const uint8_t *bytes, size_t length, tw_diag_on_flow on_flow, void *context)
{
	struct inet_diag_msg row;
	struct tw_flow flow;
	enum tw_state state;

	if (length < sizeof(row))
		return -EPROTO;
	memcpy(&row, bytes, sizeof(row));
	if (row.idiag_family != AF_INET && row.idiag_family != AF_INET6)
		return -EPROTO;
	flow.has_cgroup = false;
	flow.cgroup_id = 0;
	flow.has_idle = false;
	if (length > sizeof(row) &&
	    read_attributes((struct tw_netlink_rest){ bytes + sizeof(row), length - sizeof(row) }, &flow) < 0)
		return -EPROTO;
	if (!state_of(&row, &state))
		return 0;
	flow.state = state;
	flow.mini = row.idiag_timer == TW_TIMER_TIME_WAIT &&
		    (state == TW_STATE_TIME_WAIT || (state == TW_STATE_FIN_WAIT_2 && row.idiag_inode == 0));
	flow.family = row.idiag_family;
	set_address(&flow.local.address, row.idiag_family, row.id.idiag_src);
	set_address(&flow.remote.address, row.idiag_family, row.id.idiag_dst);
	flow.local.port = ntohs(row.id.idiag_sport);
	flow.remote.port = ntohs(row.id.idiag_dport);
	flow.device = row.id.idiag_if;
	flow.expires_ms = row.idiag_expires;
	flow.receive_queue = row.idiag_rqueue;
	flow.send_queue = row.idiag_wqueue;
	flow.uid = row.idiag_uid;
	flow.inode = row.idiag_inode;
	/* Two 32-bit halves, the lower first: sock_diag_save_cookie(). */
	flow.cookie = (uint64_t)row.id.idiag_cookie[1] << 32 | row.id.idiag_cookie[0];
	on_flow(context, &flow);
	return 0;
}

static int read_message(const struct nlmsghdr *header, const struct tw_netlink_rest *body, tw_diag_on_flow on_flow,
			void *context)
{
	int status = 0;

	switch (header->nlmsg_type) {
	case SOCK_DIAG_BY_FAMILY:
	case TCPDIAG_GETSOCK:
		return read_row(body->bytes, body->length, on_flow, context);
	case NLMSG_DONE:
		/* That of old kernels has no payload; a positive number is a length, not an error. */
		if (body->length > 0 && tw_netlink_status(body, &status) < 0)
			return -EPROTO;
		return status < 0 ? status : TW_DIAG_DONE;
	case NLMSG_ERROR:
		/* No acknowledgement was asked for, so an error of 0 answers another request. */
		return tw_netlink_status(body, &status) == 0 && status < 0 ? status : -EPROTO;
	case NLMSG_NOOP:
		return TW_DIAG_MORE;
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	default:
		return -EPROTO;
	}
}

int tw_diag_parse(const void *datagram, size_t length, uint32_t sequence, tw_diag_on_flow on_flow, void *context)
{
	struct tw_netlink_rest rest = { datagram, length }, body;
	struct nlmsghdr header;
	int r;

	/* The kernel sends no empty datagram. */
	if (length == 0)
		return -EPROTO;
	while ((r = tw_netlink_next(&rest, &header, &body)) > 0) {
		if (header.nlmsg_seq != sequence)
			return -EPROTO;
		if (header.nlmsg_flags & NLM_F_DUMP_INTR)
			return -EINTR;
		r = read_message(&header, &body, on_flow, context);
		if (r != TW_DIAG_MORE)
			return r;
	}
	return r < 0 ? r : TW_DIAG_MORE;
}

static void keep_flow(void *context, const struct tw_flow *flow)
{
	*(struct tw_flow *)context = *flow;
}

int tw_diag_parse_one(const void *datagram, size_t length, uint32_t sequence, struct tw_idle *ret)
{
	struct tw_flow flow = { .state = TW_STATE_COUNT };
	int r = tw_diag_parse(datagram, length, sequence, keep_flow, &flow);

	if (r < 0)
		return r;
	if (r == TW_DIAG_DONE || flow.state == TW_STATE_COUNT)
		return -EPROTO;
	if (!flow.has_idle)
		return -ENODATA;
	*ret = flow.idle;
	return 0;
}

const char *tw_diag_error_text(int error)
{
	if (error == -ENOENT || error == -EOPNOTSUPP)
		return "the kernel lists no TCP socket: its module tcp_diag, or inet_diag below it, cannot be loaded";
	return strerror(-error);
}
