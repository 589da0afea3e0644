/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sink.h"

#include "base/fd.h"
#include "tell-sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Whoever waits for the other side is killed rather than waited for. */
#define PATIENCE_SECONDS 20
/* More than any pipe, terminal or queue of the tests takes. */
#define RECORDS_MAX 20000

static char got[1024 * 1024];

static const struct tw_event stopped = { .kind = TW_EVENT_STOPPED, .reason = "well" };
/* Bigger than PIPE_BUF, so that a pipe can take a part of it. */
static struct tw_event big = { .kind = TW_EVENT_STARTED };
static struct tw_sample crowded;

static void tell(struct tw_record_sink *sink, const struct tw_event *event)
{
	struct tw_recorder *recorder = &sink->recorder;

	recorder->tell(recorder, "host", event);
}

/* Reads what is there, as text. */
static size_t drain(int fd)
{
	size_t length = 0;
	ssize_t n;

	assert_return_code(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fd, got + length, sizeof(got) - 1 - length)) > 0)
		length += (size_t)n;
	got[length] = '\0';
	return length;
}

static size_t count_lines(void)
{
	size_t lines = 0;

	for (const char *at = got; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

/* Tells until a record is lost; returns how many got through. */
static uint64_t tell_until_lost(struct tw_record_sink *sink, const struct tw_event *event)
{
	uint64_t before = sink->dropped;

	for (uint64_t i = 0; i < RECORDS_MAX; i++) {
		tell(sink, event);
		if (sink->dropped > before)
			return i;
	}
	fail_msg("nothing was ever lost");
	return 0;
}

static void test_text(void **state TW_UNUSED)
{
	struct tw_record_sink *sink = NULL;
	unsigned hour, minute, second;
	int fds[2], length = 0;

	assert_return_code(pipe(fds), 0);
	assert_int_equal(tw_record_sink_new(TW_LOG_TEXT, fds[1], NULL, &sink), 0);
	tell(sink, &stopped);
	drain(fds[0]);
	assert_int_equal(sscanf(got, "%2u:%2u:%2u %n", &hour, &minute, &second, &length), 3);
	assert_int_equal(length, 9);
	assert_string_equal(got + length, "notice: Stopped: well.\n");
	assert_int_equal(sink->dropped, 0);
	assert_null(tw_record_sink_free(sink));
	tw_close(fds[0]);
	tw_close(fds[1]);
}

static void test_json(void **state TW_UNUSED)
{
	struct tw_record_sink *sink = NULL;
	const char *stamp;
	int fds[2];

	assert_return_code(pipe(fds), 0);
	assert_int_equal(tw_record_sink_new(TW_LOG_JSON, fds[1], NULL, &sink), 0);
	tell(sink, &stopped);
	tell(sink, &stopped);
	drain(fds[0]);
	assert_int_equal(count_lines(), 2);
	assert_memory_equal(got, "{\"MESSAGE\":\"Stopped: well.\",", 28);
	stamp = strstr(got, "\"__REALTIME_TIMESTAMP\":\"");
	assert_non_null(stamp);
	assert_int_equal(strspn(stamp + 24, "0123456789"), 16);
	assert_memory_equal(stamp + 40, "\"}\n{\"MESSAGE\"", 13);
	assert_null(tw_record_sink_free(sink));
	tw_close(fds[0]);
	tw_close(fds[1]);
}

/* Onto `write_fd` until it is full, then room again: lines are whole, the loss is counted and told once. */
static void check_full(enum tw_log log, int write_fd, int read_fd, bool own)
{
	struct tw_record_sink *sink = NULL;
	int flags = fcntl(write_fd, F_GETFL);
	uint64_t through;
	size_t lines;

	assert_int_equal(tw_record_sink_new(log, write_fd, NULL, &sink), 0);
	if (!own) {
		assert_true(sink->ours);
		(void)tw_close(sink->fd);
		sink->fd = write_fd;
		sink->ours = false;
	}
	through = tell_until_lost(sink, &big);
	assert_true(through > 0);
	tell(sink, &big);
	tell(sink, &big);
	assert_int_equal(sink->dropped, 3);
	assert_int_equal(sink->dropped - sink->told, 3);
	assert_int_equal(fcntl(write_fd, F_GETFL), flags);

	drain(read_fd);
	lines = count_lines();
	/* The last one was perhaps taken in part, and is completed first. */
	tell(sink, &stopped);
	tell(sink, &stopped);
	drain(read_fd);
	assert_int_equal(lines + count_lines(), through + 2);
	if (log == TW_LOG_JSON)
		assert_non_null(strstr(got, "\"TIMEWAITD_DROPPED\":\"3\""));
	else
		assert_non_null(strstr(got, "notice: Stopped: well. (3 records lost before this one)\n"));
	/* Told once. */
	drain(read_fd);
	tell(sink, &stopped);
	drain(read_fd);
	assert_null(strstr(got, log == TW_LOG_JSON ? "DROPPED" : "lost"));
	assert_int_equal(sink->dropped, 3);
	assert_int_equal(sink->dropped - sink->told, 0);
	tw_record_sink_free(sink);
}

static void test_full_pipe(void **state TW_UNUSED)
{
	for (int json = 0; json < 2; json++) {
		int fds[2];

		assert_return_code(pipe(fds), 0);
		check_full(json ? TW_LOG_JSON : TW_LOG_TEXT, fds[1], fds[0], true);
		tw_close(fds[0]);
		tw_close(fds[1]);
	}
}

static void test_full_socket(void **state TW_UNUSED)
{
	int fds[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	check_full(TW_LOG_JSON, fds[1], fds[0], true);
	tw_close(fds[0]);
	tw_close(fds[1]);
}

/* Nobody reads the other end of the terminal. */
static void test_full_terminal(void **state TW_UNUSED)
{
	struct tw_record_sink *sink = NULL;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int terminal;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		skip();
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (terminal < 0)
		skip();
	assert_int_equal(tw_record_sink_new(TW_LOG_TEXT, terminal, NULL, &sink), 0);
	assert_true(tell_until_lost(sink, &stopped) > 0);
	tw_record_sink_free(sink);
	tw_close(terminal);
	tw_close(master);
}

/* Where the pipe may not be opened anew poll(2) keeps it from waiting. */
static void test_pipe_without_own_description(void **state TW_UNUSED)
{
	int fds[2];

	assert_return_code(pipe(fds), 0);
	check_full(TW_LOG_JSON, fds[1], fds[0], false);
	tw_close(fds[0]);
	tw_close(fds[1]);
}

/* A broken pipe and a full disk are losses, not the end. */
static void test_broken(void **state TW_UNUSED)
{
	struct tw_record_sink *sink = NULL;
	int fds[2];
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_return_code(pipe(fds), 0);
	assert_int_equal(tw_record_sink_new(TW_LOG_TEXT, fds[1], NULL, &sink), 0);
	tw_close(fds[0]);
	tell(sink, &stopped);
	tell(sink, &stopped);
	assert_int_equal(sink->dropped, 2);
	sink = tw_record_sink_free(sink);
	tw_close(fds[1]);

	assert_return_code(full, 0);
	assert_int_equal(tw_record_sink_new(TW_LOG_JSON, full, NULL, &sink), 0);
	tell(sink, &stopped);
	assert_int_equal(sink->dropped, 1);
	sink = tw_record_sink_free(sink);
	tw_close(full);
	assert_int_equal(tw_record_sink_new(TW_LOG_JSON, -1, NULL, &sink), -EBADF);
	assert_null(sink);
}

static void make_big(void)
{
	crowded = sample;
	crowded.survey.top_count = TW_TOP_MAX;
	for (unsigned i = 0; i < TW_TOP_MAX; i++) {
		memset(&crowded.survey.top[i], 0xff, sizeof(crowded.survey.top[i]));
		crowded.survey.top[i].bound_first_known = true;
		crowded.survey.top[i].reuse_refuted = true;
		crowded.survey.top[i].port_eta = tw_value_of(INT64_MAX);
		crowded.survey.top[i].port_use = tw_value_of(INT64_MAX);
	}
	big.kind = TW_EVENT_RAISED;
	big.sample = &crowded;
	big.top = TW_TOP_MAX;
	/* The line of a terminal shows the sentence alone. */
	memset(big.reason, 'r', sizeof(big.reason) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	      cmocka_unit_test(test_json),
		cmocka_unit_test(test_full_pipe),     cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_full_terminal), cmocka_unit_test(test_pipe_without_own_description),
		cmocka_unit_test(test_broken),
	};

	make_big();
	(void)alarm(PATIENCE_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
