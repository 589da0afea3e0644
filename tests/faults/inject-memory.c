/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faults/inject.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* The calls that make and free memory, and the book of what is not freed. */

#define BLOCKS_MAX 65536

struct block {
	void *address;
	uint64_t site; /* who asked for it */
	size_t size;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct block blocks[BLOCKS_MAX]; /* a table by address */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *address, size_t size);
extern void __libc_free(void *address);

static unsigned slot_of(const void *address)
{
	return (unsigned)(((uintptr_t)address >> 4) * 2654435761u) % BLOCKS_MAX;
}

/* Removed ones leave a mark that is not NULL, so that the search goes on behind it. */
static char removed;

static void *remember(void *address, size_t size, const void *caller)
{
	if (!address || !inject_ready || inject_inside > 0)
		return address;
	inject_inside++;
	(void)pthread_mutex_lock(&mutex);
	for (unsigned i = 0, slot = slot_of(address); i < BLOCKS_MAX; i++, slot = (slot + 1) % BLOCKS_MAX)
		if (!blocks[slot].address || blocks[slot].address == &removed) {
			blocks[slot] = (struct block){ address, inject_fold(caller), size };
			break;
		}
	(void)pthread_mutex_unlock(&mutex);
	inject_inside--;
	return address;
}

static void forget(const void *address)
{
	if (!address || !inject_ready || inject_inside > 0)
		return;
	(void)pthread_mutex_lock(&mutex);
	for (unsigned i = 0, slot = slot_of(address); i < BLOCKS_MAX && blocks[slot].address;
	     i++, slot = (slot + 1) % BLOCKS_MAX)
		if (blocks[slot].address == address) {
			blocks[slot].address = &removed;
			break;
		}
	(void)pthread_mutex_unlock(&mutex);
}

void *malloc(size_t size)
{
	FAIL_IF_TOLD("malloc", "", NULL);
	return remember(__libc_malloc(size), size, __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
	FAIL_IF_TOLD("calloc", "", NULL);
	return remember(__libc_calloc(count, size), count * size, __builtin_return_address(0));
}

static void *resize(void *address, size_t size, const void *caller)
{
	void *fresh;

	forget(address);
	fresh = __libc_realloc(address, size);
	return remember(fresh ? fresh : address, size, caller) ? fresh : NULL;
}

void *realloc(void *address, size_t size)
{
	FAIL_IF_TOLD("realloc", "", NULL);
	return resize(address, size, __builtin_return_address(0));
}

void *reallocarray(void *address, size_t count, size_t size)
{
	FAIL_IF_TOLD("reallocarray", "", NULL);
	return resize(address, count * size, __builtin_return_address(0));
}

void free(void *address)
{
	forget(address);
	__libc_free(address);
}

void inject_report_memory(int to)
{
	for (unsigned i = 0; i < BLOCKS_MAX; i++) {
		if (!blocks[i].address || blocks[i].address == &removed)
			continue;
		dprintf(to, "memory\t%zu\t", blocks[i].size);
		inject_report_frames(to, &blocks[i].site, blocks[i].site != UINT64_MAX);
	}
}
