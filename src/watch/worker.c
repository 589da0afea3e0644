/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/worker.h"

#include "base/clock-source.h"
#include "base/fd.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A dump needs a few KiB of stack; the look-up of a unit some path names. */
#define TW_WORKER_STACK (256 * 1024)

enum phase {
	PHASE_IDLE,
	PHASE_JOB,
	PHASE_ENDED, /* and not taken yet */
	PHASE_QUIT,
};

struct tw_worker {
	pthread_t thread;
	pthread_mutex_t mutex; /* guards phase; the rest follows it from hand to hand */
	pthread_cond_t changed;
	enum phase phase;
	atomic_bool given_up;
	tw_worker_step step;
	void *context;
	struct tw_worker_end end;
	int event_fd;
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

static void change(struct tw_worker *worker, enum phase phase)
{
	worker->phase = phase;
	(void)pthread_cond_broadcast(&worker->changed);
}

static void signal_end(struct tw_worker *worker)
{
	const uint64_t one = 1;

	/* It cannot be full, and has no other way to fail. */
	(void)!write(worker->event_fd, &one, sizeof(one));
}

static void *work(void *argument)
{
	struct tw_worker *worker = argument;

	(void)pthread_mutex_lock(&worker->mutex);
	while (worker->phase != PHASE_QUIT) {
		if (worker->phase != PHASE_JOB) {
			(void)pthread_cond_wait(&worker->changed, &worker->mutex);
			continue;
		}
		(void)pthread_mutex_unlock(&worker->mutex);
		do_job(worker);
		(void)pthread_mutex_lock(&worker->mutex);
		change(worker, PHASE_ENDED);
		signal_end(worker);
	}
	(void)pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

/* Signals are the loop's: a new thread takes over what its maker blocks. */
static int start_thread(struct tw_worker *worker)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	r = pthread_attr_init(&attributes);
	if (r != 0)
		return -r;
	(void)pthread_attr_setstacksize(&attributes, TW_WORKER_STACK);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, &attributes, work, worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return -r;
}

int tw_worker_new(struct tw_worker **ret)
{
	struct tw_worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	(void)pthread_mutex_init(&worker->mutex, NULL);
	(void)pthread_cond_init(&worker->changed, NULL);
	worker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = worker->event_fd < 0 ? tw_errno() : start_thread(worker);
	if (r < 0) {
		if (worker->event_fd >= 0)
			(void)close(worker->event_fd);
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
		(void)pthread_mutex_lock(&worker->mutex);
		change(worker, PHASE_QUIT);
		(void)pthread_mutex_unlock(&worker->mutex);
		(void)pthread_join(worker->thread, NULL);
		(void)pthread_cond_destroy(&worker->changed);
		(void)pthread_mutex_destroy(&worker->mutex);
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
	atomic_store(&worker->given_up, false);
	(void)pthread_mutex_lock(&worker->mutex);
	change(worker, PHASE_JOB);
	(void)pthread_mutex_unlock(&worker->mutex);
}

void tw_worker_give_up(struct tw_worker *worker)
{
	atomic_store(&worker->given_up, true);
}

/* With the mutex held, and the job ended. */
static void take(struct tw_worker *worker, struct tw_worker_end *ret)
{
	uint64_t count;

	*ret = worker->end;
	worker->phase = PHASE_IDLE;
	(void)!read(worker->event_fd, &count, sizeof(count));
}

bool tw_worker_take(struct tw_worker *worker, struct tw_worker_end *ret)
{
	bool ended;

	(void)pthread_mutex_lock(&worker->mutex);
	ended = worker->phase == PHASE_ENDED;
	if (ended)
		take(worker, ret);
	(void)pthread_mutex_unlock(&worker->mutex);
	return ended;
}

void tw_worker_wait(struct tw_worker *worker, struct tw_worker_end *ret)
{
	*ret = (struct tw_worker_end){ .result = -ECANCELED };
	(void)pthread_mutex_lock(&worker->mutex);
	while (worker->phase == PHASE_JOB)
		(void)pthread_cond_wait(&worker->changed, &worker->mutex);
	if (worker->phase == PHASE_ENDED)
		take(worker, ret);
	(void)pthread_mutex_unlock(&worker->mutex);
}
