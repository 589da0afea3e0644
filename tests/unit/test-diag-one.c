/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The request for one socket, and what its answer tells. */
#include "measure/diag/diag.h"

#include "base/macros.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SEQUENCE 4711
/* Where tcpi_last_ack_recv ends in every struct tcp_info since Linux 2.6. */
#define INFO_MIN 60

static struct tw_endpoint endpoint(const char *text, uint16_t port)
{
	struct tw_endpoint endpoint = { .port = port };

	assert_int_equal(tw_address_parse(text, strlen(text), &endpoint.address), 0);
	return endpoint;
}

static void test_request(void **state TW_UNUSED)
{
	static const struct {
		uint8_t family;
		const char *local, *remote;
		const char *asked_local, *asked_remote;
	} cases[] = {
		{ AF_INET, "10.1.2.3", "10.4.5.6", "10.1.2.3", "10.4.5.6" },
		{ AF_INET6, "2001:db8::1", "fe80::2", "2001:db8::1", "fe80::2" },
		/* An IPv6 socket that speaks IPv4 is asked for in its own family. */
		{ AF_INET6, "10.1.2.3", "10.4.5.6", "::ffff:10.1.2.3", "::ffff:10.4.5.6" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct tw_flow flow = {
			.state = TW_STATE_CLOSE_WAIT,
			.family = cases[i].family,
			.local = endpoint(cases[i].local, 40000),
			.remote = endpoint(cases[i].remote, 443),
			.device = (uint32_t)i,
			.cookie = UINT64_C(0x2222222211111111),
		};
		size_t address_size = cases[i].family == AF_INET ? 4 : 16;
		uint8_t buffer[TW_DIAG_REQUEST_MAX], address[16];
		struct inet_diag_req_v2 body;
		struct nlmsghdr header;

		memset(buffer, 0xee, sizeof(buffer));
		assert_int_equal(tw_diag_build_one(buffer, &flow, 0x02, 0xabcdef01), 72);
		memcpy(&header, buffer, sizeof(header));
		memcpy(&body, buffer + sizeof(header), sizeof(body));
		assert_int_equal(header.nlmsg_len, 72);
		assert_int_equal(header.nlmsg_type, SOCK_DIAG_BY_FAMILY);
		assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST);
		assert_int_equal(header.nlmsg_seq, 0xabcdef01);
		assert_int_equal(body.sdiag_family, cases[i].family);
		assert_int_equal(body.sdiag_protocol, IPPROTO_TCP);
		assert_int_equal(body.idiag_ext, 0x02);
		assert_int_equal(ntohs(body.id.idiag_sport), 40000);
		assert_int_equal(ntohs(body.id.idiag_dport), 443);
		assert_int_equal(body.id.idiag_if, i);
		assert_int_equal(body.id.idiag_cookie[0], 0x11111111);
		assert_int_equal(body.id.idiag_cookie[1], 0x22222222);
		assert_int_equal(inet_pton(cases[i].family, cases[i].asked_local, address), 1);
		assert_memory_equal(body.id.idiag_src, address, address_size);
		assert_int_equal(inet_pton(cases[i].family, cases[i].asked_remote, address), 1);
		assert_memory_equal(body.id.idiag_dst, address, address_size);
		for (size_t k = 72; k < sizeof(buffer); k++)
			assert_int_equal(buffer[k], 0xee);
	}
}

/* An answer under construction. */
struct answer {
	_Alignas(8) uint8_t bytes[1024];
	size_t length;
};

static void add(struct answer *answer, const void *bytes, size_t size)
{
	assert_true(answer->length + size <= sizeof(answer->bytes));
	memcpy(answer->bytes + answer->length, bytes, size);
	answer->length += size;
}

static void add_attribute(struct answer *answer, uint16_t type, const void *bytes, size_t size)
{
	struct rtattr attribute = { .rta_len = (uint16_t)(sizeof(attribute) + size), .rta_type = type };

	add(answer, &attribute, sizeof(attribute));
	add(answer, bytes, size);
	answer->length = RTA_ALIGN(answer->length);
}

static struct nlmsghdr *header_of(struct answer *answer)
{
	return (struct nlmsghdr *)(void *)answer->bytes;
}

/* A row of CLOSE-WAIT, with attributes before the one of interest as the kernel puts them. */
static void begin(struct answer *answer)
{
	struct nlmsghdr header = { .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_seq = SEQUENCE };
	struct inet_diag_msg row = { .idiag_family = AF_INET, .idiag_state = 8 };

	memset(answer, 0, sizeof(*answer));
	add(answer, &header, sizeof(header));
	add(answer, &row, sizeof(row));
	add_attribute(answer, INET_DIAG_SHUTDOWN, "\1", 1);
}

static void add_info(struct answer *answer, size_t size, uint32_t last_ack_ms)
{
	struct tcp_info info;
	uint8_t bytes[512] = { 0 };

	memset(&info, 0x5a, sizeof(info));
	info.tcpi_last_ack_recv = last_ack_ms;
	info.tcpi_last_data_sent = last_ack_ms + 7;
	memcpy(bytes, &info, TW_MIN(size, sizeof(info)));
	add_attribute(answer, INET_DIAG_INFO, bytes, size);
}

static void seal(struct answer *answer)
{
	header_of(answer)->nlmsg_len = (uint32_t)answer->length;
}

/* From memory of exactly that size and at an odd address, so that a sanitizer sees what goes wrong. */
static int parse_cut(const struct answer *answer, size_t length, uint32_t *ret_ms)
{
	uint8_t *copy = malloc(length + 1);
	struct tw_idle idle;
	int r;

	assert_non_null(copy);
	memcpy(copy + 1, answer->bytes, length);
	idle = (struct tw_idle){ 106, 99, TW_TIMESTAMPS_UNKNOWN };
	r = tw_diag_parse_one(copy + 1, length, SEQUENCE, &idle);
	*ret_ms = idle.ack_received_ms;
	assert_int_equal(idle.data_sent_ms, *ret_ms + 7);
	free(copy);
	return r;
}

static int parse(const struct answer *answer, uint32_t *ret_ms)
{
	return parse_cut(answer, answer->length, ret_ms);
}

static void test_answer(void **state TW_UNUSED)
{
	/* The structure grows from kernel to kernel; what is behind is of no matter. */
	static const struct {
		size_t size;
		int r;
	} cases[] = {
		{ INFO_MIN, 0 }, { INFO_MIN + 4, 0 },	     { sizeof(struct tcp_info), 0 },
		{ 400, 0 },	 { INFO_MIN - 1, -ENODATA }, { 8, -ENODATA },
		{ 0, -ENODATA },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct answer answer;
		uint32_t ms;

		begin(&answer);
		add_info(&answer, cases[i].size, 123456);
		add_attribute(&answer, INET_DIAG_CGROUP_ID, "\1\0\0\0\0\0\0", 8);
		seal(&answer);
		assert_int_equal(parse(&answer, &ms), cases[i].r);
		assert_int_equal(ms, cases[i].r == 0 ? 123456 : 99);
	}
}

static void test_without_info(void **state TW_UNUSED)
{
	struct answer answer;
	uint32_t ms;

	begin(&answer);
	seal(&answer);
	assert_int_equal(parse(&answer, &ms), -ENODATA);
	assert_int_equal(ms, 99);
}

static void test_error(void **state TW_UNUSED)
{
	static const struct {
		int32_t status;
		size_t size;
		int r;
	} cases[] = {
		{ -ENOENT, 20, -ENOENT },  { -EOPNOTSUPP, 4, -EOPNOTSUPP }, { 0, 20, -EPROTO },
		{ 5, 20, -EPROTO },	   { -ENOENT, 3, -EPROTO },	    { -ENOENT, 0, -EPROTO },
		{ INT32_MIN, 4, -EPROTO },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct nlmsghdr header = { .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = SEQUENCE };
		struct answer answer = { 0 };
		uint8_t body[20] = { 0 };
		uint32_t ms;

		memcpy(body, &cases[i].status, sizeof(cases[i].status));
		add(&answer, &header, sizeof(header));
		add(&answer, body, cases[i].size);
		seal(&answer);
		assert_int_equal(parse(&answer, &ms), cases[i].r);
		assert_int_equal(ms, 99);
	}
}

static void test_malformed(void **state TW_UNUSED)
{
	static const uint16_t types[] = { NLMSG_DONE, NLMSG_NOOP, NLMSG_OVERRUN, SOCK_DESTROY, 0xffff };
	static const uint32_t lengths[] = { 0, 15, 16, 16 + 71, 0x7fffffff, 0xffffffff };
	struct answer answer;
	uint32_t ms;

	begin(&answer);
	add_info(&answer, sizeof(struct tcp_info), 1);
	seal(&answer);
	assert_int_equal(parse(&answer, &ms), 0);
	for (size_t i = 0; i < TW_ARRAY_SIZE(types); i++) {
		struct answer bad = answer;

		header_of(&bad)->nlmsg_type = types[i];
		assert_int_equal(parse(&bad, &ms), types[i] == NLMSG_OVERRUN ? -ENOBUFS : -EPROTO);
	}
	for (size_t i = 0; i < TW_ARRAY_SIZE(lengths); i++) {
		struct answer bad = answer;

		header_of(&bad)->nlmsg_len = lengths[i];
		assert_int_equal(parse(&bad, &ms), -EPROTO);
	}
	header_of(&answer)->nlmsg_seq = SEQUENCE + 1;
	assert_int_equal(parse(&answer, &ms), -EPROTO);
	assert_int_equal(ms, 99);
}

/* A message that says that it ends there is cut in an attribute, or it lacks the answer; never read beyond. */
static void test_every_cut(void **state TW_UNUSED)
{
	struct answer answer;
	uint32_t ms;

	begin(&answer);
	add_info(&answer, sizeof(struct tcp_info), 1);
	seal(&answer);
	for (size_t cut = 0; cut < answer.length; cut++) {
		assert_int_equal(parse_cut(&answer, cut, &ms), -EPROTO);
		if (cut >= sizeof(struct nlmsghdr)) {
			header_of(&answer)->nlmsg_len = (uint32_t)cut;
			assert_true(parse_cut(&answer, cut, &ms) < 0);
			seal(&answer);
		}
		assert_int_equal(ms, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request), cmocka_unit_test(test_answer),	  cmocka_unit_test(test_without_info),
		cmocka_unit_test(test_error),	cmocka_unit_test(test_malformed), cmocka_unit_test(test_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
