/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"

#include <stdbool.h>

/*
 * A thread beside the event loop, for what keeps the kernel busy: one system call of a dump may walk the whole table of
 * sockets, 80 ms for a million, and a ping or a reload would wait for it. It does one job at a time, step by step. What
 * the job touches belongs to it from start to take; everything else is the loop's alone, so nothing needs a lock.
 */
struct tw_worker;

/* One step of a job. Returns 1 while there is more to do, 0 at its end, or -errno, which ends it too. */
typedef int (*tw_worker_step)(void *context);

/* How a job ended. */
struct tw_worker_end {
	int result;	 /* 0; -errno of the step; -ECANCELED where it was given up */
	usec_t cpu_usec; /* CPU time that it took */
};

/* The thread takes no signal. Returns 0 or -errno of eventfd(2), pthread_create(3). */
int tw_worker_new(struct tw_worker **ret);

/* Gives up a job under way, and waits for the step that it is in. NULL is taken. */
struct tw_worker *tw_worker_free(struct tw_worker *worker);

/* Readable when a job has ended, until it is taken. Borrowed. */
int tw_worker_fd(const struct tw_worker *worker);

/* Starts a job. There must be none that has not been taken. `context` belongs to it until then. */
void tw_worker_start(struct tw_worker *worker, tw_worker_step step, void *context);

/* Asks the job under way to end after its present step. It still has to be taken. */
void tw_worker_give_up(struct tw_worker *worker);

/* Takes a job that has ended. Returns false while it has not. */
bool tw_worker_take(struct tw_worker *worker, struct tw_worker_end *ret);

/* Waits for the end of the job under way, and takes it; -ECANCELED where there is none. */
void tw_worker_wait(struct tw_worker *worker, struct tw_worker_end *ret);
