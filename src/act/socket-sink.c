/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/socket-sink.h"

#include "base/netlink-source.h"

/* No answer is longer than a header, a number and a request. */
#define TW_ANSWER_MAX 256

/* Until each request is answered. */
static int read_answers(const struct tw_socket_netlink *netlink, uint32_t first, unsigned count, int answers[])
{
	_Alignas(struct nlmsghdr) uint8_t answer[TW_ANSWER_MAX];
	unsigned told = 0;

	while (told < count) {
		size_t length;
		int r = tw_netlink_receive(netlink->socket, answer, sizeof(answer), &length);

		if (r >= 0)
			r = tw_destroy_parse(answer, length, first, count, answers);
		if (r < 0)
			return r;
		told += (unsigned)r;
	}
	return 0;
}

static int end(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[])
{
	struct tw_socket_netlink *netlink = (struct tw_socket_netlink *)sink;
	uint8_t requests[TW_SOCKET_BATCH_MAX][TW_DESTROY_REQUEST_SIZE];
	uint32_t first = netlink->sequence;
	int r;

	if (count == 0 || count > TW_SOCKET_BATCH_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		r = tw_destroy_build(requests[i], &rows[i], first + i);
		if (r < 0)
			return r;
	}
	/* Also where it fails: an answer that comes late must not be taken for one to the next batch. */
	netlink->sequence += count;
	r = netlink->socket ? 0 : tw_netlink_open(netlink->netns, &netlink->socket);
	if (r >= 0)
		r = tw_netlink_send(netlink->socket, requests, count * sizeof(requests[0]));
	return r < 0 ? r : read_answers(netlink, first, count, ret_answers);
}

void tw_socket_netlink_init(struct tw_socket_netlink *netlink, const struct tw_netns *netns)
{
	*netlink = (struct tw_socket_netlink){ .sink.end = end, .netns = netns, .sequence = 1 };
}

void tw_socket_netlink_done(struct tw_socket_netlink *netlink)
{
	netlink->socket = tw_netlink_close(netlink->socket);
}
