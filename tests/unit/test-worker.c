/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/worker.h"

#include "base/macros.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

/* A job that counts its steps; what it does is up to each test. */
struct job {
	atomic_uint steps;
	unsigned wanted; /* 0: never ends by itself */
	int result;
	pthread_t thread;
	atomic_bool signalled;
};

static struct tw_worker *worker;
static struct job job;

static int begin(void **state TW_UNUSED)
{
	job = (struct job){ 0 };
	return tw_worker_new(&worker);
}

static int end(void **state TW_UNUSED)
{
	worker = tw_worker_free(worker);
	return 0;
}

static int step(void *context)
{
	struct job *mine = context;

	mine->thread = pthread_self();
	return atomic_fetch_add(&mine->steps, 1) + 1 == mine->wanted ? mine->result : 1;
}

static bool is_readable(int timeout_ms)
{
	struct pollfd event = { .fd = tw_worker_fd(worker), .events = POLLIN };

	return poll(&event, 1, timeout_ms) == 1;
}

static void test_one_job(void **state TW_UNUSED)
{
	struct tw_worker_end done;

	assert_false(tw_worker_take(worker, &done));
	assert_false(is_readable(0));
	job.wanted = 3;
	tw_worker_start(worker, step, &job);
	assert_true(is_readable(-1));
	assert_true(tw_worker_take(worker, &done));
	assert_int_equal(done.result, 0);
	assert_int_equal(job.steps, 3);
	assert_false(pthread_equal(job.thread, pthread_self()));
	/* Taken is taken. */
	assert_false(is_readable(0));
	assert_false(tw_worker_take(worker, &done));
}

static void test_a_failure_ends_it(void **state TW_UNUSED)
{
	struct tw_worker_end done;

	job.wanted = 2;
	job.result = -ENOBUFS;
	tw_worker_start(worker, step, &job);
	tw_worker_wait(worker, &done);
	assert_int_equal(done.result, -ENOBUFS);
	assert_int_equal(job.steps, 2);
}

static void test_jobs_in_a_row(void **state TW_UNUSED)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct tw_worker_end done;

		job.steps = 0;
		job.wanted = i % 3 + 1;
		tw_worker_start(worker, step, &job);
		if (i % 2 == 0)
			assert_true(is_readable(-1));
		tw_worker_wait(worker, &done);
		assert_int_equal(done.result, 0);
		assert_int_equal(job.steps, i % 3 + 1);
		assert_false(is_readable(0));
	}
}

static void test_given_up(void **state TW_UNUSED)
{
	struct tw_worker_end done;

	tw_worker_start(worker, step, &job);
	while (job.steps == 0)
		;
	tw_worker_give_up(worker);
	assert_true(is_readable(-1));
	assert_true(tw_worker_take(worker, &done));
	assert_int_equal(done.result, -ECANCELED);
	/* The next one is not. */
	job.steps = 0;
	job.wanted = 1;
	tw_worker_start(worker, step, &job);
	tw_worker_wait(worker, &done);
	assert_int_equal(done.result, 0);
}

static void test_freed_at_work(void **state TW_UNUSED)
{
	tw_worker_start(worker, step, &job);
	while (job.steps == 0)
		;
	worker = tw_worker_free(worker);
	assert_null(tw_worker_free(NULL));
}

static void test_wait_without_a_job(void **state TW_UNUSED)
{
	struct tw_worker_end done;

	tw_worker_wait(worker, &done);
	assert_int_equal(done.result, -ECANCELED);
}

/* 20 ms of its own CPU time, whatever the machine does besides. */
static int step_busy(void *context)
{
	struct timespec now;

	do
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while (now.tv_sec == 0 && now.tv_nsec < 20 * 1000 * 1000);
	return step(context);
}

static void test_cpu_time_is_told(void **state TW_UNUSED)
{
	struct tw_worker_end done;

	job.wanted = 1;
	tw_worker_start(worker, step_busy, &job);
	tw_worker_wait(worker, &done);
	assert_in_range(done.cpu_usec, 15 * TW_USEC_PER_MSEC, TW_USEC_PER_SEC);
}

static void on_signal(int number TW_UNUSED)
{
	job.signalled = true;
}

static int step_signal(void *context)
{
	sigset_t pending;

	/* To this thread alone: it stays pending. */
	(void)pthread_kill(pthread_self(), SIGUSR1);
	(void)sigpending(&pending);
	job.result = sigismember(&pending, SIGUSR1) == 1 && !job.signalled ? 0 : -EINTR;
	return step(context);
}

static void test_signals_are_not_its(void **state TW_UNUSED)
{
	struct tw_worker_end done;

	(void)signal(SIGUSR1, on_signal);
	job.wanted = 1;
	tw_worker_start(worker, step_signal, &job);
	tw_worker_wait(worker, &done);
	(void)signal(SIGUSR1, SIG_DFL);
	assert_int_equal(done.result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_job, begin, end),
		cmocka_unit_test_setup_teardown(test_a_failure_ends_it, begin, end),
		cmocka_unit_test_setup_teardown(test_jobs_in_a_row, begin, end),
		cmocka_unit_test_setup_teardown(test_given_up, begin, end),
		cmocka_unit_test_setup_teardown(test_freed_at_work, begin, end),
		cmocka_unit_test_setup_teardown(test_wait_without_a_job, begin, end),
		cmocka_unit_test_setup_teardown(test_cpu_time_is_told, begin, end),
		cmocka_unit_test_setup_teardown(test_signals_are_not_its, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
