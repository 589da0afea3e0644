/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger-store.h"
#include "act/sysctl-sink.h"
#include "base/text.h"
#include "model/event.h"

/* What acting needs of the machine, opened once: the state directory with its lock, the ledger, /proc/sys. */
struct tw_host_edges {
	struct tw_state_directory directory;
	struct tw_ledger_file file;
	struct tw_sysctl_tree tree;
	char boot_id[TW_BOOT_ID_MAX];
	struct tw_netns_id namespace; /* the host's */
	int home_fd;		      /* of it */
};

/* Nothing open yet: what tw_host_edges_close() may be given. */
#define TW_HOST_EDGES_NONE \
	((struct tw_host_edges){ .directory = TW_STATE_DIRECTORY_NONE, .tree.root_fd = -1, .home_fd = -1 })

/*
 * Returns 0 or -errno, and what is wrong in `problem` then: -EBUSY where another timewaitd uses the directory. `host`
 * may be given to tw_host_edges_close() in either case.
 */
int tw_host_edges_open(struct tw_host_edges *host, const char *state_dir, struct tw_text *problem);
void tw_host_edges_close(struct tw_host_edges *host);
#define TW_CLEANUP_HOST_EDGES TW_CLEANUP(tw_host_edges_close)

/*
 * Puts back what the ledger of an earlier run holds; done twice, it changes nothing more. *ret_ledger is what could not
 * be put back and is owed still. Returns 0, or -errno: of what could not be put back, or of a ledger that cannot be
 * used (-EBADMSG damaged, -EXDEV of another network namespace, -EPROTONOSUPPORT of another version), which is left as
 * it is.
 */
int tw_recover(struct tw_host_edges *host, struct tw_recorder *recorder, struct tw_ledger *ret_ledger);

/*
 * The same in every other network namespace of which there is a ledger. One that is gone has taken its sysctls along:
 * its ledger is removed. Returns 0, or the first -errno as above; the others are done all the same.
 */
int tw_recover_namespaces(struct tw_host_edges *host, struct tw_recorder *recorder);

/* A sentence for each of tw_recover()'s errors. */
const char *tw_recover_error(int error);

/*
 * Keeps a ledger that cannot be used, for `error` of its load, beside its place, so that nothing is lost and the daemon
 * can do its work, and tells so. Returns 0, or -errno where it could not be kept.
 */
int tw_recover_set_aside(const struct tw_ledger_file *file, int error, struct tw_recorder *recorder,
			 const char *namespace);
