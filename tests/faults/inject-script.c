/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/*
 * The test's script and its time. When the loop has nothing to do and the worker neither, the clock jumps to the next
 * timer: a run takes milliseconds, and each one meets the same calls.
 */

#define FDS_MAX 512
#define TICKS_PER_PHASE 6
/* A daemon that goes on so long after SIGTERM does not stop. */
#define TICKS_MAX 50
/* A loop that waits so long for the worker hangs. */
#define PATIENCE_ROUNDS 7000
#define SERVICE_PORT 2222
#define NSEC_PER_SEC 1000000000LL

static atomic_llong now_nsec; /* since a second after the boot */
/* By the worker, which has done those before; by the loop. */
static atomic_uint jobs_awaited, jobs_begun;
static long long due_nsec[FDS_MAX]; /* of timers by descriptor, in the time that the daemon sees; 0: none */
static unsigned ticks;		    /* in this phase */
static int script_fds[4], script_fd_count;

/* ---- the clock */

/* What the daemon sees stands still but for jumps: it neither ages nor uses CPU time while the machine is busy. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	long long nsec = NSEC_PER_SEC + atomic_load(&now_nsec);

	if (id == CLOCK_THREAD_CPUTIME_ID)
		nsec = 0;
	else if (id != CLOCK_MONOTONIC && id != CLOCK_BOOTTIME)
		return REAL(clock_gettime)(id, ret);
	ret->tv_sec = nsec / NSEC_PER_SEC;
	ret->tv_nsec = nsec % NSEC_PER_SEC;
	return 0;
}

/* One that is due fires at once, another when the time has jumped. */
static int set_timer(int fd)
{
	bool due = due_nsec[fd] > 0 && due_nsec[fd] <= NSEC_PER_SEC + atomic_load(&now_nsec);
	struct itimerspec spec = { .it_value.tv_nsec = due ? 1 : 0 };

	return REAL(timerfd_settime)(fd, 0, &spec, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
	FAIL_IF_TOLD("timerfd_settime", inject_name(fd), -1);
	if (fd < 0 || fd >= FDS_MAX || !(flags & TFD_TIMER_ABSTIME))
		return REAL(timerfd_settime)(fd, flags, new_value, old_value);
	due_nsec[fd] = new_value->it_value.tv_sec * NSEC_PER_SEC + new_value->it_value.tv_nsec;
	return set_timer(fd);
}

/* To the next timer that is set. Returns whether there is one. */
static bool jump(void)
{
	long long next_nsec = 0;

	for (int fd = 0; fd < FDS_MAX; fd++)
		if (due_nsec[fd] > 0 && (next_nsec == 0 || due_nsec[fd] < next_nsec))
			next_nsec = due_nsec[fd];
	if (next_nsec == 0)
		return false;
	if (next_nsec > NSEC_PER_SEC + atomic_load(&now_nsec))
		atomic_store(&now_nsec, next_nsec - NSEC_PER_SEC);
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (due_nsec[fd] > 0)
			(void)set_timer(fd);
	return true;
}

/* ---- the worker */

int sem_wait(sem_t *semaphore)
{
	if (!inject_is_loop())
		atomic_fetch_add(&jobs_awaited, 1);
	return REAL(sem_wait)(semaphore);
}

int sem_post(sem_t *semaphore)
{
	if (inject_is_loop())
		atomic_fetch_add(&jobs_begun, 1);
	return REAL(sem_post)(semaphore);
}

/* ---- the script */

static void keep(int fd)
{
	if (fd >= 0)
		script_fds[script_fd_count++] = fd;
}

static int make_listener(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int server = REAL(socket)(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)REAL(bind)(server, (struct sockaddr *)address, sizeof(*address));
	(void)listen(server, 8);
	(void)REAL(getsockname)(server, (struct sockaddr *)address, &length);
	return server;
}

/* A service below the range of ports, which a wider range has to spare. */
static void make_service(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(SERVICE_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	keep(make_listener(&address));
}

/* A server that forgets a connection: it listens, and holds one in CLOSE-WAIT. */
static void make_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = make_listener(&address);
	int client = REAL(socket)(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)REAL(connect)(client, (struct sockaddr *)&address, sizeof(address));
	keep(accept4(server, NULL, NULL, SOCK_CLOEXEC));
	(void)REAL(close)(client);
	keep(server);
}

void inject_script_done(void)
{
	while (script_fd_count > 0)
		(void)REAL(close)(script_fds[--script_fd_count]);
}

/* In the namespace that the daemon watches, which may be another one than its own. */
static void make_there(void (*make)(void))
{
	const char *theatre = getenv("TW_FAULT_NAMESPACE");
	int home = theatre ? REAL(open)("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
	int there = theatre ? REAL(open)(theatre, O_RDONLY | O_CLOEXEC) : -1;

	if (theatre && REAL(setns)(there, CLONE_NEWNET) < 0)
		_exit(INJECT_MISUSED);
	make();
	if (theatre && REAL(setns)(home, CLONE_NEWNET) < 0)
		_exit(INJECT_MISUSED);
	if (theatre) {
		(void)REAL(close)(home);
		(void)REAL(close)(there);
	}
}

static void next_phase(void)
{
	ticks = 0;
	switch (++inject_phase) {
	case PHASE_TICK:
		make_there(make_service);
		break;
	case PHASE_RAISE:
		make_there(make_server);
		break;
	case PHASE_RELOAD:
		(void)kill(getpid(), SIGHUP);
		break;
	case PHASE_STOP:
		(void)kill(getpid(), SIGTERM);
		break;
	case PHASE_START:
	case PHASE_COUNT:
		break;
	}
}

void inject_idle(void)
{
	inject_inside++;
	if (inject_phase == PHASE_START || (ticks >= TICKS_PER_PHASE && inject_phase < PHASE_STOP))
		next_phase();
	/* Without a timer it would wait for ever: the script ends it, and the test sees what has not been done. */
	else if (jump())
		ticks++;
	else if (inject_phase < PHASE_STOP)
		next_phase();
	if (ticks > TICKS_MAX)
		_exit(INJECT_STUCK);
	inject_inside--;
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
	int n;

	FAIL_IF_TOLD("epoll_wait", "", -1);
	if (timeout == 0)
		return REAL(epoll_wait)(fd, events, room, 0);
	for (unsigned round = 0; round < PATIENCE_ROUNDS; round++) {
		bool idle = atomic_load(&jobs_awaited) > atomic_load(&jobs_begun) || inject_phase == PHASE_START;

		n = REAL(epoll_wait)(fd, events, room, idle ? 0 : 2);
		if (n != 0)
			return n;
		if (idle)
			inject_idle();
	}
	_exit(INJECT_STUCK);
}

/* What newer versions of libsystemd call. */
int epoll_pwait2(int fd, struct epoll_event *events, int room, const struct timespec *timeout, const sigset_t *mask)
{
	(void)mask;
	return epoll_wait(fd, events, room, timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0 ? 0 : -1);
}

int epoll_create1(int flags)
{
	int fd;

	FAIL_IF_TOLD("epoll_create1", "", -1);
	fd = REAL(epoll_create1)(flags);
	inject_opened(fd, "epoll");
	return fd;
}

int epoll_ctl(int fd, int operation, int about, struct epoll_event *event)
{
	FAIL_IF_TOLD("epoll_ctl", inject_name(about), -1);
	return REAL(epoll_ctl)(fd, operation, about, event);
}

int timerfd_create(int clock, int flags)
{
	int fd;

	FAIL_IF_TOLD("timerfd_create", "", -1);
	fd = REAL(timerfd_create)(clock, flags);
	inject_opened(fd, "timerfd");
	if (fd >= 0 && fd < FDS_MAX)
		due_nsec[fd] = 0;
	return fd;
}
