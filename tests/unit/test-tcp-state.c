/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/flow.h"

#include "base/macros.h"

#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	enum tw_state state;
	const char *name;
	const char *title;
	unsigned kernel; /* as the C library's own header counts, where it has the state */
} rows[] = {
	{ TW_STATE_LISTEN, "listen", "LISTEN", TCP_LISTEN },
	{ TW_STATE_SYN_SENT, "syn-sent", "SYN-SENT", TCP_SYN_SENT },
	{ TW_STATE_SYN_RECV, "syn-recv", "SYN-RECV", TCP_SYN_RECV },
	{ TW_STATE_ESTABLISHED, "established", "ESTABLISHED", TCP_ESTABLISHED },
	{ TW_STATE_FIN_WAIT_1, "fin-wait-1", "FIN-WAIT-1", TCP_FIN_WAIT1 },
	{ TW_STATE_FIN_WAIT_2, "fin-wait-2", "FIN-WAIT-2", TCP_FIN_WAIT2 },
	{ TW_STATE_CLOSE_WAIT, "close-wait", "CLOSE-WAIT", TCP_CLOSE_WAIT },
	{ TW_STATE_LAST_ACK, "last-ack", "LAST-ACK", TCP_LAST_ACK },
	{ TW_STATE_CLOSING, "closing", "CLOSING", TCP_CLOSING },
	{ TW_STATE_TIME_WAIT, "time-wait", "TIME-WAIT", TCP_TIME_WAIT },
	{ TW_STATE_BOUND, "bound", "BOUND", 13 },
};

static void test_names(TW_UNUSED void **state)
{
	assert_int_equal(TW_ARRAY_SIZE(rows), TW_STATE_COUNT);
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		assert_string_equal(tw_state_name(rows[i].state), rows[i].name);
		assert_string_equal(tw_state_title(rows[i].state), rows[i].title);
	}
}

static void test_kernel_numbers(TW_UNUSED void **state)
{
	uint32_t all = 0;

	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		enum tw_state found = TW_STATE_COUNT;

		assert_true(tw_state_from_kernel(rows[i].kernel, &found));
		assert_int_equal(found, rows[i].state);
		assert_int_equal(tw_state_kernel_bit(rows[i].state), 1u << rows[i].kernel);
		all |= tw_state_kernel_bit(rows[i].state);
	}
	assert_int_equal(all, TW_STATE_MASK_ALL);
}

static void test_other_kernel_numbers(TW_UNUSED void **state)
{
	static const unsigned none[] = { 0, TCP_CLOSE, 14, 31, 32, 255, UINT32_MAX };
	enum tw_state found = TW_STATE_COUNT;

	for (size_t i = 0; i < TW_ARRAY_SIZE(none); i++)
		assert_false(tw_state_from_kernel(none[i], &found));
	assert_int_equal(found, TW_STATE_COUNT);

	/* TCP_NEW_SYN_RECV: a request socket. */
	assert_true(tw_state_from_kernel(12, &found));
	assert_int_equal(found, TW_STATE_SYN_RECV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_kernel_numbers),
		cmocka_unit_test(test_other_kernel_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
