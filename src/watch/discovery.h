/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/kernel-source.h"
#include "watch/recover.h"
#include "watch/watch.h"
#include "model/settings.h"

#include <stdbool.h>

/* The other network namespaces of this machine, as the registry needs them: the kernel's, or a list in the tests. */
struct tw_discovery {
	/* Begins to look, for those with a name alone or for those with a process too. */
	void (*look)(struct tw_discovery *discovery, bool processes);

	/* A part of it, in any thread. Returns 1 while there is more to do, 0 at the end, or -errno. */
	int (*step)(struct tw_discovery *discovery);

	/* What was found: this one, with whether it has a name of its own. NULL beyond the last. Borrows until the next
	 * look. */
	const struct tw_namespace *(*found)(struct tw_discovery *discovery, unsigned index, bool *ret_named);

	/* Whether most processes could not be asked where they are. */
	bool (*denied)(struct tw_discovery *discovery);

	/* Opens this one. Returns 0, -ENOENT or -ESTALE where it is gone by now, -EPERM where it may not be entered,
	 * -errno. */
	int (*open)(struct tw_discovery *discovery, unsigned index, struct tw_watch_edges *ret);

	/* Lets go of what open() gave. */
	void (*close)(struct tw_discovery *discovery, const struct tw_watch_edges *edges);
};

/* What the edges of all of them lean on; everything borrows. */
struct tw_namespace_edges_ground {
	struct tw_host_edges *host;
	struct tw_source *kernel; /* of the host */
	struct tw_recorder *recorder;
};

/*
 * The kernel's. What it opens keeps its namespace alive, and most of it is opened when it is needed. Returns 0 or
 * -errno.
 */
int tw_kernel_discovery_new(const struct tw_namespace_edges_ground *ground, struct tw_discovery **ret);
struct tw_discovery *tw_kernel_discovery_free(struct tw_discovery *discovery);
