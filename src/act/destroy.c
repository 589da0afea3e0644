/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroy.h"

#include "base/netlink.h"
#include "model/sock-request.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <string.h>

int tw_destroy_build(uint8_t buffer[TW_DESTROY_REQUEST_SIZE], const struct tw_candidate *candidate, uint32_t sequence)
{
	struct tw_sock_request request = tw_sock_request(SOCK_DESTROY, NLM_F_ACK, candidate->family, sequence);

	_Static_assert(sizeof(request) == TW_DESTROY_REQUEST_SIZE, "the request is as long as it says");
	if (candidate->id.cookie == TW_COOKIE_ANY)
		return -EINVAL;
	/* The kernel looks at what tells the socket alone. */
	tw_sock_request_set_id(&request, &candidate->id);
	memcpy(buffer, &request, sizeof(request));
	return 0;
}

/* Returns 1 where it is an answer to one of the requests, 0 where to another, or -EPROTO. */
static int read_answer(const struct nlmsghdr *header, const struct tw_netlink_rest *body, uint32_t first,
		       unsigned count, int answers[])
{
	/* Wraps as the sequence numbers do. */
	uint32_t at = header->nlmsg_seq - first;
	int error;

	if (header->nlmsg_type != NLMSG_ERROR || at >= count)
		return 0;
	if (tw_netlink_status(body, &error) < 0 || error > 0)
		return -EPROTO;
	answers[at] = error;
	return 1;
}

int tw_destroy_parse(const void *datagram, size_t length, uint32_t first, unsigned count, int answers[])
{
	struct tw_netlink_rest rest = { datagram, length }, body;
	struct nlmsghdr header;
	int r, told = 0;

	while ((r = tw_netlink_next(&rest, &header, &body)) > 0) {
		r = read_answer(&header, &body, first, count, answers);
		if (r < 0)
			return r;
		told += r;
	}
	return r < 0 ? r : told;
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
