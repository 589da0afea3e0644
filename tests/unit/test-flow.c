/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/flow.h"

#include "base/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct tw_address address_of(const char *text)
{
	struct tw_address address;

	if (tw_address_parse(text, strlen(text), &address) < 0)
		fail_msg("'%s' is no address", text);
	return address;
}

static void test_one_form_for_both_families(TW_UNUSED void **state)
{
	static const uint8_t four[4] = { 10, 0, 0, 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };
	struct tw_address a = tw_address_from_ipv4(four);
	struct tw_address b = { { [10] = 0xff, 0xff, 10, 0, 0, 1 } };
	struct tw_address c = { { [12] = 10, 0, 0, 1 } };

	assert_memory_equal(a.bytes, mapped, sizeof(mapped));
	assert_true(tw_address_equal(&a, &b));
	assert_true(tw_address_is_ipv4(&b));
	assert_false(tw_address_is_ipv4(&c));
	assert_false(tw_address_equal(&a, &c));
}

/* Destinations and endpoints are hashed and compared as bytes. */
static void test_no_padding(TW_UNUSED void **state)
{
	assert_int_equal(sizeof(struct tw_endpoint), 18);
	assert_int_equal(sizeof(struct tw_destination), 40);
}

static void test_kinds(TW_UNUSED void **state)
{
	static const struct {
		const char *text;
		bool ipv4, loopback, any;
	} rows[] = {
		{ "10.0.0.1", true, false, false },
		{ "127.0.0.1", true, true, false },
		{ "127.255.255.254", true, true, false },
		{ "126.255.255.255", true, false, false },
		{ "128.0.0.1", true, false, false },
		{ "0.0.0.0", true, false, true },
		{ "0.0.0.1", true, false, false },
		{ "::ffff:127.0.0.1", true, true, false },
		{ "::ffff:0.0.0.0", true, false, true },
		{ "::", false, false, true },
		{ "::1", false, true, false },
		{ "::2", false, false, false },
		{ "1::1", false, false, false },
		{ "::7f00:1", false, false, false },
		{ "2001:db8::1", false, false, false },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_address address = address_of(rows[i].text);

		if (tw_address_is_ipv4(&address) != rows[i].ipv4 ||
		    tw_address_is_loopback(&address) != rows[i].loopback || tw_address_is_any(&address) != rows[i].any)
			fail_msg("%s is taken for something else", rows[i].text);
	}
}

static void test_address_text(TW_UNUSED void **state)
{
	static const char *const rows[][2] = {
		{ "10.0.0.1", "10.0.0.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "::ffff:10.0.0.1", "10.0.0.1" },
		{ "::FFFF:0a00:0001", "10.0.0.1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "::", "::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char bytes[TW_ENDPOINT_TEXT_MAX];
		struct tw_text text;
		struct tw_address address = address_of(rows[i][0]);

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_address_add(&text, &address);
		assert_string_equal(bytes, rows[i][1]);
	}
}

static void test_no_address(TW_UNUSED void **state)
{
	static const char *const texts[] = {
		"",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.1 ",
		" 10.0.0.1",
		"010.0.0.1",
		"0x0a.0.0.1",
		"10.1",
		"10.0.0.1.2",
		"host",
		"localhost",
		"[::1]",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"::1%lo",
		"fe80::1%eth0",
		"::g",
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
		"10.0.0.1:80",
		"10.0.0.0/8",
		"0000000000000000000000000000000000000000000000000000000000000000::1",
	};
	struct tw_address address = address_of("1.2.3.4");
	struct tw_address before = address;

	for (size_t i = 0; i < TW_ARRAY_SIZE(texts); i++) {
		if (tw_address_parse(texts[i], strlen(texts[i]), &address) != -EINVAL)
			fail_msg("'%s' is taken for an address", texts[i]);
	}
	assert_int_equal(tw_address_parse("10.0.0.1\0x", 10, &address), -EINVAL);
	assert_true(tw_address_equal(&address, &before));
	assert_int_equal(tw_address_parse("10.0.0.12", 8, &address), 0);
	before = address_of("10.0.0.1");
	assert_true(tw_address_equal(&address, &before));
}

static void test_endpoints(TW_UNUSED void **state)
{
	static const struct {
		const char *text;
		const char *address;
		uint16_t port;
	} rows[] = {
		{ "10.0.0.2:80", "10.0.0.2", 80 },
		{ "10.0.0.2", "10.0.0.2", 0 },
		{ "10.0.0.2:65535", "10.0.0.2", 65535 },
		{ "10.0.0.2:1", "10.0.0.2", 1 },
		{ "[::1]:80", "::1", 80 },
		{ "[::1]", "::1", 0 },
		{ "::1", "::1", 0 },
		{ "::1:80", "::1:80", 0 }, /* without brackets there is no port */
		{ "2001:db8::1", "2001:db8::1", 0 },
		{ "[2001:db8::1]:8080", "2001:db8::1", 8080 },
		{ "[::ffff:10.0.0.2]:80", "10.0.0.2", 80 },
		{ "::ffff:10.0.0.2", "10.0.0.2", 0 },
	};

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		struct tw_address expected = address_of(rows[i].address);
		struct tw_address address;
		uint16_t port = 4711;

		if (tw_endpoint_parse(rows[i].text, strlen(rows[i].text), &address, &port) < 0)
			fail_msg("'%s' is no endpoint", rows[i].text);
		assert_true(tw_address_equal(&address, &expected));
		assert_int_equal(port, rows[i].port);
	}
}

static void test_no_endpoint(TW_UNUSED void **state)
{
	static const char *const texts[] = {
		"",
		":",
		":80",
		"[",
		"]",
		"[]",
		"[]:80",
		"[::1",
		"::1]",
		"[::1]:",
		"[::1]:0",
		"[::1]80",
		"[::1]:80:1",
		"[::1]:65536",
		"[10.0.0.2]",
		"[10.0.0.2]:80",
		"10.0.0.2:",
		"10.0.0.2:0",
		"10.0.0.2:65536",
		"10.0.0.2:+1",
		"10.0.0.2:-1",
		"10.0.0.2: 80",
		"10.0.0.2:http",
		"10.0.0.2:80 ",
		"10.0.0.2:80:",
		"[[::1]]:80",
		"host:80",
		"*:80",
		"[::1]]:80",
		"10.0.0.2:18446744073709551696",
	};
	struct tw_address address = address_of("1.2.3.4");
	struct tw_address before = address;
	uint16_t port = 4711;

	for (size_t i = 0; i < TW_ARRAY_SIZE(texts); i++) {
		if (tw_endpoint_parse(texts[i], strlen(texts[i]), &address, &port) != -EINVAL)
			fail_msg("'%s' is taken for an endpoint", texts[i]);
	}
	assert_int_equal(tw_endpoint_parse(NULL, 0, &address, &port), -EINVAL);
	assert_true(tw_address_equal(&address, &before));
	assert_int_equal(port, 4711);
}

static void test_endpoint_text(TW_UNUSED void **state)
{
	char bytes[TW_DESTINATION_TEXT_MAX];
	struct tw_text text;
	struct tw_address four = address_of("10.0.0.1");
	struct tw_address six = address_of("2001:db8::1");
	struct tw_destination destination = { .source = four, .destination = address_of("10.0.0.2"), .port = 80 };

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_endpoint_add(&text, &four, 80);
	assert_string_equal(bytes, "10.0.0.1:80");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_endpoint_add(&text, &six, 65535);
	assert_string_equal(bytes, "[2001:db8::1]:65535");
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_destination_add(&text, &destination);
	assert_string_equal(bytes, "10.0.0.1 -> 10.0.0.2:80");
}

static void test_longest_texts_fit(TW_UNUSED void **state)
{
	struct tw_destination destination = { .port = 65535 };
	char bytes[TW_DESTINATION_TEXT_MAX], endpoint[TW_ENDPOINT_TEXT_MAX];
	struct tw_text text;

	memset(&destination.source, 0xff, sizeof(destination.source));
	memset(&destination.destination, 0xff, sizeof(destination.destination));
	tw_text_init(&text, bytes, sizeof(bytes));
	tw_destination_add(&text, &destination);
	assert_false(text.cut);
	assert_string_equal(bytes, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff -> "
				   "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	tw_text_init(&text, endpoint, sizeof(endpoint));
	tw_endpoint_add(&text, &destination.source, 65535);
	assert_false(text.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_form_for_both_families),
		cmocka_unit_test(test_no_padding),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_address_text),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_no_endpoint),
		cmocka_unit_test(test_endpoint_text),
		cmocka_unit_test(test_longest_texts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
