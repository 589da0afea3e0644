/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate-fixture.h"

static void explain(enum tw_gate_verdict verdict, enum tw_tunable tunable, const struct tw_subject *subject,
		    char reason[TW_REASON_MAX], char advice[TW_REASON_MAX])
{
	struct tw_text reason_text, advice_text;

	tw_text_init(&reason_text, reason, TW_REASON_MAX);
	tw_text_init(&advice_text, advice, TW_REASON_MAX);
	tw_gate_explain(verdict, tunable, &sample, subject, &reason_text, &advice_text);
	assert_false(reason_text.cut || advice_text.cut);
}

/* Of the destination that stands second: 13000 ports, in each state another number of them. */
static void fill_sample(void)
{
	struct tw_destination_row *row;

	set_live(TW_TUNABLE_TIMESTAMPS, 0);
	set_live(TW_TUNABLE_TW_REUSE, 1);
	set_live(TW_TUNABLE_MAX_TW_BUCKETS, 40000);
	sample.gauge.time_wait = 5000;
	set_survey(28232);
	add_row("10.0.0.1", "10.0.0.9", 20000, 0, TW_HOLDER_ESTABLISHED);
	row = add_row("10.0.0.1", "10.0.0.2", 13000, 1000, TW_HOLDER_ESTABLISHED);
	sample.survey.need_count = 1;
	sample.survey.needs[0] = (struct tw_binder_need){
		.source = address("10.0.0.9"),
		.ports = 20000,
		.holder = TW_HOLDER_CLOSE_WAIT,
		.held = { [TW_HOLDER_TIME_WAIT] = 3000, [TW_HOLDER_ESTABLISHED] = 2999, [TW_HOLDER_CLOSE_WAIT] = 15000 }
	};
	row->port_use = tw_value_of(12345);
	set_exclusive(3000, 2000);
	set_sides(21000, 20000);
}

static void test_words(TW_UNUSED void **state)
{
	static const struct {
		enum tw_gate_verdict verdict;
		enum tw_tunable tunable;
		const char *reason, *advice; /* the advice: how it begins */
	} rows[] = {
		{ TW_GATE_OPEN, TW_TUNABLE_TW_REUSE, "", "" },
		{ TW_GATE_NO_TIMESTAMPS, TW_TUNABLE_TW_REUSE,
		  "net.ipv4.tcp_tw_reuse would do nothing: it needs net.ipv4.tcp_timestamps, which is 0 here",
		  "turn net.ipv4.tcp_timestamps on (both ends need it)" },
		{ TW_GATE_ALREADY, TW_TUNABLE_TW_REUSE, "net.ipv4.tcp_tw_reuse is 1 already", "let the client pool" },
		{ TW_GATE_REFUTED, TW_TUNABLE_TW_REUSE,
		  "net.ipv4.tcp_tw_reuse is 1, and no port towards 10.0.0.2:8080 is taken over: its connections have "
		  "no TCP timestamps",
		  "turn net.ipv4.tcp_timestamps on at the peer" },
		{ TW_GATE_BIND_SHORT, TW_TUNABLE_TW_REUSE,
		  "20000 of 28232 ports are held by sockets of 10.0.0.9, most by CLOSE-WAIT: the peer has closed, and "
		  "the program here has not, then by TIME-WAIT; bind() of this address before connect() can have none "
		  "of them, and "
		  "net.ipv4.tcp_tw_reuse does not change that",
		  "let the program connect without bind(), or set IP_BIND_ADDRESS_NO_PORT before bind() to port 0: " },
		{ TW_GATE_HELD_ESTABLISHED, TW_TUNABLE_TW_REUSE,
		  "6000 of 13000 ports towards 10.0.0.2:8080 are held by open connections (ESTABLISHED), 7.7% by "
		  "TIME-WAIT",
		  "let the client pool its connections, widen net.ipv4.ip_local_port_range, or add " },
		{ TW_GATE_HELD_SYN_SENT, TW_TUNABLE_TW_REUSE,
		  "6000 of 13000 ports towards 10.0.0.2:8080 are held by connection attempts that get no answer "
		  "(SYN-SENT), 7.7% by TIME-WAIT",
		  "find out why no answer comes" },
		{ TW_GATE_HELD_FIN_WAIT_2_ORPHANED, TW_TUNABLE_TW_REUSE,
		  "6000 of 13000 ports towards 10.0.0.2:8080 are held by FIN-WAIT-2: closed here, and the peer has not "
		  "closed, 7.7% by TIME-WAIT",
		  "set net.ipv4.tcp_fin_timeout lower" },
		{ TW_GATE_HELD_FIN_WAIT_2, TW_TUNABLE_TW_REUSE,
		  "6000 of 13000 ports towards 10.0.0.2:8080 are held by FIN-WAIT-2 of a program that has shut down "
		  "its "
		  "side and keeps the socket, 7.7% by TIME-WAIT",
		  "let the program close() these sockets" },
		{ TW_GATE_HELD_CLOSE_WAIT, TW_TUNABLE_TW_REUSE,
		  "6000 of 13000 ports towards 10.0.0.2:8080 are held by CLOSE-WAIT: the peer has closed, and the "
		  "program here has not, 7.7% by TIME-WAIT",
		  "restart the program" },
		{ TW_GATE_HELD_CLOSING, TW_TUNABLE_TW_REUSE,
		  "6000 of 13000 ports towards 10.0.0.2:8080 are held by FIN-WAIT-1, CLOSING or LAST-ACK: the peer "
		  "does "
		  "not acknowledge the close, 7.7% by TIME-WAIT",
		  "look at the path to the peer" },
		{ TW_GATE_HELD_BOUND, TW_TUNABLE_TW_REUSE,
		  "1000 of 28232 ports are held by sockets that listen or are bound, not connected: for every "
		  "destination",
		  "let the programs close them" },
		{ TW_GATE_BOUND_FIRST, TW_TUNABLE_TW_REUSE,
		  "2000 of 28232 ports were taken by bind() before connect(), most from 10.0.0.1: such a port is "
		  "blocked for every destination, and for every other program that connects without bind(); "
		  "net.ipv4.tcp_tw_reuse does not change that",
		  "let the program connect without bind(), or set IP_BIND_ADDRESS_NO_PORT before bind() to port 0" },
		{ TW_GATE_SERVER_SIDE, TW_TUNABLE_TW_REUSE,
		  "20000 sockets are in TIME-WAIT on the accepting side, where they cost memory of about 5 MiB and no "
		  "port",
		  "no sysctl is needed; if the memory matters, let the clients close first" },
		{ TW_GATE_PORTS_FREE, TW_TUNABLE_TW_REUSE,
		  "10.0.0.2:8080 is not short of ports: 12.3% of 28232 blocked", "no sysctl is needed" },
		{ TW_GATE_NO_OVERFLOW, TW_TUNABLE_MAX_TW_BUCKETS,
		  "TIME-WAIT is at 12.5% of net.ipv4.tcp_max_tw_buckets, and no connection is closed without it",
		  "no sysctl is needed" },
		{ TW_GATE_NO_FIN_WAIT_2, TW_TUNABLE_FIN_TIMEOUT,
		  "no socket on a port towards 10.0.0.2:8080 is in FIN-WAIT-2, and net.ipv4.tcp_fin_timeout does not "
		  "shorten TIME-WAIT: the kernel keeps it for 60s",
		  "where TIME-WAIT holds ports" },
		{ TW_GATE_OWNED_FIN_WAIT_2, TW_TUNABLE_FIN_TIMEOUT,
		  "the sockets in FIN-WAIT-2 on a port towards 10.0.0.2:8080 still belong to programs, and "
		  "net.ipv4.tcp_fin_timeout is for those that nobody has",
		  "let the program close()" },
		{ TW_GATE_NOT_BOUND_FIRST, TW_TUNABLE_AUTOBIND_REUSE,
		  "no port towards 10.0.0.2:8080 was taken by bind() before connect(), and net.ipv4.ip_autobind_reuse "
		  "is for those alone",
		  "let the client pool" },
	};
	_Static_assert(TW_ARRAY_SIZE(rows) == TW_GATE_VERDICT_COUNT, "each verdict");
	struct tw_subject subject;
	uint32_t *held;

	fill_sample();
	held = sample.survey.top[1].held;
	subject = subject_of(&sample.survey.top[1]);
	subject.binder = address("10.0.0.9");
	for (size_t i = 0; i < TW_ARRAY_SIZE(rows); i++) {
		char reason[TW_REASON_MAX], advice[TW_REASON_MAX];

		/* The verdicts and the holders are in one order. */
		for (unsigned holder = TW_HOLDER_ESTABLISHED; holder < TW_HOLDER_COUNT; holder++)
			held[holder] = rows[i].verdict - TW_GATE_HELD_ESTABLISHED == holder - TW_HOLDER_ESTABLISHED
					       ? 6000
					       : 700;

		explain(rows[i].verdict, rows[i].tunable, &subject, reason, advice);
		assert_string_equal(reason, rows[i].reason);
		assert_memory_equal(advice, rows[i].advice, strlen(rows[i].advice));
		assert_int_equal(advice[0] == '\0', rows[i].verdict == TW_GATE_OPEN);
	}
}

static void check_reason(enum tw_gate_verdict verdict, enum tw_tunable tunable, const struct tw_subject *subject,
			 const char *expected)
{
	char reason[TW_REASON_MAX], advice[TW_REASON_MAX];

	explain(verdict, tunable, subject, reason, advice);
	assert_string_equal(reason, expected);
}

static void test_special_words(TW_UNUSED void **state)
{
	struct tw_subject second = { .has_binder = true, .binder = address("10.0.0.9") };
	struct tw_subject gone = { .has_destination = true, .destination.port = 80 };

	set_live(TW_TUNABLE_TW_REUSE, 2);
	add_row("127.0.0.1", "127.0.0.1", 123, 123, TW_HOLDER_TIME_WAIT);
	check_reason(TW_GATE_ALREADY, TW_TUNABLE_TW_REUSE, &nobody,
		     "net.ipv4.tcp_tw_reuse is 2 already, which covers loopback, and 127.0.0.1 -> 127.0.0.1:8080 is "
		     "there");
	check_reason(TW_GATE_PORTS_FREE, TW_TUNABLE_TW_REUSE, &nobody,
		     "no destination is short of ports: the busiest has 12.3% of 1000 blocked");
	gone.destination.destination = address("10.0.0.5");
	check_reason(TW_GATE_PORTS_FREE, TW_TUNABLE_TW_REUSE, &gone, "no port towards 10.0.0.5:80 is held any more");
	sample.survey.destinations = 500;
	check_reason(TW_GATE_PORTS_FREE, TW_TUNABLE_TW_REUSE, &gone,
		     "10.0.0.5:80 is not among the 1 destinations with the most blocked ports");
	sample.survey.destinations = 1;
	set_live(TW_TUNABLE_TW_REUSE, 0);
	check_reason(
		TW_GATE_REFUTED, TW_TUNABLE_TW_REUSE, &nobody,
		"net.ipv4.tcp_tw_reuse would take over no port towards 127.0.0.1:8080: its connections have no TCP "
		"timestamps");
	set_live(TW_TUNABLE_TW_REUSE, 2);
	set_sides(100, 90);
	check_reason(TW_GATE_SERVER_SIDE, TW_TUNABLE_TW_REUSE, &nobody,
		     "90 sockets are in TIME-WAIT on the accepting side, where they cost memory of less than 1 MiB and "
		     "no port");
	check_reason(TW_GATE_NO_FIN_WAIT_2, TW_TUNABLE_FIN_TIMEOUT, &nobody,
		     "no socket is in FIN-WAIT-2, and net.ipv4.tcp_fin_timeout does not shorten TIME-WAIT: the kernel "
		     "keeps it for 60s");
	check_reason(TW_GATE_OWNED_FIN_WAIT_2, TW_TUNABLE_FIN_TIMEOUT, &nobody,
		     "the sockets in FIN-WAIT-2 still belong to programs, and net.ipv4.tcp_fin_timeout is for those "
		     "that nobody has");
	check_reason(TW_GATE_NOT_BOUND_FIRST, TW_TUNABLE_AUTOBIND_REUSE, &nobody,
		     "no port was taken by bind() before connect(), and net.ipv4.ip_autobind_reuse is for those alone");
	/* Several addresses may have bound the same port: they are told with those of all. */
	set_exclusive(500, 400);
	check_reason(TW_GATE_BOUND_FIRST, TW_TUNABLE_TW_REUSE, &second,
		     "400 of 1000 ports were taken by bind() before connect(), most from 10.0.0.1: such a port is "
		     "blocked for every destination, and for every other program that connects without bind(); "
		     "net.ipv4.tcp_tw_reuse does not change that");
	sample.survey.binder_count = 1;
	check_reason(TW_GATE_BOUND_FIRST, TW_TUNABLE_AUTOBIND_REUSE, &nobody,
		     "400 of 1000 ports were taken by bind() before connect(), from 10.0.0.1: such a port is blocked "
		     "for every destination, and for every other program that connects without bind(); "
		     "net.ipv4.ip_autobind_reuse does not change that");
	/* Who is behind them may not be known. */
	sample.survey.binder_count = 0;
	check_reason(TW_GATE_BOUND_FIRST, TW_TUNABLE_TW_REUSE, &nobody,
		     "400 of 1000 ports were taken by bind() before connect(): such a port is blocked for every "
		     "destination, and for every other program that connects without bind(); net.ipv4.tcp_tw_reuse "
		     "does not change that");
}

/* Each tunable that has a gate says what helps instead. */
static void test_other_remedy(TW_UNUSED void **state)
{
	for (int i = 0; i < TW_TUNABLE_COUNT; i++) {
		const char *remedy = tw_gate_other_remedy((enum tw_tunable)i);
		bool has_gate = tw_tunable_info((enum tw_tunable)i)->gate != TW_GATE_NONE;

		assert_int_equal(strcmp(remedy, "see timewaitctl explain") != 0, has_gate);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_words, clear),
		cmocka_unit_test_setup(test_special_words, clear),
		cmocka_unit_test_setup(test_other_remedy, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
