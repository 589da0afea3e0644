/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel is asked for a dump with, to the byte. */
#include "measure/diag/diag.h"

#include "base/macros.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void test_request(void **state TW_UNUSED)
{
	struct tw_diag_query query = { .family = AF_INET6, .states = 0x2402, .extensions = 0x81 };
	uint8_t buffer[TW_DIAG_REQUEST_MAX];
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;

	memset(buffer, 0xee, sizeof(buffer));
	assert_int_equal(tw_diag_build_dump(buffer, &query, 0xabcdef01), 72);
	memcpy(&header, buffer, sizeof(header));
	memcpy(&body, buffer + sizeof(header), sizeof(body));
	assert_int_equal(header.nlmsg_len, 72);
	assert_int_equal(header.nlmsg_type, SOCK_DIAG_BY_FAMILY);
	assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(header.nlmsg_seq, 0xabcdef01);
	assert_int_equal(header.nlmsg_pid, 0);
	assert_int_equal(body.sdiag_family, AF_INET6);
	assert_int_equal(body.sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(body.idiag_states, 0x2402);
	assert_int_equal(body.idiag_ext, 0x81);
	for (size_t i = 72; i < sizeof(buffer); i++)
		assert_int_equal(buffer[i], 0xee);
}

/* Both families at once: the older request, which has its own body. */
static void test_request_for_both(void **state TW_UNUSED)
{
	struct tw_diag_query query = { .family = AF_UNSPEC, .states = 0x2402, .extensions = 0x81 };
	uint8_t buffer[TW_DIAG_REQUEST_MAX];
	static const struct inet_diag_sockid anybody;
	struct nlmsghdr header;
	struct inet_diag_req body;

	memset(buffer, 0xee, sizeof(buffer));
	assert_int_equal(tw_diag_build_dump(buffer, &query, 12345), sizeof(header) + sizeof(body));
	memcpy(&header, buffer, sizeof(header));
	memcpy(&body, buffer + sizeof(header), sizeof(body));
	assert_int_equal(header.nlmsg_len, sizeof(header) + sizeof(body));
	assert_int_equal(header.nlmsg_type, TCPDIAG_GETSOCK);
	assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(header.nlmsg_seq, 12345);
	assert_int_equal(body.idiag_family, AF_UNSPEC);
	assert_int_equal(body.idiag_ext, 0x81);
	assert_int_equal(body.idiag_states, 0x2402);
	assert_int_equal(body.idiag_dbs, 0);
	assert_memory_equal(&body.id, &anybody, sizeof(anybody));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_for_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
