/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/destroyer.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define MAPPED(a, b, c, d)                                                               \
	{                                                                                \
		{                                                                        \
			[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d \
		}                                                                        \
	}

static struct tw_candidate candidate_of(uint8_t family)
{
	return (struct tw_candidate){
		.id.cookie = 0x0102030405060708,
		.id.local = { MAPPED(10, 0, 0, 1), 40000 },
		.id.remote = { MAPPED(10, 0, 0, 2), 80 },
		.id.device = 3,
		.family = family,
	};
}

static void build(uint8_t family, struct nlmsghdr *header, struct inet_diag_req_v2 *body)
{
	uint8_t buffer[TW_DESTROY_REQUEST_SIZE];
	struct tw_candidate candidate = candidate_of(family);

	assert_int_equal(tw_destroy_build(buffer, &candidate, 77), 0);
	memcpy(header, buffer, sizeof(*header));
	memcpy(body, buffer + sizeof(*header), sizeof(*body));
}

static void test_a_request_names_one_socket(void **state TW_UNUSED)
{
	static const uint8_t remote4[4] = { 10, 0, 0, 2 };
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;

	build(AF_INET, &header, &body);
	assert_int_equal(header.nlmsg_len, TW_DESTROY_REQUEST_SIZE);
	assert_int_equal(header.nlmsg_type, SOCK_DESTROY);
	assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(header.nlmsg_seq, 77);
	assert_int_equal(body.sdiag_family, AF_INET);
	assert_int_equal(body.sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(ntohs(body.id.idiag_sport), 40000);
	assert_int_equal(ntohs(body.id.idiag_dport), 80);
	assert_int_equal(body.id.idiag_if, 3);
	assert_int_equal(body.id.idiag_cookie[0], 0x05060708);
	assert_int_equal(body.id.idiag_cookie[1], 0x01020304);
	assert_memory_equal(body.id.idiag_dst, remote4, 4);
	assert_int_equal(body.id.idiag_dst[1], 0);
}

/* A v4-mapped socket is in the IPv6 family for the kernel, addresses and all. */
static void test_a_mapped_socket_is_asked_for_as_it_is(void **state TW_UNUSED)
{
	struct tw_candidate candidate = candidate_of(AF_INET6);
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;

	build(AF_INET6, &header, &body);
	assert_int_equal(body.sdiag_family, AF_INET6);
	assert_memory_equal(body.id.idiag_src, candidate.id.local.address.bytes, 16);
	assert_memory_equal(body.id.idiag_dst, candidate.id.remote.address.bytes, 16);
}

static void test_no_request_means_any_socket(void **state TW_UNUSED)
{
	uint8_t buffer[TW_DESTROY_REQUEST_SIZE] = { 0 }, empty[TW_DESTROY_REQUEST_SIZE] = { 0 };
	struct tw_candidate candidate = candidate_of(AF_INET);

	candidate.id.cookie = TW_COOKIE_ANY;
	assert_int_equal(tw_destroy_build(buffer, &candidate, 1), -EINVAL);
	assert_memory_equal(buffer, empty, sizeof(buffer));
}

/* The kernel's answer: a header, a number, and a header of the request. */
struct answer {
	struct nlmsghdr header;
	int32_t error;
	struct nlmsghdr request;
};

static struct answer answer_of(uint32_t sequence, int32_t error)
{
	return (struct answer){
		.header = { .nlmsg_len = sizeof(struct answer), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = sequence },
		.error = error,
	};
}

static void test_answers_find_their_requests(void **state TW_UNUSED)
{
	/* Sequence numbers wrap. */
	const uint32_t first = UINT32_MAX - 1;
	struct answer answers[] = { answer_of(first + 2, -ENOENT), answer_of(first, 0), answer_of(first + 3, 0),
				    answer_of(first - 1, -EPERM) };
	int told[3] = { 99, 99, 99 };

	assert_int_equal(tw_destroy_parse(answers, sizeof(answers), first, 3, told), 2);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 99);
	assert_int_equal(told[2], -ENOENT);
}

static void test_malformed_answers(void **state TW_UNUSED)
{
	struct answer sound = answer_of(5, 0), other = answer_of(5, 0);
	int told[1];

	assert_int_equal(tw_destroy_parse(&sound, sizeof(sound), 5, 1, told), 1);
	assert_int_equal(tw_destroy_parse(&sound, 0, 5, 1, told), 0);
	for (size_t length = 1; length < sizeof(sound); length++)
		assert_int_equal(tw_destroy_parse(&sound, length, 5, 1, told), -EPROTO);
	other.header.nlmsg_len = sizeof(other.header);
	assert_int_equal(tw_destroy_parse(&other, sizeof(other.header), 5, 1, told), -EPROTO);
	other.header.nlmsg_len = 3;
	assert_int_equal(tw_destroy_parse(&other, sizeof(other), 5, 1, told), -EPROTO);
	other = answer_of(5, 1);
	assert_int_equal(tw_destroy_parse(&other, sizeof(other), 5, 1, told), -EPROTO);
	other = answer_of(5, INT32_MIN);
	assert_int_equal(tw_destroy_parse(&other, sizeof(other), 5, 1, told), -EPROTO);
	other = answer_of(5, 0);
	other.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	assert_int_equal(tw_destroy_parse(&other, sizeof(other), 5, 1, told), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_names_one_socket),
		cmocka_unit_test(test_a_mapped_socket_is_asked_for_as_it_is),
		cmocka_unit_test(test_no_request_means_any_socket),
		cmocka_unit_test(test_answers_find_their_requests),
		cmocka_unit_test(test_malformed_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
