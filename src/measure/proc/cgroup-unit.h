/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/flow.h"

#include <limits.h>
#include <stddef.h>

/*
 * The systemd unit that a cgroup belongs to, by its path below the root of cgroup2: the last component that is a
 * service, scope, socket, mount, swap or slice; else the last component, which is a container's where no systemd
 * manages it; "-.slice" for the root. As the kernel has it: nothing is unescaped.
 */
void tw_cgroup_unit(const char *path, size_t length, char ret[TW_UNIT_MAX]);

/*
 * Where cgroup2 is mounted, out of the text of /proc/self/mountinfo (proc_pid_mountinfo(5)); its whole tree rather than
 * a part of it. Returns 0; -ENOENT where it is not; -ENAMETOOLONG where its path does not fit.
 */
int tw_cgroup_find_mount(const char *text, size_t length, char ret_path[PATH_MAX]);
