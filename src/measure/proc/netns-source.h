/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- network namespaces as they are found, each once, and what they are called; this is pure */

/* Those beyond are not known: each takes memory and descriptors. */
#define TW_NETNS_MAX 4096u

struct tw_netns_found {
	struct tw_namespace namespace;
	bool named;			  /* under /run/netns, and called so */
	char file[TW_NAMESPACE_NAME_MAX]; /* its name there, whatever was put behind that in `namespace` */
	uint64_t pid;			  /* a process in it; 0 where it was found by name alone */
};

/* Zero is empty. */
struct tw_netns_list {
	struct tw_netns_found *rows; /* by their inodes; owned */
	unsigned count, room;
};

/* The row of this inode, or NULL. */
struct tw_netns_found *tw_netns_list_find(const struct tw_netns_list *list, uint64_t inode);

/*
 * A name under /run/netns; those are added before any process. Of several for one namespace the first in the order of
 * bytes is kept. Returns 0 or -ENOMEM.
 */
int tw_netns_list_add_name(struct tw_netns_list *list, uint64_t inode, const char *name);

/*
 * A process in it. Returns 1 where the namespace is new: then it wants a title, of that process, by
 * tw_netns_list_entitle(). 0 where it is known, or there is no room; -ENOMEM.
 */
int tw_netns_list_add_process(struct tw_netns_list *list, uint64_t inode, uint64_t pid);

/*
 * Calls a namespace without a name by the text of /proc/PID/cgroup of a process in it: after its systemd unit, else
 * after its cgroup; "netns" where neither is known.
 */
void tw_netns_list_entitle(struct tw_netns_list *list, uint64_t inode, const char *text, size_t length);

/* Once all are found: those that are called like another, or like the host, get "@INODE" behind their names. */
void tw_netns_list_tell_apart(struct tw_netns_list *list);

/* ---- how they are found */

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
