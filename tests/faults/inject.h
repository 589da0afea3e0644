/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A library to be preloaded into timewaitd: it knows every call that can fail, fails the one that it is told to, plays
 * the script of the test in a time of its own, and reports what was left open at the end. The environment says what:
 *
 *   TW_FAULT_HOME     the directory of the test, "~" in names
 *   TW_FAULT_REPORT   the file to write at the end
 *   TW_FAULT          "once" or "forever", error, phase, thread, function, object, hash; one space between
 *   TW_FAULT_NAMESPACE  where the script makes its sockets, if not where the daemon lives
 *   TW_FAULT_NETLINK  "once" or "forever", phase, and how answers of sock_diag are changed
 */

/* The script: the daemon's life in phases. */
enum inject_phase {
	PHASE_START,
	PHASE_TICK,
	PHASE_RAISE,
	PHASE_RELOAD,
	PHASE_STOP,
	PHASE_COUNT,
};

extern enum inject_phase inject_phase;
extern const char *const inject_phase_names[PHASE_COUNT];

/* Not an errno: the call does less than it was asked for. */
#define INJECT_SHORT 1000

/* Exit statuses of a daemon that does not stop, and of a test that is wrong. */
#define INJECT_STUCK 98
#define INJECT_MISUSED 99

/* While above 0 this thread's calls are the library's own. */
extern _Thread_local int inject_inside;

/* From the constructor to the end. */
extern bool inject_ready;

/* Notes the call; returns 0 or how it is to fail. `object`: what it is about, or "". */
int inject_fault(const char *function, const char *object);

/* A place in a module, the same in each run; UINT64_MAX for one that is in none. */
uint64_t inject_fold(const void *address);

/* For the report: such places, and what is left of memory. */
void inject_report_frames(int to, const uint64_t *frames, unsigned count);
void inject_report_memory(int to);

/* The book of descriptors. */
void inject_opened(int fd, const char *name);
void inject_closed(int fd);
const char *inject_name(int fd);

/* A path as it stands in points: nothing in it that changes from run to run. */
void inject_tidy(char *ret, size_t size, const char *directory, const char *path);

/* Whether this thread is the daemon's first. */
bool inject_is_loop(void);

/* The faults that were injected so far. */
void inject_count_hit(void);

/* Changes an answer of sock_diag in the buffer. Returns its length then, or -errno. */
long inject_netlink(void *buffer, long length);

/* Makes up an answer instead of the kernel's; `request` tells the last one. Returns its length, 0 for none. */
long inject_netlink_instead(void *buffer, size_t size);
void inject_netlink_request(const void *request, size_t length);

/* The script's part of a wait of the loop that would last: starts the next phase, or lets the time pass. */
void inject_idle(void);

/* The library's sockets, which belong to the script. */
void inject_script_done(void);

#define REAL(name)                                       \
	({                                               \
		static __typeof__(&name) real_;          \
		if (!real_)                              \
			real_ = dlsym(RTLD_NEXT, #name); \
		real_;                                   \
	})

#define FAIL_IF_TOLD(function, object, value)                \
	do {                                                 \
		int error_ = inject_fault(function, object); \
		if (error_ > 0 && error_ != INJECT_SHORT) {  \
			errno = error_;                      \
			return value;                        \
		}                                            \
	} while (0)
