/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sock-id.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static void set_words(void *words, uint8_t family, const struct tw_address *address)
{
	/* An IPv4 address stands in the last four bytes of ours, and in the first four of theirs. */
	if (family == AF_INET)
		memcpy(words, address->bytes + 12, 4);
	else
		memcpy(words, address->bytes, 16);
}

void tw_sock_id_fill(struct inet_diag_sockid *ret, uint8_t family, const struct tw_endpoint *local,
		     const struct tw_endpoint *remote, uint64_t cookie)
{
	*ret = (struct inet_diag_sockid){
		.idiag_sport = htons(local->port),
		.idiag_dport = htons(remote->port),
		/* Two 32-bit halves, the lower first: sock_diag_check_cookie(). */
		.idiag_cookie = { (uint32_t)cookie, (uint32_t)(cookie >> 32) },
	};
	set_words(ret->idiag_src, family, &local->address);
	set_words(ret->idiag_dst, family, &remote->address);
}
