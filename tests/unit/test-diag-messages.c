/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages around the rows, and their lengths: apart from test-diag because that is about what is in a row. */
#include "diag-fixture.h"

static void test_control_messages(void **state TW_UNUSED)
{
	static const struct {
		uint16_t type;
		size_t size;
		int32_t status;
		int r;
	} cases[] = {
		{ NLMSG_DONE, 4, 0, TW_DIAG_DONE },
		{ NLMSG_DONE, 0, 0, TW_DIAG_DONE },
		{ NLMSG_DONE, 4, 12, TW_DIAG_DONE },
		{ NLMSG_DONE, 4, -ENOENT, -ENOENT },
		{ NLMSG_DONE, 4, -EOPNOTSUPP, -EOPNOTSUPP },
		{ NLMSG_DONE, 3, 0, -EPROTO },
		{ NLMSG_DONE, 4, INT32_MIN, -EPROTO },
		{ NLMSG_DONE, 4, -4096, -EPROTO },
		{ NLMSG_ERROR, 20, -ENOENT, -ENOENT },
		{ NLMSG_ERROR, 4, -EBUSY, -EBUSY },
		{ NLMSG_ERROR, 20, 0, -EPROTO },
		{ NLMSG_ERROR, 20, 5, -EPROTO },
		{ NLMSG_ERROR, 3, -ENOENT, -EPROTO },
		{ NLMSG_ERROR, 0, 0, -EPROTO },
		{ NLMSG_NOOP, 0, 0, TW_DIAG_MORE },
		{ NLMSG_OVERRUN, 0, 0, -ENOBUFS },
		{ 0, 4, 0, -EPROTO },
		{ 18, 72, 0, -EPROTO },
		{ SOCK_DESTROY, 72, 0, -EPROTO },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct datagram datagram = { 0 };
		struct inet_diag_msg row = row_of(AF_INET, 1);
		uint8_t body[72] = { 0 };
		struct told told;

		memcpy(body, &cases[i].status, sizeof(cases[i].status));
		add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));
		add(&datagram, cases[i].type, body, cases[i].size);
		assert_int_equal(parse(&datagram, &told), cases[i].r);
		assert_int_equal(told.count, 1);
	}
}

static void test_nothing_behind_done(void **state TW_UNUSED)
{
	struct datagram datagram = { 0 };
	struct inet_diag_msg row = row_of(AF_INET, 1);
	struct told told;

	add(&datagram, NLMSG_DONE, NULL, 0);
	add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));
	assert_int_equal(parse(&datagram, &told), TW_DIAG_DONE);
	assert_int_equal(told.count, 0);
}

/* Without its module the kernel says but that there is no such file. */
static void test_error_text(void **state TW_UNUSED)
{
	assert_non_null(strstr(tw_diag_error_text(-ENOENT), "module tcp_diag"));
	assert_null(strstr(tw_diag_error_text(-EPERM), "module"));
	assert_string_equal(tw_diag_error_text(-EPERM), strerror(EPERM));
}

static void test_sequence_and_interruption(void **state TW_UNUSED)
{
	struct datagram datagram = { 0 };
	struct inet_diag_msg row = row_of(AF_INET, 1);
	struct told told;
	size_t second, done;

	add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));
	second = add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));
	done = add(&datagram, NLMSG_DONE, NULL, 0);
	assert_int_equal(parse(&datagram, &told), TW_DIAG_DONE);
	assert_int_equal(told.count, 2);

	header_at(&datagram, second)->nlmsg_seq = SEQUENCE - 1;
	assert_int_equal(parse(&datagram, &told), -EPROTO);
	assert_int_equal(told.count, 1);
	header_at(&datagram, second)->nlmsg_seq = SEQUENCE;

	header_at(&datagram, second)->nlmsg_flags = NLM_F_MULTI | NLM_F_DUMP_INTR;
	assert_int_equal(parse(&datagram, &told), -EINTR);
	header_at(&datagram, second)->nlmsg_flags = NLM_F_MULTI;
	header_at(&datagram, done)->nlmsg_flags = NLM_F_DUMP_INTR;
	assert_int_equal(parse(&datagram, &told), -EINTR);
}

static void test_lengths(void **state TW_UNUSED)
{
	static const uint32_t bad[] = { 0, 15, 16 + 71, 16 + 72 + 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff };
	struct inet_diag_msg row = row_of(AF_INET, 1);

	for (size_t i = 0; i < TW_ARRAY_SIZE(bad); i++) {
		struct datagram datagram = { 0 };
		struct told told;
		size_t at = add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));

		header_at(&datagram, at)->nlmsg_len = bad[i];
		assert_int_equal(parse(&datagram, &told), -EPROTO);
		assert_int_equal(told.count, 0);
	}
}

/* Cut anywhere but between two messages, a datagram is malformed; there, it merely goes on. */
static void test_every_cut(void **state TW_UNUSED)
{
	struct datagram datagram = { 0 };
	struct inet_diag_msg row = row_of(AF_INET6, 8);
	struct told told;
	size_t first = 16 + sizeof(row);

	add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));
	add(&datagram, SOCK_DIAG_BY_FAMILY, &row, sizeof(row));
	for (size_t cut = 0; cut <= datagram.length; cut++) {
		bool whole = cut == first || cut == 2 * first;

		assert_int_equal(parse_cut(&datagram, cut, &told), whole ? TW_DIAG_MORE : -EPROTO);
		assert_int_equal(told.count, cut / first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_messages), cmocka_unit_test(test_nothing_behind_done),
		cmocka_unit_test(test_error_text),	 cmocka_unit_test(test_sequence_and_interruption),
		cmocka_unit_test(test_lengths),		 cmocka_unit_test(test_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
