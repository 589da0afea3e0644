/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/worker.h"

#include "base/fd.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct tw_worker {
	pthread_t thread;
	sem_t started, ended; /* what is between goes from hand to hand with them */
	tw_worker_step step;  /* NULL: the thread is to end */
	void *context;
	struct tw_worker_end end;
	atomic_bool given_up;
	int event_fd;
	bool busy; /* the loop's: there is a job that has not been taken */
};

static void do_job(struct tw_worker *worker)
{
	usec_t before_usec = tw_clock_read(CLOCK_THREAD_CPUTIME_ID);
	int r = 1;

	while (r > 0 && !atomic_load(&worker->given_up))
		r = worker->step(worker->context);
	worker->end = (struct tw_worker_end){
		.result = r > 0 ? -ECANCELED : r,
		.cpu_usec = tw_usec_since(tw_clock_read(CLOCK_THREAD_CPUTIME_ID), before_usec),
	};
}

static void *work(void *argument)
{
	const uint64_t one = 1;
	struct tw_worker *worker = argument;

	for (;;) {
		while (sem_wait(&worker->started) < 0)
			;
		if (!worker->step)
			return NULL;
		do_job(worker);
		/* It cannot be full, and has no other way to fail. First: who waits for the end then empties it. */
		(void)!write(worker->event_fd, &one, sizeof(one));
		(void)sem_post(&worker->ended);
	}
}

/* Signals are the loop's: a new thread takes over what its maker blocks. */
static int start_thread(struct tw_worker *worker)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, NULL, work, worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int tw_worker_new(struct tw_worker **ret)
{
	struct tw_worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	(void)sem_init(&worker->started, 0, 0);
	(void)sem_init(&worker->ended, 0, 0);
	worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = worker->event_fd < 0 ? tw_errno() : start_thread(worker);
	if (r < 0) {
		(void)tw_close(worker->event_fd);
		free(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

struct tw_worker *tw_worker_free(struct tw_worker *worker)
{
	struct tw_worker_end end;

	if (worker) {
		tw_worker_give_up(worker);
		tw_worker_wait(worker, &end);
		tw_worker_start(worker, NULL, NULL);
		(void)pthread_join(worker->thread, NULL);
		(void)close(worker->event_fd);
		free(worker);
	}
	return NULL;
}

int tw_worker_fd(const struct tw_worker *worker)
{
	return worker->event_fd;
}

void tw_worker_start(struct tw_worker *worker, tw_worker_step step, void *context)
{
	worker->step = step;
	worker->context = context;
	worker->busy = true;
	atomic_store(&worker->given_up, false);
	(void)sem_post(&worker->started);
}

void tw_worker_give_up(struct tw_worker *worker)
{
	atomic_store(&worker->given_up, true);
}

/* With a job under way. */
static void await(struct tw_worker *worker, struct tw_worker_end *ret)
{
	while (sem_wait(&worker->ended) < 0)
		;
	*ret = worker->end;
	worker->busy = false;
}

bool tw_worker_take(struct tw_worker *worker, struct tw_worker_end *ret)
{
	uint64_t count;

	if (!worker->busy || read(worker->event_fd, &count, sizeof(count)) < 0)
		return false;
	await(worker, ret);
	return true;
}

void tw_worker_wait(struct tw_worker *worker, struct tw_worker_end *ret)
{
	uint64_t count;

	*ret = (struct tw_worker_end){ .result = -ECANCELED };
	if (!worker->busy)
		return;
	await(worker, ret);
	(void)!read(worker->event_fd, &count, sizeof(count));
}
