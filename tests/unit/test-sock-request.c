/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/sock-request.h"

#include "base/macros.h"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct tw_endpoint endpoint(const char *text)
{
	struct tw_endpoint ret;

	assert_int_equal(tw_endpoint_parse(text, strlen(text), &ret.address, &ret.port), 0);
	return ret;
}

/* About all sockets of the family, until it is told which. */
static void test_request(void **state TW_UNUSED)
{
	static const struct inet_diag_sockid none;
	struct tw_sock_request request = tw_sock_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, AF_INET6, 0xfffffffe);

	assert_int_equal(sizeof(request), 72);
	assert_int_equal(request.header.nlmsg_len, 72);
	assert_int_equal(request.header.nlmsg_type, SOCK_DIAG_BY_FAMILY);
	assert_int_equal(request.header.nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(request.header.nlmsg_seq, 0xfffffffe);
	assert_int_equal(request.header.nlmsg_pid, 0);
	assert_int_equal(request.body.sdiag_family, AF_INET6);
	assert_int_equal(request.body.sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(request.body.idiag_states, UINT32_MAX);
	assert_int_equal(request.body.idiag_ext | request.body.pad, 0);
	assert_memory_equal(&request.body.id, &none, sizeof(none));
}

static void test_ipv4(void **state TW_UNUSED)
{
	struct tw_endpoint local = endpoint("10.1.2.3:40000"), remote = endpoint("192.0.2.7:443");
	struct tw_sock_request request = tw_sock_request(SOCK_DESTROY, NLM_F_ACK, AF_INET, 77);
	struct inet_diag_sockid id;

	memset(&request.body.id, 0x5a, sizeof(request.body.id));
	tw_sock_request_set_id(&request, &(struct tw_sock_id){ local, remote, 77, UINT64_C(0x1122334455667788) });
	id = request.body.id;
	assert_int_equal(ntohs(id.idiag_sport), 40000);
	assert_int_equal(ntohs(id.idiag_dport), 443);
	assert_int_equal(ntohl(id.idiag_src[0]), 0x0a010203);
	assert_int_equal(ntohl(id.idiag_dst[0]), 0xc0000207);
	/* Nothing of what lay there before. */
	for (int i = 1; i < 4; i++)
		assert_int_equal(id.idiag_src[i] | id.idiag_dst[i], 0);
	assert_int_equal(id.idiag_if, 77);
	assert_int_equal(id.idiag_cookie[0], 0x55667788);
	assert_int_equal(id.idiag_cookie[1], 0x11223344);
}

/* A v4-mapped socket is asked for as the AF_INET6 socket that it is. */
static void test_ipv6(void **state TW_UNUSED)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1, [14] = 2, [15] = 3 };
	struct tw_endpoint local = endpoint("10.1.2.3:1"), remote = endpoint("[2001:db8::9]:2");
	struct tw_sock_request request = tw_sock_request(SOCK_DESTROY, NLM_F_ACK, AF_INET6, 77);

	tw_sock_request_set_id(&request, &(struct tw_sock_id){ local, remote, 0, 1 });
	assert_int_equal(request.body.id.idiag_if, 0);
	assert_memory_equal(request.body.id.idiag_src, mapped, sizeof(mapped));
	assert_memory_equal(request.body.id.idiag_dst, remote.address.bytes, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
