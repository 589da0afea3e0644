/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sock-request.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct tw_sock_request tw_sock_request(uint16_t type, uint16_t flags, uint8_t family, uint32_t sequence)
{
	return (struct tw_sock_request){
		.header = {
			.nlmsg_len = sizeof(struct tw_sock_request),
			.nlmsg_type = type,
			.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
			.nlmsg_seq = sequence,
		},
		.body = {
			.sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = UINT32_MAX,
		},
	};
}

static void set_words(void *words, uint8_t family, const struct tw_address *address)
{
	/* An IPv4 address stands in the last four bytes of ours, and in the first four of theirs. */
	if (family == AF_INET)
		memcpy(words, address->bytes + 12, 4);
	else
		memcpy(words, address->bytes, 16);
}

void tw_sock_request_set_id(struct tw_sock_request *request, const struct tw_sock_id *id)
{
	struct inet_diag_sockid *asked = &request->body.id;
	uint8_t family = request->body.sdiag_family;

	*asked = (struct inet_diag_sockid){
		.idiag_sport = htons(id->local.port),
		.idiag_dport = htons(id->remote.port),
		.idiag_if = id->device,
		/* Two 32-bit halves, the lower first: sock_diag_check_cookie(). */
		.idiag_cookie = { (uint32_t)id->cookie, (uint32_t)(id->cookie >> 32) },
	};
	set_words(asked->idiag_src, family, &id->local.address);
	set_words(asked->idiag_dst, family, &id->remote.address);
}
