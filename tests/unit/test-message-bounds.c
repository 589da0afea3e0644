/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of sentences with too little in them or too little room: apart from test-message, which is the table. */
#include "message-fixture.h"

/* An event of which nothing is known but its kind still makes a sentence. */
static void test_empty_events(void **state TW_UNUSED)
{
	char bytes[2048];

	for (unsigned i = 0; i < TW_EVENT_COUNT; i++) {
		struct tw_event event = { .kind = (enum tw_event_kind)i };
		struct tw_text text;

		tw_text_init(&text, bytes, sizeof(bytes));
		tw_message_add(&text, "host", &event);
		assert_true(text.length > 1);
		assert_int_equal(bytes[text.length - 1], '.');
	}
}

/* What does not fit is cut, at every length, and nothing is written behind the end. */
static void test_cut(void **state TW_UNUSED)
{
	static const struct tw_event event = { .kind = TW_EVENT_RAISED, PORT_USE(47254, 45000), .sample = &busy };
	char whole[256], bytes[256];
	struct tw_text text;

	tw_text_init(&text, whole, sizeof(whole));
	tw_message_add(&text, "host", &event);
	for (size_t capacity = 1; capacity <= text.length; capacity++) {
		struct tw_text small;

		memset(bytes, 'x', sizeof(bytes));
		tw_text_init(&small, bytes, capacity);
		tw_message_add(&small, "host", &event);
		assert_true(small.cut);
		assert_int_equal(bytes[capacity], 'x');
		assert_memory_equal(bytes, whole, small.length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_events),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
