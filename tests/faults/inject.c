/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MAX 48
#define POINTS_MAX 8192
#define NAME_MAX_BYTES 160
#define FDS_MAX 512
#define MODULES_MAX 32

/* A call in a phase, on a thread, from a place, about something: what can fail. */
struct point {
	uint64_t hash;
	const char *phase, *thread, *function;
	char object[NAME_MAX_BYTES];
	unsigned count;
	unsigned frame_count;
	uint64_t frames[FRAMES_MAX]; /* module in the upper 16 bits, offset in the lower 48 */
};

struct module {
	char name[64];
	uintptr_t begin, end, base;
};

enum inject_phase inject_phase = PHASE_START;
const char *const inject_phase_names[PHASE_COUNT] = { "start", "tick", "raise", "reload", "stop" };
_Thread_local int inject_inside;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
bool inject_ready;
static struct module modules[MODULES_MAX];
static unsigned module_count, own_module;
static struct point points[POINTS_MAX];
static unsigned point_count, overflow;
static char names[FDS_MAX][NAME_MAX_BYTES];
static unsigned hits;

static struct {
	bool forever, fired;
	int error;
	char phase[16], thread[16], function[32], object[NAME_MAX_BYTES];
	uint64_t hash;
} target;

bool inject_is_loop(void)
{
	return getpid() == gettid();
}

void inject_count_hit(void)
{
	hits++;
}

/* ---- where a call comes from */

static int note_module(struct dl_phdr_info *info, size_t size, void *data)
{
	struct module *module = &modules[module_count];
	const char *name = strrchr(info->dlpi_name, '/');

	(void)size;
	(void)data;
	if (module_count == MODULES_MAX)
		return 1;
	module->base = info->dlpi_addr;
	module->begin = UINTPTR_MAX;
	(void)snprintf(module->name, sizeof(module->name), "%s",
		       info->dlpi_name[0] ? (name ? name + 1 : info->dlpi_name) : "timewaitd");
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		if (begin < module->begin)
			module->begin = begin;
		if (begin + info->dlpi_phdr[i].p_memsz > module->end)
			module->end = begin + info->dlpi_phdr[i].p_memsz;
	}
	if ((uintptr_t)&modules >= module->begin && (uintptr_t)&modules < module->end)
		own_module = module_count;
	module_count++;
	return 0;
}

uint64_t inject_fold(const void *address)
{
	uintptr_t at = (uintptr_t)address;

	for (uint64_t i = 0; i < module_count; i++)
		if (at >= modules[i].begin && at < modules[i].end)
			return i << 48 | (at - modules[i].base);
	return UINT64_MAX;
}

/* The chain of callers, without this library, and each place once: recursion makes no new point. */
static unsigned find_frames(uint64_t frames[FRAMES_MAX])
{
	void *addresses[FRAMES_MAX];
	int count = backtrace(addresses, FRAMES_MAX);
	unsigned kept = 0;

	for (int i = 0; i < count; i++) {
		uint64_t frame = inject_fold(addresses[i]);
		bool known = frame >> 48 == own_module || frame == UINT64_MAX;

		for (unsigned k = 0; k < kept && !known; k++)
			known = frames[k] == frame;
		if (!known)
			frames[kept++] = frame;
	}
	return kept;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3;
	return hash;
}

static uint64_t hash_point(const struct point *point)
{
	uint64_t hash = 0xcbf29ce484222325;

	hash = mix(hash, point->phase, strlen(point->phase));
	hash = mix(hash, point->thread, strlen(point->thread));
	hash = mix(hash, point->function, strlen(point->function));
	hash = mix(hash, point->object, strlen(point->object));
	return mix(hash, point->frames, point->frame_count * sizeof(*point->frames));
}

static void note_point(const struct point *point)
{
	for (unsigned i = 0; i < point_count; i++)
		if (points[i].hash == point->hash) {
			points[i].count++;
			return;
		}
	if (point_count == POINTS_MAX) {
		overflow++;
		return;
	}
	points[point_count] = *point;
	points[point_count++].count = 1;
}

static bool is_near_target(const char *phase, const char *thread, const char *function, const char *object)
{
	return strcmp(target.function, function) == 0 && strcmp(target.thread, thread) == 0 &&
	       strcmp(target.object, object) == 0 && (target.fired || strcmp(target.phase, phase) == 0);
}

/* For ever means: wherever it is about the same, from then on. */
static bool is_target(const struct point *point)
{
	if (target.fired)
		return target.forever;
	return point->hash == target.hash;
}

int inject_fault(const char *function, const char *object)
{
	static struct point point; /* guarded by the mutex */
	const char *phase = inject_phase_names[inject_phase];
	const char *thread = inject_is_loop() ? "loop" : "worker";
	int saved = errno, error = 0;

	if (!inject_ready || inject_inside > 0)
		return 0;
	if (target.error != 0 && !is_near_target(phase, thread, function, object))
		return 0;
	inject_inside++;
	(void)pthread_mutex_lock(&mutex);
	memset(&point, 0, sizeof(point));
	point.phase = phase;
	point.thread = thread;
	point.function = function;
	(void)snprintf(point.object, sizeof(point.object), "%s", object);
	if (!target.fired) {
		point.frame_count = find_frames(point.frames);
		point.hash = hash_point(&point);
	}
	if (target.error == 0) {
		note_point(&point);
	} else if (is_target(&point)) {
		error = target.error;
		target.fired = true;
		hits++;
	}
	(void)pthread_mutex_unlock(&mutex);
	inject_inside--;
	errno = saved;
	return error;
}

/* ---- descriptors */

/* The digits behind the mark in the text become one. */
static void cut_number(char *text, const char *mark)
{
	char *at = strstr(text, mark), *end;

	if (!at)
		return;
	at += strlen(mark);
	end = at + strspn(at, "0123456789");
	if (end > at) {
		*at++ = 'N';
		memmove(at, end, strlen(end) + 1);
	}
}

/* The tree of cgroups is the machine's; the name of the namespace that is watched is the test's. */
void inject_tidy(char *ret, size_t size, const char *directory, const char *path)
{
	const char *home = getenv("TW_FAULT_HOME"), *theatre = getenv("TW_FAULT_NAMESPACE");
	char whole[512];
	size_t length = home ? strlen(home) : 0;

	(void)snprintf(whole, sizeof(whole), "%s%s%s", path[0] == '/' ? "" : directory, path[0] == '/' ? "" : "/",
		       path);
	if (length > 0 && strncmp(whole, home, length) == 0)
		(void)snprintf(ret, size, "~%s", whole + length);
	else if (strncmp(whole, "/sys/fs/cgroup", 14) == 0)
		(void)snprintf(ret, size, "/sys/fs/cgroup");
	else if (theatre && strcmp(whole, theatre) == 0)
		(void)snprintf(ret, size, "/run/netns/there");
	else if (strncmp(whole, "/run/netns/", 11) == 0)
		(void)snprintf(ret, size, "/run/netns/other");
	else
		(void)snprintf(ret, size, "%s", whole);
	cut_number(ret, "ledger-");
	for (char *c = ret; *c; c++)
		if (*c == ' ' || *c == '\n' || *c == '\t')
			*c = '_';
}

void inject_opened(int fd, const char *name)
{
	if (fd >= 0 && fd < FDS_MAX && inject_inside == 0)
		(void)snprintf(names[fd], NAME_MAX_BYTES, "%s", name);
}

void inject_closed(int fd)
{
	if (fd >= 0 && fd < FDS_MAX)
		names[fd][0] = '\0';
}

const char *inject_name(int fd)
{
	return fd >= 0 && fd < FDS_MAX && names[fd][0] ? names[fd] : "unknown";
}

/* ---- begin and end */

void inject_report_frames(int fd, const uint64_t *frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		dprintf(fd, "%s%s+%#lx", i > 0 ? "," : "", modules[frames[i] >> 48].name,
			(unsigned long)(frames[i] & 0xffffffffffff));
	dprintf(fd, "\n");
}

static void report(int to)
{
	for (unsigned i = 0; i < point_count; i++) {
		const struct point *point = &points[i];

		dprintf(to, "point\t%s\t%s\t%s\t%s\t%lx\t", point->phase, point->thread, point->function, point->object,
			(unsigned long)point->hash);
		inject_report_frames(to, point->frames, point->frame_count);
	}
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (names[fd][0] && fd > 2)
			dprintf(to, "descriptor\t%d\t%s\n", fd, names[fd]);
	inject_report_memory(to);
	dprintf(to, "end\t%s\t%u\t%u\n", inject_phase_names[inject_phase], hits, overflow);
}

static void read_target(void)
{
	const char *text = getenv("TW_FAULT");
	char mode[16] = "";

	if (!text)
		return;
	if (sscanf(text, "%15s %d %15s %15s %31s %lx %159s", mode, &target.error, target.phase, target.thread,
		   target.function, (unsigned long *)&target.hash, target.object) < 6)
		_exit(INJECT_MISUSED);
	target.forever = strcmp(mode, "forever") == 0;
}

__attribute__((constructor)) static void begin(void)
{
	void *frames[2];

	inject_inside++;
	(void)backtrace(frames, 2); /* loads what it needs */
	(void)dl_iterate_phdr(note_module, NULL);
	read_target();
	for (int fd = 0; fd < 3; fd++)
		(void)snprintf(names[fd], NAME_MAX_BYTES, "standard%d", fd);
	inject_inside--;
	inject_ready = true;
}

extern void __libc_freeres(void);

/* What libc keeps for itself is no leak. */
__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("TW_FAULT_REPORT");
	int fd;

	(void)fflush(NULL);
	__libc_freeres();
	inject_ready = false;
	inject_inside++;
	inject_script_done();
	fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		_exit(INJECT_MISUSED);
	report(fd);
}
