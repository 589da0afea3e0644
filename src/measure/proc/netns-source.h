/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "measure/proc/netns-list.h"

#include <stdbool.h>

/*
 * Which network namespaces there are: those with a name under /run/netns, and those that a process is in. To see a
 * process of somebody else takes CAP_SYS_PTRACE.
 */
struct tw_netns_source;

/* Where to look: "/run/netns" and "/proc", or stand-ins for them. */
struct tw_netns_paths {
	const char *names, *processes; /* borrow */
};
extern const struct tw_netns_paths tw_netns_paths;

/* The namespace of the calling thread is the host's, which is not among what is found. Returns 0, -ENOMEM or -errno. */
int tw_netns_source_new(const struct tw_netns_paths *paths, struct tw_netns_source **ret);
struct tw_netns_source *tw_netns_source_free(struct tw_netns_source *source);
TW_DEFINE_CLEANUP(struct tw_netns_source, tw_netns_source_free)
#define TW_CLEANUP_NETNS_SOURCE TW_CLEANUP(tw_netns_source_freep)

/* Begins to look, for names alone or for processes too; what was found before is forgotten. */
void tw_netns_source_begin(struct tw_netns_source *source, bool processes);

/* A part of it: some dozens of names or processes. Returns 1 while there is more to do, 0 at the end, or -errno. */
int tw_netns_source_step(struct tw_netns_source *source);

/* After the last step; stands until the next begin. */
const struct tw_netns_list *tw_netns_source_found(const struct tw_netns_source *source);

/*
 * Whether most processes may not be asked where they are: that takes CAP_SYS_PTRACE. Some may be refused to everybody.
 */
bool tw_netns_source_is_denied(const struct tw_netns_source *source);

/*
 * Opens one that was found, by its name or by its process. Returns 0; -ENOENT or -ESTALE where it is not there any
 * more; -errno of open(2).
 */
int tw_netns_source_open(const struct tw_netns_source *source, const struct tw_netns_found *found, int *ret_fd);
