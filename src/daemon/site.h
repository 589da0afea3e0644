/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger-store.h"
#include "base/macros.h"
#include "daemon/recover.h"
#include "daemon/watch.h"
#include "measure/kernel-source.h"
#include "model/namespace.h"

/*
 * The world around the watch of another network namespace than the host's: it is entered where something has to be
 * opened or written there, and left at once. Most of it is opened when it is needed. Keeps the namespace alive.
 */
struct tw_site;

/* What all sites lean on; everything borrows. */
struct tw_site_ground {
	struct tw_grip *grip;
	struct tw_kernel_source *host;
	struct tw_recorder *recorder;
	int home_fd; /* of the host's network namespace */
};

/* `netns_fd` is consumed. Returns 0, -ENOMEM or -errno: of what leads into the namespace, or of what is opened there.
 */
int tw_site_new(const struct tw_site_ground *ground, const struct tw_namespace *namespace, int netns_fd,
		struct tw_site **ret);
struct tw_site *tw_site_free(struct tw_site *site);
TW_DEFINE_CLEANUP(struct tw_site, tw_site_free)
#define TW_CLEANUP_SITE TW_CLEANUP(tw_site_freep)

/* What tells its namespace from others. */
const struct tw_netns_id *tw_site_id(const struct tw_site *site);

/* For tw_watch_init(). Borrows from the site. */
struct tw_watch_edges tw_site_edges(struct tw_site *site);

/* The name of the ledger of this namespace, in the state directory. */
void tw_site_ledger_name(uint64_t inode, char ret[TW_LEDGER_FILE_NAME_MAX]);

/* Puts back what the ledger holds, in this namespace. Returns 0 or -errno of what stays owed. */
int tw_site_recover(struct tw_site *site, const struct tw_ledger *ledger, const char *name);
