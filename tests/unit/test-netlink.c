/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/netlink-source.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A message of this length in its header, at any address; what is behind the header is what lay there. */
static void put(uint8_t *at, uint32_t length, uint16_t type)
{
	struct nlmsghdr header = { .nlmsg_len = length, .nlmsg_type = type };

	memcpy(at, &header, sizeof(header));
}

static void test_messages_one_after_the_other(void **state TW_UNUSED)
{
	uint8_t bytes[1 + 80] = { 0 };
	uint8_t *datagram = bytes + 1; /* aligned for nothing */
	struct tw_netlink_rest rest = { datagram, 20 + 24 + 17 }, body;
	struct nlmsghdr header;

	put(datagram, 20, 1);
	put(datagram + 20, 21, 2); /* padded to 24 */
	put(datagram + 44, 17, 3); /* the last one, not padded */
	assert_int_equal(tw_netlink_next(&rest, &header, &body), 1);
	assert_int_equal(header.nlmsg_type, 1);
	assert_ptr_equal(body.bytes, datagram + 16);
	assert_int_equal(body.length, 4);
	assert_int_equal(tw_netlink_next(&rest, &header, &body), 1);
	assert_int_equal(header.nlmsg_type, 2);
	assert_int_equal(body.length, 5);
	assert_int_equal(tw_netlink_next(&rest, &header, &body), 1);
	assert_int_equal(header.nlmsg_type, 3);
	assert_ptr_equal(body.bytes, datagram + 60);
	assert_int_equal(body.length, 1);
	assert_int_equal(tw_netlink_next(&rest, &header, &body), 0);
	assert_int_equal(header.nlmsg_type, 3);
	assert_int_equal(tw_netlink_next(&rest, &header, &body), 0);
}

static void test_malformed(void **state TW_UNUSED)
{
	static const struct {
		uint32_t told, there;
		int answer;
	} rows[] = {
		{ 16, 16, 1 },	     { 16, 15, -EPROTO },	  { 16, 1, -EPROTO },
		{ 16, 0, 0 },	     { 15, 16, -EPROTO },	  { 0, 32, -EPROTO },
		{ 33, 32, -EPROTO }, { UINT32_MAX, 32, -EPROTO }, { UINT32_MAX - 2, 32, -EPROTO },
		{ 32, 32, 1 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		uint8_t bytes[32] = { 0 };
		struct tw_netlink_rest rest = { bytes, rows[i].there }, body = { NULL, 99 };
		struct nlmsghdr header = { .nlmsg_type = 77 };

		put(bytes, rows[i].told, 5);
		assert_int_equal(tw_netlink_next(&rest, &header, &body), rows[i].answer);
		if (rows[i].answer == 1)
			continue;
		assert_int_equal(header.nlmsg_type, 77);
		assert_int_equal(body.length, 99);
		assert_int_equal(rest.length, rows[i].there);
	}
}

static void test_status(void **state TW_UNUSED)
{
	static const struct {
		int32_t number;
		size_t length;
		int answer;
	} rows[] = {
		{ 0, 4, 0 },	   { -ENOENT, 4, 0 },	  { -EPROTO, 36, 0 },	     { 72, 4, 0 },
		{ -4095, 4, 0 },   { -4096, 4, -EPROTO }, { INT32_MIN, 4, -EPROTO }, { INT32_MAX, 4, 0 },
		{ 0, 3, -EPROTO }, { 0, 0, -EPROTO },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		uint8_t bytes[1 + 36] = { 0 };
		struct tw_netlink_rest body = { bytes + 1, rows[i].length };
		int status = 12345;

		memcpy(bytes + 1, &rows[i].number, sizeof(rows[i].number));
		assert_int_equal(tw_netlink_status(&body, &status), rows[i].answer);
		assert_int_equal(status, rows[i].answer < 0 ? 12345 : rows[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_one_after_the_other),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
