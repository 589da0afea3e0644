/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What tells a network namespace from every other. */
struct tw_netns_id {
	uint64_t inode;	 /* of its file; given anew once the namespace is gone */
	uint64_t cookie; /* never given again in this boot; 0 where the kernel does not tell it (before Linux 5.14) */
};

/* Where one cookie is not known, the inode has to do. */
static inline bool tw_netns_same(const struct tw_netns_id *a, const struct tw_netns_id *b)
{
	return a->inode == b->inode && (a->cookie == b->cookie || a->cookie == 0 || b->cookie == 0);
}
