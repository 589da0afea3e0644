/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/recover.h"

#include "act/boot-source.h"
#include "act/reconcile.h"
#include "base/fd.h"
#include "base/setns-source.h"
#include "base/text.h"
#include "daemon/recover-namespaces.h"
#include "tell/record-sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TW_SYSCTL_ROOT "/proc/sys"

static int complain(const char *what, const char *which, int error)
{
	fprintf(stderr, "timewaitd: %s %s: %s\n", what, which, strerror(-error));
	return error;
}

int tw_grip_open(struct tw_grip *grip, const struct tw_options *options)
{
	pid_t owner = 0;
	uint64_t inode;
	int r;

	*grip = TW_GRIP_NONE;
	r = tw_state_directory_open(&grip->directory, options->state_dir, &owner);
	if (r == -EBUSY) {
		fprintf(stderr, "timewaitd: another timewaitd (process %d) uses the state directory %s%s\n", (int)owner,
			options->state_dir, options->observe ? "; to observe beside it, give another --state-dir" : "");
		return r;
	}
	if (r < 0)
		return complain("cannot use the state directory", options->state_dir, r);
	r = tw_ledger_file_init(&grip->file, grip->directory.fd, TW_LEDGER_OF_HOST);
	if (r < 0)
		return complain("cannot use the ledger", TW_LEDGER_OF_HOST, r);
	r = tw_sysctl_tree_open(&grip->tree, TW_SYSCTL_ROOT);
	if (r < 0)
		return complain("cannot open", TW_SYSCTL_ROOT, r);
	r = tw_boot_id_read(grip->boot_id);
	if (r < 0)
		return complain("cannot read", "the boot id", r);
	r = tw_netns_here(&grip->namespace);
	if (r >= 0)
		r = tw_netns_open("/proc/thread-self/ns/net", &grip->home_fd, &inode);
	return r < 0 ? complain("cannot find", "the network namespace", r) : 0;
}

void tw_grip_close(struct tw_grip *grip)
{
	grip->home_fd = tw_close(grip->home_fd);
	tw_sysctl_tree_close(&grip->tree);
	tw_state_directory_close(&grip->directory);
}

int tw_recover(struct tw_grip *grip, struct tw_recorder *recorder, struct tw_ledger *ret_ledger)
{
	struct tw_ledger ledger;
	struct tw_reconciler reconciler;
	int r;

	tw_ledger_init(&ledger, grip->boot_id, &grip->namespace);
	r = tw_ledger_file_load(&grip->file, grip->boot_id, &grip->namespace, &ledger);
	/* The sysctls went with the boot that they were changed in, so nothing is owed. */
	if (r == -ENOENT || r == -ESTALE)
		r = 0;
	else if (r >= 0) {
		tw_reconcile_init(&reconciler, &ledger, &grip->tree.sink, &grip->file.store, recorder, "host");
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

int tw_recover_job(const struct tw_options *options)
{
	TW_CLEANUP_RECORD_SINK struct tw_record_sink *sink = NULL;
	TW_CLEANUP_GRIP struct tw_grip grip = TW_GRIP_NONE;
	struct tw_ledger ledger;
	int others, r = tw_record_sink_new(options->log, &sink);

	if (r < 0) {
		fprintf(stderr, "timewaitd: cannot open the log: %s\n", strerror(-r));
		return TW_EXIT_FAILURE;
	}
	r = tw_grip_open(&grip, options);
	if (r < 0)
		return TW_EXIT_FAILURE;
	r = tw_recover(&grip, tw_record_sink_recorder(sink), &ledger);
	others = tw_recover_namespaces(&grip, tw_record_sink_recorder(sink));
	if (r >= 0)
		r = others;
	if (r < 0) {
		fprintf(stderr, "timewaitd: not everything is put back: %s\n", tw_recover_error(r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}
