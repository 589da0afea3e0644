/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroy.h"

#include "model/sock-id.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* MAX_ERRNO of include/linux/err.h: what a negative number must stay above to be an error. */
#define TW_KERNEL_ERRNO_MAX 4095

int tw_destroy_build(uint8_t buffer[TW_DESTROY_REQUEST_SIZE], const struct tw_candidate *candidate, uint32_t sequence)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = SOCK_DESTROY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			.nlmsg_seq = sequence,
		},
		.body = {
			.sdiag_family = candidate->family,
			.sdiag_protocol = IPPROTO_TCP,
			/* The kernel looks at the tuple and the cookie alone. */
			.idiag_states = UINT32_MAX,
		},
	};

	_Static_assert(sizeof(request) == TW_DESTROY_REQUEST_SIZE, "the request is as long as it says");
	if (candidate->cookie == TW_COOKIE_ANY)
		return -EINVAL;
	tw_sock_id_fill(&request.body.id, candidate->family, &candidate->local, &candidate->remote, candidate->cookie);
	memcpy(buffer, &request, sizeof(request));
	return 0;
}

/* Returns 1 where it is an answer to one of the requests, 0 where to another, or -EPROTO. */
static int read_answer(const struct nlmsghdr *header, const uint8_t *body, uint32_t first, unsigned count,
		       int answers[])
{
	/* Wraps as the sequence numbers do. */
	uint32_t at = header->nlmsg_seq - first;
	int32_t error;

	if (header->nlmsg_type != NLMSG_ERROR || at >= count)
		return 0;
	if (header->nlmsg_len < sizeof(*header) + sizeof(error))
		return -EPROTO;
	memcpy(&error, body, sizeof(error));
	if (error > 0 || error < -TW_KERNEL_ERRNO_MAX)
		return -EPROTO;
	answers[at] = error;
	return 1;
}

int tw_destroy_parse(const void *datagram, size_t length, uint32_t first, unsigned count, int answers[])
{
	const uint8_t *bytes = datagram;
	int told = 0;

	while (length > 0) {
		struct nlmsghdr header;
		size_t step;
		int r;

		if (length < sizeof(header))
			return -EPROTO;
		memcpy(&header, bytes, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > length)
			return -EPROTO;
		r = read_answer(&header, bytes + sizeof(header), first, count, answers);
		if (r < 0)
			return r;
		told += r;
		/* The last message may lack its padding. */
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (step >= length)
			break;
		bytes += step;
		length -= step;
	}
	return told;
}

enum tw_destroy_verdict tw_destroy_verdict(int answer)
{
	switch (answer) {
	case 0:
		return TW_DESTROY_ENDED;
	case -ENOENT:
		return TW_DESTROY_GONE;
	case -EOPNOTSUPP:
	case -EINVAL: /* sock_diag before Linux 4.5 does not know the request */
		return TW_DESTROY_UNSUPPORTED;
	case -EPERM:
	case -EACCES:
		return TW_DESTROY_DENIED;
	default:
		return TW_DESTROY_FAILED;
	}
}
