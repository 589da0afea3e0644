/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdlib.h>

/* Number of elements of a true array. */
#define TW_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define TW_MIN(a, b) ((a) < (b) ? (a) : (b))
#define TW_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Runs the function on the variable's address when the variable leaves its scope. */
#define TW_CLEANUP(function) __attribute__((cleanup(function)))

#define TW_PRINTF(text_at, arguments_at) __attribute__((format(printf, text_at, arguments_at)))
#define TW_MUST_CHECK __attribute__((warn_unused_result))
#define TW_UNUSED __attribute__((unused))

/* Hands the pointer on and empties the variable that its cleanup watches. */
#define TW_TAKE_PTR(pointer)                            \
	({                                              \
		__typeof__(pointer) _taken = (pointer); \
		(pointer) = NULL;                       \
		_taken;                                 \
	})

/* The same for a descriptor. */
#define TW_TAKE_FD(fd)             \
	({                         \
		int _taken = (fd); \
		(fd) = -1;         \
		_taken;            \
	})

/* For a destructor `type *name(type *)` that takes NULL and returns NULL: defines `namep` for TW_CLEANUP. */
#define TW_DEFINE_CLEANUP(type, name)             \
	static inline void name##p(type **object) \
	{                                         \
		*object = name(*object);          \
	}

static inline void tw_freep(void *pointer)
{
	free(*(void **)pointer);
}
#define TW_CLEANUP_FREE TW_CLEANUP(tw_freep)
