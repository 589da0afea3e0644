/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process.h"

#include "base/fd.h"

#include <sys/random.h>
#include <time.h>

usec_t tw_process_now(void)
{
	return tw_clock_read(CLOCK_MONOTONIC);
}

usec_t tw_process_thread_cpu(void)
{
	return tw_clock_read(CLOCK_THREAD_CPUTIME_ID);
}

struct tw_time tw_process_time(void)
{
	return (struct tw_time){
		.now_usec = tw_clock_read(CLOCK_MONOTONIC),
		.cpu_usec = tw_process_thread_cpu(),
	};
}

usec_t tw_process_realtime(void)
{
	return tw_clock_read(CLOCK_REALTIME);
}

static struct tw_time read_clock(struct tw_clock *clock TW_UNUSED)
{
	return tw_process_time();
}

struct tw_clock *tw_process_clock(void)
{
	static struct tw_clock clock = { .read = read_clock };

	return &clock;
}

int tw_process_secret(struct tw_hash_key *ret)
{
	ssize_t n = getrandom(ret, sizeof(*ret), 0);

	return n == (ssize_t)sizeof(*ret) ? 0 : tw_errno();
}
