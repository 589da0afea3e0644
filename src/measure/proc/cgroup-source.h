/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/flow.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The systemd unit that a cgroup belongs to, by its path below the root of cgroup2: the last component that is a
 * service, scope, socket, mount, swap or slice; else the last component, which is a container's where no systemd
 * manages it; "-.slice" for the root. As the kernel has it: nothing is unescaped. Pure.
 */
void tw_cgroup_unit(const char *path, size_t length, char ret[TW_UNIT_MAX]);

/*
 * Which unit a cgroup id is: the id is the inode of the cgroup's directory below the mount of cgroup2. The tree is
 * walked when an unknown id is asked for, and remembered.
 */
struct tw_cgroup_source;

/* Directories that a walk visits at most, and how deep: systemd with containers inside is at about 10. */
#define TW_CGROUP_DIRECTORIES_MAX 32768u
#define TW_CGROUP_DEPTH_MAX 32u

/*
 * `root` borrows: where cgroup2 is mounted; NULL: where /proc/self/mounts says, which is read when it is needed.
 * `directories_max`: see above. Returns NULL where memory is short.
 */
struct tw_cgroup_source *tw_cgroup_source_new(const char *root, unsigned directories_max);
struct tw_cgroup_source *tw_cgroup_source_free(struct tw_cgroup_source *source);
TW_DEFINE_CLEANUP(struct tw_cgroup_source, tw_cgroup_source_free)
#define TW_CLEANUP_CGROUP_SOURCE TW_CLEANUP(tw_cgroup_source_freep)

/* Allows one more walk; there is none else. */
void tw_cgroup_source_allow_walk(struct tw_cgroup_source *source);

/* The unit's name. Returns 0, or -ENOENT where it cannot be told: the cgroup is gone, out of sight, or not yet seen. */
int tw_cgroup_source_unit(struct tw_cgroup_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX]);
