/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Network namespaces as they are found, each once, and what they are called. */

/* Those beyond are not known: each takes memory and descriptors. */
#define TW_NETNS_MAX 4096u

struct tw_netns_found {
	struct tw_namespace namespace;
	bool named;			  /* under /run/netns, and called so */
	char file[TW_NAMESPACE_NAME_MAX]; /* its name there, whatever was put behind that in `namespace` */
	uint64_t pid;			  /* a process in it; 0 where it was found by name alone */
};

struct tw_netns_list {
	struct tw_netns_found *rows; /* by their inodes, once sorted; owned */
	unsigned count, room;
	unsigned beyond; /* sightings that there was no room for */
};

/* Zero is empty. */
void tw_netns_list_done(struct tw_netns_list *list);
void tw_netns_list_clear(struct tw_netns_list *list);

/* The row of this inode, or NULL. */
struct tw_netns_found *tw_netns_list_find(const struct tw_netns_list *list, uint64_t inode);

/* A name under /run/netns. Of several for one namespace the first in the order of bytes is kept. Returns 0 or -ENOMEM.
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
