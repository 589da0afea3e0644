/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diag-fixture.h"

static int parse_row(const struct inet_diag_msg *row, struct told *told)
{
	struct datagram datagram = { 0 };

	add(&datagram, SOCK_DIAG_BY_FAMILY, row, sizeof(*row));
	return parse(&datagram, told);
}

/* The rows of either request say their family. */
static void test_rows_of_both(void **state TW_UNUSED)
{
	struct inet_diag_msg ipv4 = row_of(AF_INET, 1), ipv6 = row_of(AF_INET6, 1);
	struct datagram datagram = { 0 };
	struct told told;

	add(&datagram, TCPDIAG_GETSOCK, &ipv4, sizeof(ipv4));
	assert_int_equal(parse(&datagram, &told), TW_DIAG_MORE);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.last.family, AF_INET);
	add(&datagram, TCPDIAG_GETSOCK, &ipv6, sizeof(ipv6));
	assert_int_equal(parse(&datagram, &told), TW_DIAG_MORE);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.last.family, AF_INET6);
	add(&datagram, TCPDIAG_GETSOCK, &ipv6, sizeof(ipv6) - 1);
	assert_int_equal(parse(&datagram, &told), -EPROTO);
}

static void test_states(void **state TW_UNUSED)
{
	/* The kernel's numbers of include/net/tcp_states.h. */
	static const struct {
		uint8_t number;
		bool told;
		enum tw_state state;
	} cases[] = {
		{ 0, false, 0 },
		{ 1, true, TW_STATE_ESTABLISHED },
		{ 2, true, TW_STATE_SYN_SENT },
		{ 3, true, TW_STATE_SYN_RECV },
		{ 4, true, TW_STATE_FIN_WAIT_1 },
		{ 5, true, TW_STATE_FIN_WAIT_2 },
		{ 6, true, TW_STATE_TIME_WAIT },
		{ 7, true, TW_STATE_BOUND },
		{ 8, true, TW_STATE_CLOSE_WAIT },
		{ 9, true, TW_STATE_LAST_ACK },
		{ 10, true, TW_STATE_LISTEN },
		{ 11, true, TW_STATE_CLOSING },
		{ 12, true, TW_STATE_SYN_RECV },
		{ 13, true, TW_STATE_BOUND },
		{ 14, false, 0 },
		{ 255, false, 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct inet_diag_msg row = row_of(AF_INET, cases[i].number);
		struct told told;

		assert_int_equal(parse_row(&row, &told), TW_DIAG_MORE);
		assert_int_equal(told.count, cases[i].told);
		if (cases[i].told)
			assert_int_equal(told.last.state, cases[i].state);
	}
}

static void test_closed_without_port_is_passed_over(void **state TW_UNUSED)
{
	struct inet_diag_msg row = row_of(AF_INET, 7);
	struct told told;

	row.id.idiag_sport = 0;
	assert_int_equal(parse_row(&row, &told), TW_DIAG_MORE);
	assert_int_equal(told.count, 0);
}

static void test_fields(void **state TW_UNUSED)
{
	struct inet_diag_msg row = row_of(AF_INET, 1);
	struct tw_address local = tw_address_from_ipv4("\x0a\x01\x02\x03"),
			  remote = tw_address_from_ipv4("\x0a\x04\x05\x06");
	struct told told;

	/* IPv4 addresses leave three of their four words to chance. */
	row.id.idiag_src[1] = row.id.idiag_dst[3] = 0xffffffff;
	assert_int_equal(parse_row(&row, &told), TW_DIAG_MORE);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.last.family, AF_INET);
	assert_true(tw_address_equal(&told.last.local.address, &local));
	assert_true(tw_address_equal(&told.last.remote.address, &remote));
	assert_int_equal(told.last.local.port, 40000);
	assert_int_equal(told.last.remote.port, 443);
	assert_int_equal(told.last.expires_ms, 1234);
	assert_int_equal(told.last.receive_queue, 5);
	assert_int_equal(told.last.send_queue, 6);
	assert_int_equal(told.last.uid, 7);
	assert_int_equal(told.last.inode, 8);
	assert_true(told.last.cookie == UINT64_C(0x2222222211111111));
	assert_false(told.last.has_cgroup);
	assert_int_equal(told.last.cgroup_id, 0);
}

static void test_families(void **state TW_UNUSED)
{
	struct inet_diag_msg row = row_of(AF_INET6, 1);
	struct tw_address ipv4 = tw_address_from_ipv4("\x0a\x01\x02\x03"), ipv6;
	struct told told;

	memcpy(ipv6.bytes, row.id.idiag_src, sizeof(ipv6.bytes));
	assert_int_equal(parse_row(&row, &told), TW_DIAG_MORE);
	assert_true(tw_address_equal(&told.last.local.address, &ipv6));
	assert_false(tw_address_is_ipv4(&told.last.local.address));

	/* A v4-mapped socket's address is the same words as an IPv4 socket's; its family stays what it is. */
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", row.id.idiag_src), 1);
	assert_int_equal(parse_row(&row, &told), TW_DIAG_MORE);
	assert_true(tw_address_equal(&told.last.local.address, &ipv4));
	assert_int_equal(told.last.family, AF_INET6);

	row.idiag_family = AF_UNIX;
	assert_int_equal(parse_row(&row, &told), -EPROTO);
	assert_int_equal(told.count, 0);
}

static void test_mini(void **state TW_UNUSED)
{
	static const struct {
		uint8_t number, timer;
		uint32_t inode;
		bool mini;
	} cases[] = {
		{ 6, 3, 0, true },  { 5, 3, 0, true },	/* TIME-WAIT and orphaned FIN-WAIT-2 */
		{ 5, 2, 0, false }, { 5, 3, 9, false }, /* FIN-WAIT-2 that is a whole socket */
		{ 1, 3, 0, false }, { 6, 0, 0, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct inet_diag_msg row = row_of(AF_INET, cases[i].number);
		struct told told;

		row.idiag_timer = cases[i].timer;
		row.idiag_inode = cases[i].inode;
		assert_int_equal(parse_row(&row, &told), TW_DIAG_MORE);
		assert_int_equal(told.last.mini, cases[i].mini);
	}
}

/* A row with one attribute of `size` bytes that calls itself `said` bytes long. */
static int parse_attribute(uint16_t type, size_t size, uint16_t said, struct told *told)
{
	struct datagram datagram = { 0 };
	uint8_t body[256] = { 0 };
	struct inet_diag_msg row = row_of(AF_INET, 1);
	struct rtattr attribute = { .rta_len = said, .rta_type = type };
	uint64_t id = UINT64_C(0x123456789abcdef0);

	memcpy(body, &row, sizeof(row));
	memcpy(body + sizeof(row), &attribute, sizeof(attribute));
	memcpy(body + sizeof(row) + sizeof(attribute), &id, sizeof(id));
	add(&datagram, SOCK_DIAG_BY_FAMILY, body, sizeof(row) + size);
	return parse(&datagram, told);
}

static void test_attributes(void **state TW_UNUSED)
{
	static const struct {
		uint16_t type;
		size_t size;
		uint16_t said;
		int r;
		bool cgroup;
	} cases[] = {
		{ INET_DIAG_CGROUP_ID, 12, 12, TW_DIAG_MORE, true },
		{ INET_DIAG_CGROUP_ID, 16, 16, TW_DIAG_MORE, true },
		{ INET_DIAG_CGROUP_ID, 8, 8, TW_DIAG_MORE, false }, /* too short to be one */
		{ INET_DIAG_CGROUP_ID, 4, 4, TW_DIAG_MORE, false },
		{ INET_DIAG_MARK, 12, 12, TW_DIAG_MORE, false },
		{ INET_DIAG_MARK, 5, 5, TW_DIAG_MORE, false }, /* the padding of the last one is missing */
		{ INET_DIAG_CGROUP_ID, 12, 13, -EPROTO, false },
		{ INET_DIAG_CGROUP_ID, 12, 65535, -EPROTO, false },
		{ INET_DIAG_CGROUP_ID, 12, 3, -EPROTO, false },
		{ INET_DIAG_CGROUP_ID, 12, 0, -EPROTO, false },
		{ INET_DIAG_CGROUP_ID, 3, 12, -EPROTO, false }, /* not even a header */
		{ INET_DIAG_MARK, 14, 12, -EPROTO, false },	/* two bytes left over */
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(cases); i++) {
		struct told told;

		assert_int_equal(parse_attribute(cases[i].type, cases[i].size, cases[i].said, &told), cases[i].r);
		assert_int_equal(told.count, cases[i].r == TW_DIAG_MORE);
		assert_int_equal(told.last.has_cgroup, cases[i].cgroup);
		if (cases[i].cgroup)
			assert_true(told.last.cgroup_id == UINT64_C(0x123456789abcdef0));
	}
}

static void test_second_attribute(void **state TW_UNUSED)
{
	struct datagram datagram = { 0 };
	struct {
		struct inet_diag_msg row;
		struct rtattr mark;
		uint32_t mark_value;
		struct rtattr cgroup;
		uint32_t cgroup_value[2];
	} body = {
		.row = row_of(AF_INET, 1),
		.mark = { .rta_len = 5, .rta_type = INET_DIAG_MARK }, /* padded to 8 */
		.cgroup = { .rta_len = 12, .rta_type = INET_DIAG_CGROUP_ID },
		.cgroup_value = { 42, 0 },
	};
	struct told told;

	add(&datagram, SOCK_DIAG_BY_FAMILY, &body, sizeof(body));
	assert_int_equal(parse(&datagram, &told), TW_DIAG_MORE);
	assert_true(told.last.has_cgroup);
	assert_int_equal(told.last.cgroup_id, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_of_both),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_closed_without_port_is_passed_over),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_mini),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_second_attribute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
