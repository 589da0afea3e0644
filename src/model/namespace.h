/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Longest name of a network namespace, with NUL: NAME_MAX of the kernel, for a file under /run/netns or a unit. */
#define TW_NAMESPACE_NAME_MAX 256

/* The name of the one that the daemon was started in. No other has it. */
#define TW_NAMESPACE_HOST "host"
/* In a list: each that there is. */
#define TW_NAMESPACE_ALL "all"

/* A network namespace that there is. */
struct tw_namespace {
	uint64_t id; /* inode of its file in nsfs; it is given anew once the namespace is gone and nobody holds it */
	char name[TW_NAMESPACE_NAME_MAX];
};

/* Puts "@ID" behind a name that another one has, too. */
void tw_namespace_tell_apart(struct tw_namespace *namespace);

/* Longest text of a list, with NUL: a line of the configuration. */
#define TW_NAMESPACE_LIST_MAX 200

/* Names of network namespaces as the configuration writes them, divided by blanks; may hold * and ?, as in fnmatch(3).
 */
struct tw_namespace_list {
	char words[TW_NAMESPACE_LIST_MAX];
};

/* Whether the list names this one: by its name, or as one of all. "*" is every other than the host's. */
bool tw_namespace_list_has(const struct tw_namespace_list *list, const char *name);

/* Whether the word stands in the list as it is. */
bool tw_namespace_list_says(const struct tw_namespace_list *list, const char *word);

/* Whether it can have some without a name under /run/netns: "all", and those with * or ? in them. */
bool tw_namespace_list_is_open(const struct tw_namespace_list *list);

/* Whether anything but the host's can be in it. */
bool tw_namespace_list_is_wide(const struct tw_namespace_list *list);
