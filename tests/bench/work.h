/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

/*
 * What one piece of work took. The processor's time is that of all threads, in user and kernel mode together, from the
 * scheduler's own clock; how it divides into the two is sampled by ticks on most kernels, and coarse.
 */
struct work_clock {
	uint64_t cpu_ns, wall_ns;
	uint64_t user_us, system_us;
};

static inline uint64_t work_clock_ns(clockid_t id)
{
	struct timespec now = { 0 };

	(void)clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t work_clock_us(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

static inline struct work_clock work_clock_read(void)
{
	struct rusage usage = { 0 };

	(void)getrusage(RUSAGE_SELF, &usage);
	return (struct work_clock){
		.user_us = work_clock_us(usage.ru_utime),
		.system_us = work_clock_us(usage.ru_stime),
		.wall_ns = work_clock_ns(CLOCK_MONOTONIC),
		.cpu_ns = work_clock_ns(CLOCK_PROCESS_CPUTIME_ID),
	};
}

/* One line of JSON: what passed since `began`, over `times` repetitions, and the members in `more` (", \"x\": 1"). */
static inline void work_clock_print(const struct work_clock *began, unsigned times, const char *more)
{
	struct work_clock now = work_clock_read();

	printf("{\"cpu_ns\": %" PRIu64 ", \"wall_ns\": %" PRIu64 ", \"user_ns\": %" PRIu64 ", \"system_ns\": %" PRIu64
	       "%s}\n",
	       (now.cpu_ns - began->cpu_ns) / times, (now.wall_ns - began->wall_ns) / times,
	       (now.user_us - began->user_us) * 1000 / times, (now.system_us - began->system_us) * 1000 / times, more);
	(void)fflush(stdout);
}
