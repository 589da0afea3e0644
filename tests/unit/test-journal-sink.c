/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tell/record-sink.h"

#include "base/fd.h"
#include "tell-sample.h"
#include "temporary.h"

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
#include <sys/un.h>
#include <sys/wait.h>

/* Whoever waits for the other side is killed rather than waited for. */
#define PATIENCE_SECONDS 20
/* More than any queue takes. */
#define RECORDS_MAX 20000

static char got[1024 * 1024];

static const struct tw_event stopped = { .kind = TW_EVENT_STOPPED, .reason = "well" };
static struct tw_event big;
static struct tw_sample crowded;

static void tell(struct tw_record_sink *sink, const struct tw_event *event)
{
	struct tw_recorder *recorder = &sink->recorder;

	recorder->tell(recorder, "host", event);
}

/* journald's end of its socket, in a directory of its own. */
struct journal {
	char directory[TEMPORARY_MAX];
	char path[TEMPORARY_MAX + 10];
	int fd;
};

static void journal_prepare(struct journal *journal)
{
	assert_non_null(make_temporary(journal->directory));
	(void)snprintf(journal->path, sizeof(journal->path), "%s/socket", journal->directory);
	journal->fd = -1;
}

static void journal_listen(struct journal *journal)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, journal->path);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_return_code(journal->fd, 0);
	assert_return_code(bind(journal->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void journal_done(struct journal *journal)
{
	tw_close(journal->fd);
	(void)unlink(journal->path);
	(void)rmdir(journal->directory);
}

/* The next datagram; *ret_fd is the descriptor in it, or -1. */
static ssize_t journal_read(const struct journal *journal, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = { .iov_base = got, .iov_len = sizeof(got) - 1 };
	struct msghdr header = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	ssize_t n = recvmsg(journal->fd, &header, MSG_CMSG_CLOEXEC);

	*ret_fd = -1;
	if (n >= 0 && CMSG_FIRSTHDR(&header))
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(int));
	got[n > 0 ? n : 0] = '\0';
	return n;
}

static void test_journal(void **state TW_UNUSED)
{
	static const struct tw_event event = { .kind = TW_EVENT_STOPPED, .reason = "two\nlines" };
	static const char expected[] = "MESSAGE\n\x13\0\0\0\0\0\0\0Stopped: two\nlines.\n"
				       "MESSAGE_ID=296e2e01887549feb5ba8f710efd259d\nPRIORITY=5\n"
				       "SYSLOG_IDENTIFIER=timewaitd\nTIMEWAITD_EVENT=stopped\n"
				       "TIMEWAITD_NAMESPACE=host\nTIMEWAITD_REASON\n\x09\0\0\0\0\0\0\0two\nlines\n";
	struct tw_record_sink *sink = NULL;
	struct journal journal;
	int fd;

	journal_prepare(&journal);
	assert_int_equal(tw_record_sink_new(TW_LOG_JOURNAL, -1, journal.path, &sink), 0);
	/* journald is not there yet. */
	tell(sink, &stopped);
	tell(sink, &stopped);
	assert_int_equal(sink->dropped, 2);
	journal_listen(&journal);
	tell(sink, &stopped);
	assert_true(journal_read(&journal, &fd) > 0);
	assert_non_null(strstr(got, "\nTIMEWAITD_DROPPED=2\n"));

	tell(sink, &event);
	assert_int_equal(journal_read(&journal, &fd), sizeof(expected) - 1);
	assert_memory_equal(got, expected, sizeof(expected) - 1);
	assert_int_equal(fd, -1);
	assert_int_equal(sink->dropped, 2);
	tw_record_sink_free(sink);
	journal_done(&journal);
}

/* journald is stopped: its socket is there, and nobody reads it. */
static void test_full_journal(void **state TW_UNUSED)
{
	struct tw_record_sink *sink = NULL;
	struct journal journal;
	uint64_t through = 0;
	int fd;

	journal_prepare(&journal);
	journal_listen(&journal);
	assert_int_equal(tw_record_sink_new(TW_LOG_JOURNAL, -1, journal.path, &sink), 0);
	while (sink->dropped == 0 && through < RECORDS_MAX) {
		tell(sink, &big);
		through++;
	}
	assert_in_range(through, 2, RECORDS_MAX - 1);
	through--;
	tell(sink, &big);
	for (uint64_t i = 0; i < through; i++)
		assert_true(journal_read(&journal, &fd) > 0);
	assert_int_equal(journal_read(&journal, &fd), -1);
	tell(sink, &stopped);
	assert_true(journal_read(&journal, &fd) > 0);
	assert_non_null(strstr(got, "\nTIMEWAITD_DROPPED=2\n"));
	tw_record_sink_free(sink);
	journal_done(&journal);
}

/* Bigger than the send buffer: the same bytes in a sealed file. */
static void test_journal_by_file(void **state TW_UNUSED)
{
	static char whole[TW_RECORD_BYTES_MAX];
	struct tw_record_sink *sink = NULL;
	struct journal journal;
	ssize_t length;
	int small = 1, fd;

	journal_prepare(&journal);
	journal_listen(&journal);
	assert_int_equal(tw_record_sink_new(TW_LOG_JOURNAL, -1, journal.path, &sink), 0);
	tell(sink, &big);
	length = journal_read(&journal, &fd);
	assert_in_range(length, 8192, sizeof(whole));
	assert_int_equal(fd, -1);
	memcpy(whole, got, (size_t)length);

	assert_return_code(setsockopt(sink->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	tell(sink, &big);
	assert_int_equal(journal_read(&journal, &fd), 0);
	assert_return_code(fd, 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(pread(fd, got, sizeof(got), 0), length);
	assert_memory_equal(got, whole, (size_t)length);
	tw_close(fd);
	tw_record_sink_free(sink);
	journal_done(&journal);
}

/* Whose the last words are is found out by journald while their process lives. */
static void test_the_end_waits_for_journal(void **state TW_UNUSED)
{
	struct tw_record_sink *sink = NULL;
	struct journal journal;
	int fd, status;
	pid_t reader;

	journal_prepare(&journal);
	journal_listen(&journal);
	assert_int_equal(tw_record_sink_new(TW_LOG_JOURNAL, -1, journal.path, &sink), 0);
	tell(sink, &stopped);
	reader = fork();
	if (reader == 0) {
		(void)usleep(20000);
		_exit(journal_read(&journal, &fd) > 0 ? 0 : 1);
	}
	assert_true(reader > 0);
	tw_record_sink_free(sink);
	assert_int_equal(recv(journal.fd, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	journal_done(&journal);
}

static void test_journal_path(void **state TW_UNUSED)
{
	static char path[200];
	struct tw_record_sink *sink = NULL;

	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(tw_record_sink_new(TW_LOG_JOURNAL, -1, path, &sink), 0);
	tell(sink, &stopped);
	assert_int_equal(sink->dropped, 1);
	tw_record_sink_free(sink);
}

static void make_big(void)
{
	crowded = sample;
	/* Each table as long as a table of a record gets. */
	crowded.survey.top_count = TW_TOP_MAX;
	crowded.accepting.row_count = TW_TOP_MAX;
	crowded.close_wait.row_count = TW_TOP_MAX;
	for (unsigned i = 0; i < TW_TOP_MAX; i++) {
		memset(&crowded.survey.top[i], 0xff, sizeof(crowded.survey.top[i]));
		crowded.survey.top[i].bound_first_known = true;
		crowded.survey.top[i].reuse_refuted = true;
		crowded.survey.top[i].port_eta = tw_value_of(INT64_MAX);
		crowded.survey.top[i].port_use = tw_value_of(INT64_MAX);
		memset(&crowded.accepting.rows[i], 0xff, sizeof(crowded.accepting.rows[i]));
		crowded.accepting.rows[i].connections = (struct tw_count){ UINT64_MAX, true };
		crowded.accepting.rows[i].time_wait = (struct tw_count){ UINT64_MAX, true };
		crowded.close_wait.rows[i] = crowded.close_wait.rows[0];
	}
	big.kind = TW_EVENT_RAISED;
	big.sample = &crowded;
	big.top = TW_TOP_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal),		cmocka_unit_test(test_full_journal),
		cmocka_unit_test(test_journal_by_file), cmocka_unit_test(test_the_end_waits_for_journal),
		cmocka_unit_test(test_journal_path),
	};

	make_big();
	(void)alarm(PATIENCE_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
