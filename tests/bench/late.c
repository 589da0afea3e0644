/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * late: how long this machine lets a process wait that wants nothing but to wake up. It sleeps 2 ms at a time, and each
 * line on stdin asks how late it was at the worst since the line before: no program could have done better in that
 * time.
 */
#include "bench/work.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SLEEP_NS 2000000

static uint64_t sleep_once(void)
{
	const struct timespec span = { .tv_nsec = SLEEP_NS };
	uint64_t began_ns = work_clock_ns(CLOCK_MONOTONIC), took_ns;

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
	took_ns = work_clock_ns(CLOCK_MONOTONIC) - began_ns;
	return took_ns > SLEEP_NS ? took_ns - SLEEP_NS : 0;
}

int main(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t worst_ns = 0, wakes = 0;
	char line[32];

	for (;;) {
		uint64_t late_ns = sleep_once();

		wakes++;
		worst_ns = late_ns > worst_ns ? late_ns : worst_ns;
		if (poll(&input, 1, 0) <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return EXIT_SUCCESS;
		printf("{\"wakes\": %" PRIu64 ", \"worst_ns\": %" PRIu64 "}\n", wakes, worst_ns);
		(void)fflush(stdout);
		wakes = worst_ns = 0;
	}
}
