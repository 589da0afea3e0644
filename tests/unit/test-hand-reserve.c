/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hand-fixture.h"

/* A range that gets wider: who listens in its new part is put into the reserved ports first. */

#define RANGE TW_TUNABLE_PORT_RANGE

static struct tw_port_set listening;

static struct tw_port_set set_of(const char *text)
{
	struct tw_port_set set;

	assert_int_equal(tw_port_set_parse(text, strlen(text), &set), 0);
	return set;
}

static void expect_reserved(const char *text)
{
	struct tw_port_set expected = set_of(text);

	if (!tw_port_set_equal(&fake.reserved, &expected)) {
		char bytes[TW_PORT_SET_TEXT_MAX];
		struct tw_text is;

		tw_text_init(&is, bytes, sizeof(bytes));
		tw_port_set_add_text(&fake.reserved, &is);
		fail_msg("%s, expected %s", bytes, text);
	}
}

static void expect_range(int64_t low, int64_t high)
{
	assert_int_equal(fake.live[RANGE].value.numbers[0], low);
	assert_int_equal(fake.live[RANGE].value.numbers[1], high);
}

static void want_range(int64_t low, int64_t high)
{
	want(RANGE, low);
	desires.rows[RANGE].value.numbers[1] = high;
	desires.rows[RANGE].avoid = &listening;
}

/* 22 and 40000 need no care: one is below the wider range, the other in the old one, where it was before. */
static void widen(void)
{
	listening = set_of("22,8080,9000-9001,40000,61000");
	fake.reserved = set_of("5000,9001");
	want_range(1024, 65535);
	enforce();
}

static void test_reserves_first_and_puts_back_last(void **state TW_UNUSED)
{
	const struct tw_event *event;

	widen();
	event = expect(1, TW_EVENT_ADJUSTED);
	assert_non_null(strstr(event->reason, "(8080,9000,61000) went into net.ipv4.ip_local_reserved_ports"));
	expect_range(1024, 65535);
	expect_reserved("5000,8080,9000-9001,61000");
	assert_true(fake.saved.reserved.ours);
	enforce();
	expect_silence();
	assert_int_equal(fake.writes, 2);

	want_nothing();
	enforce();
	event = expect(2, TW_EVENT_RESTORED);
	assert_false(event->has_sysctl);
	assert_non_null(strstr(event->reason, "as it was before the range was widened: 5000,9001"));
	assert_string_equal(event->rule_name, "port-exhaustion");
	expect_range(32768, 60999);
	expect_reserved("5000,9001");
	assert_false(tw_ledger_owes(&fake.saved));
	enforce();
	assert_int_equal(tw_hand_restore(&hand), 0);
	expect_silence();
	assert_int_equal(fake.writes, 4);
}

static void test_nobody_listens_there(void **state TW_UNUSED)
{
	listening = set_of("22,40000");
	want_range(1024, 65535);
	enforce();
	assert_string_equal(expect(1, TW_EVENT_ADJUSTED)->reason, "");
	assert_int_equal(fake.writes, 1);
	assert_false(fake.saved.reserved.ours);
	want_nothing();
	enforce();
	(void)expect(1, TW_EVENT_RESTORED);
}

static void test_observes(void **state TW_UNUSED)
{
	listening = set_of("8080");
	want_range(1024, 65535);
	observe();
	(void)expect(1, TW_EVENT_ADVICE);
	assert_int_equal(fake.writes + fake.saves, 0);
	expect_reserved("");
}

/* Wider again, with one more listener: the baseline stays what it was. */
static void test_twice_wider(void **state TW_UNUSED)
{
	listening = set_of("30001");
	want_range(30000, 60999);
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
	expect_reserved("30001");
	listening = set_of("30001,8080,30005");
	want_range(1024, 65535);
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
	expect_reserved("8080,30001,30005");
	assert_int_equal(tw_hand_restore(&hand), 0);
	(void)expect(2, TW_EVENT_RESTORED);
	expect_reserved("");
	expect_range(32768, 60999);
}

static void test_the_list_is_the_admins(void **state TW_UNUSED)
{
	const struct tw_event *event;

	widen();
	(void)expect(1, TW_EVENT_ADJUSTED);
	fake.reserved = set_of("7777");
	enforce();
	expect_silence();
	want_nothing();
	enforce();
	event = expect(2, TW_EVENT_YIELDED);
	assert_non_null(strstr(event->reason, "to 7777 after timewaitd had added 8080,9000,61000"));
	expect_reserved("7777");
	expect_range(32768, 60999);
	assert_false(tw_ledger_owes(&fake.saved));
	enforce();
	expect_silence();
}

static void test_the_list_put_back_by_the_admin(void **state TW_UNUSED)
{
	unsigned writes;

	widen();
	fake.reserved = set_of("5000,9001");
	tw_fake_act_forget_events(&fake);
	want_nothing();
	writes = fake.writes;
	enforce();
	(void)expect(2, TW_EVENT_YIELDED);
	assert_int_equal(fake.writes, writes + 1);
	expect_reserved("5000,9001");
}

/* The range becomes somebody else's: what is reserved in it stays until the rule has cleared. */
static void test_the_range_is_the_admins(void **state TW_UNUSED)
{
	widen();
	tw_fake_act_forget_events(&fake);
	tw_fake_act_set_range(&fake, 2048, 65001);
	enforce();
	(void)expect(1, TW_EVENT_YIELDED);
	expect_reserved("5000,8080,9000-9001,61000");
	assert_true(tw_ledger_owes(&fake.saved));
	want_nothing();
	enforce();
	(void)expect(1, TW_EVENT_RESTORED);
	expect_reserved("5000,9001");
	expect_range(2048, 65001);
	assert_false(tw_ledger_owes(&fake.saved));
}

/* What more would need to go in cannot, where the list is no longer ours. */
static void test_no_wider_over_the_admins_list(void **state TW_UNUSED)
{
	listening = set_of("30001");
	want_range(30000, 60999);
	enforce();
	fake.reserved = set_of("7777");
	tw_fake_act_forget_events(&fake);
	listening = set_of("30001,8080");
	want_range(1024, 65535);
	enforce();
	assert_non_null(strstr(expect(1, TW_EVENT_REFUSED)->reason, "somebody else has changed that"));
	expect_range(30000, 60999);
	assert_int_equal(tw_hand_restore(&hand), 0);
	expect_reserved("7777");
	expect_range(32768, 60999);
}

static void break_nothing(void)
{
}

static void break_listening(void)
{
	desires.rows[RANGE].avoid = NULL;
}

static void break_read(void)
{
	fake.list_error = -EACCES;
}

static void break_long_read(void)
{
	fake.list_error = -E2BIG;
}

static void break_write(void)
{
	fake.list_write_error = -EINVAL;
}

static void break_kept(void)
{
	fake.list_stays = true;
}

static void break_length(void)
{
	for (unsigned port = 20001; port < 24000; port += 2)
		tw_port_set_add(&listening, (uint16_t)port);
}

static void break_range(void)
{
	fake.write_error = -EINVAL;
}

static void break_save(void)
{
	fake.save_error = -ENOSPC;
}

static const struct {
	void (*fault)(void);
	enum tw_event_kind kind;
	const char *words;
} faults[] = {
	{ break_nothing, TW_EVENT_ADJUSTED, "went into" },
	{ break_listening, TW_EVENT_REFUSED, "not known yet which ports" },
	{ break_read, TW_EVENT_REFUSED, "cannot read net.ipv4.ip_local_reserved_ports" },
	{ break_long_read, TW_EVENT_REFUSED, "longer than the 4095 bytes" },
	{ break_write, TW_EVENT_REFUSED, "cannot write net.ipv4.ip_local_reserved_ports" },
	{ break_kept, TW_EVENT_REFUSED, "was another list after the write" },
	{ break_length, TW_EVENT_REFUSED, "longer than the 4095 bytes" },
	{ break_range, TW_EVENT_REFUSED, "takes no such value" },
	{ break_save, TW_EVENT_DEGRADED, "state directory" },
};

/* Each leaves the world as it was, is told of once, and is tried again until it works. */
static void test_faults(void **state TW_UNUSED)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(faults); i++) {
		bool works = faults[i].fault == break_nothing;
		const struct tw_event *event;

		(void)set_up(NULL);
		listening = set_of("8080");
		want_range(1024, 65535);
		faults[i].fault();
		enforce();
		event = expect(1, faults[i].kind);
		if (!strstr(event->reason, faults[i].words))
			fail_msg("row %zu: %s", i, event->reason);
		expect_reserved(works ? "8080" : "");
		expect_range(works ? 1024 : 32768, works ? 65535 : 60999);
		assert_int_equal(tw_ledger_owes(&fake.saved), works);
		for (unsigned round = 0; round < 3; round++)
			enforce();
		expect_silence();
		fake.list_error = fake.list_write_error = fake.write_error = fake.save_error = 0;
		fake.list_stays = false;
		listening = set_of("8080");
		want_range(1024, 65535);
		enforce();
		if (!works)
			(void)expect(1, TW_EVENT_ADJUSTED);
		expect_reserved("8080");
		assert_int_equal(tw_hand_restore(&hand), 0);
		expect_reserved("");
		assert_int_equal(fake.rash_writes, 0);
	}
}

static void test_list_cannot_be_put_back(void **state TW_UNUSED)
{
	widen();
	tw_fake_act_forget_events(&fake);
	fake.list_write_error = -EROFS;
	want_nothing();
	enforce();
	assert_string_equal(expect(2, TW_EVENT_DEGRADED)->advice,
			    "sysctl -w net.ipv4.ip_local_reserved_ports=5000,9001");
	enforce();
	expect_silence();
	assert_int_equal(tw_hand_restore(&hand), -EROFS);
	assert_true(tw_ledger_owes(&fake.saved));
	/* Wanted again meanwhile: nothing of it is taken away. */
	fake.list_write_error = 0;
	want_range(1024, 65535);
	enforce();
	(void)expect(1, TW_EVENT_ADJUSTED);
	expect_reserved("5000,8080,9000-9001,61000");
	assert_int_equal(tw_hand_restore(&hand), 0);
	expect_reserved("5000,9001");
}

static unsigned calls_until_admin;

static void admin_in_between(struct tw_fake_act *act)
{
	if (calls_until_admin > 0 && --calls_until_admin == 0)
		act->reserved = set_of("7777");
}

static unsigned run_script(void)
{
	unsigned before = fake.reads + fake.writes + fake.saves;

	listening = set_of("30001,8080");
	want_range(30000, 60999);
	enforce();
	want_range(1024, 65535);
	enforce();
	want_nothing();
	enforce();
	enforce();
	return fake.reads + fake.writes + fake.saves - before;
}

/* Between the look and the write nothing can tell the admin's list; what is never left behind is ours. */
static void test_admin_at_each_call(void **state TW_UNUSED)
{
	unsigned theirs = 0, calls = run_script();

	for (unsigned call = 1; call <= calls; call++) {
		(void)set_up(NULL);
		calls_until_admin = call;
		fake.interfere = admin_in_between;
		(void)run_script();
		assert_int_equal(tw_hand_restore(&hand), 0);
		assert_false(tw_port_set_has(&fake.reserved, 8080) || tw_port_set_has(&fake.reserved, 30001));
		theirs += tw_port_set_has(&fake.reserved, 7777);
		assert_false(tw_ledger_owes(&fake.saved));
		expect_range(32768, 60999);
	}
	assert_true(theirs > calls / 2);
}

/* `late`: the call on which the process dies has done its work. */
static void test_dies_at_each_call(void **state TW_UNUSED)
{
	unsigned calls = run_script();

	for (unsigned call = 1; call <= calls; call++) {
		for (unsigned late = 0; late < 2; late++) {
			(void)set_up(NULL);
			fake.reserved = set_of("5000");
			fake.fail_at = call;
			fake.fail_for = UINT32_MAX;
			fake.fail_late = late;
			fake.fail_error = -EIO;
			(void)run_script();
			fake.fail_at = 0;
			tw_fake_act_start(&fake, &hand);
			assert_int_equal(tw_hand_restore(&hand), 0);
			expect_reserved("5000");
			expect_range(32768, 60999);
			assert_false(tw_ledger_owes(&fake.saved));
			assert_int_equal(fake.rash_writes, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reserves_first_and_puts_back_last),
		TEST(test_nobody_listens_there),
		TEST(test_observes),
		TEST(test_twice_wider),
		TEST(test_the_list_is_the_admins),
		TEST(test_the_list_put_back_by_the_admin),
		TEST(test_the_range_is_the_admins),
		TEST(test_no_wider_over_the_admins_list),
		TEST(test_faults),
		TEST(test_list_cannot_be_put_back),
		TEST(test_admin_at_each_call),
		TEST(test_dies_at_each_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
