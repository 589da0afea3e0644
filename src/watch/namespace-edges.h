/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger-store.h"
#include "base/macros.h"
#include "watch/recover.h"
#include "watch/watch.h"
#include "measure/kernel-source.h"
#include "model/settings.h"

/*
 * The world around the watch of another network namespace than the host's: it is entered where something has to be
 * opened or written there, and left at once. Most of it is opened when it is needed. Keeps the namespace alive.
 */
struct tw_namespace_edges;

/* What all edges lean on; everything borrows. */
struct tw_namespace_edges_ground {
	struct tw_host_edges *host;
	struct tw_kernel_source *kernel;
	struct tw_recorder *recorder;
};

/* `netns_fd` is consumed. Returns 0, -ENOMEM or -errno: of what leads into the namespace, or of what is opened there.
 */
int tw_namespace_edges_new(const struct tw_namespace_edges_ground *ground, const struct tw_namespace *namespace,
			   int netns_fd, struct tw_namespace_edges **ret);
struct tw_namespace_edges *tw_namespace_edges_free(struct tw_namespace_edges *edges);
TW_DEFINE_CLEANUP(struct tw_namespace_edges, tw_namespace_edges_free)
#define TW_CLEANUP_NAMESPACE_EDGES TW_CLEANUP(tw_namespace_edges_freep)

/* What tells its namespace from others. */
const struct tw_netns_id *tw_namespace_edges_id(const struct tw_namespace_edges *edges);

/* For tw_watch_init(). Borrows from the edges. */
struct tw_watch_edges tw_namespace_edges_for_watch(struct tw_namespace_edges *edges);

/* tw_reconcile_recover() in this namespace. */
int tw_namespace_edges_recover(struct tw_namespace_edges *edges, struct tw_ledger *ledger, const char *name);
