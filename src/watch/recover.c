/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/recover.h"

#include "act/boot-source.h"
#include "act/reconcile.h"
#include "base/fd.h"
#include "base/setns-source.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define TW_SYSCTL_ROOT "/proc/sys"

static int explain(struct tw_text *problem, const char *what, const char *which, int error)
{
	tw_text_addf(problem, "%s %s: %s", what, which, strerror(-error));
	return error;
}

int tw_host_edges_open(struct tw_host_edges *host, const char *state_dir, struct tw_text *problem)
{
	pid_t owner = 0;
	uint64_t inode;
	int r;

	*host = TW_HOST_EDGES_NONE;
	r = tw_state_directory_open(&host->directory, state_dir, &owner);
	if (r == -EBUSY) {
		tw_text_addf(problem, "another timewaitd (process %d) uses the state directory %s", (int)owner,
			     state_dir);
		return r;
	}
	if (r < 0)
		return explain(problem, "cannot use the state directory", state_dir, r);
	r = tw_ledger_file_init(&host->file, host->directory.fd, TW_LEDGER_OF_HOST);
	if (r < 0)
		return explain(problem, "cannot use the ledger", TW_LEDGER_OF_HOST, r);
	r = tw_sysctl_tree_open(&host->tree, TW_SYSCTL_ROOT);
	if (r < 0)
		return explain(problem, "cannot open", TW_SYSCTL_ROOT, r);
	r = tw_boot_id_read(host->boot_id);
	if (r < 0)
		return explain(problem, "cannot read", "the boot id", r);
	r = tw_netns_here(&host->namespace);
	if (r >= 0)
		r = tw_netns_open("/proc/thread-self/ns/net", &host->home_fd, &inode);
	return r < 0 ? explain(problem, "cannot find", "the network namespace", r) : 0;
}

void tw_host_edges_close(struct tw_host_edges *host)
{
	host->home_fd = tw_close(host->home_fd);
	tw_sysctl_tree_close(&host->tree);
	tw_state_directory_close(&host->directory);
}

int tw_recover(struct tw_host_edges *host, struct tw_recorder *recorder, struct tw_ledger *ret_ledger)
{
	struct tw_ledger ledger;
	struct tw_reconciler reconciler;
	int r;

	tw_ledger_init(&ledger, host->boot_id, &host->namespace);
	r = tw_ledger_file_load(&host->file, host->boot_id, &host->namespace, &ledger);
	/* The sysctls went with the boot that they were changed in, so nothing is owed. */
	if (r == -ENOENT || r == -ESTALE)
		r = 0;
	else if (r >= 0) {
		tw_reconcile_init(&reconciler, &ledger, &host->tree.sink, &host->file.store, recorder, "host");
		r = tw_reconcile_restore(&reconciler);
		ledger = reconciler.ledger;
	}
	*ret_ledger = ledger;
	return r;
}

const char *tw_recover_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return "the ledger of an earlier run is damaged, so what it changed is not known";
	case -EXDEV:
		return "the ledger is of another network namespace: what it owes can only be put back there";
	case -EPROTONOSUPPORT:
		return "the ledger was written by another version of timewaitd";
	default:
		return strerror(-error);
	}
}

int tw_recover_set_aside(const struct tw_ledger_file *file, int error, struct tw_recorder *recorder,
			 const char *namespace)
{
	struct tw_event event = { .kind = TW_EVENT_DEGRADED, .severity = TW_SEVERITY_WARNING };
	struct tw_text reason;
	int r = tw_ledger_file_set_aside(file);

	if (r < 0)
		return r;
	tw_text_init(&reason, event.reason, sizeof(event.reason));
	tw_text_addf(&reason, "%s; it is kept as %s.old", tw_recover_error(error), file->name);
	recorder->tell(recorder, namespace, &event);
	return 0;
}
