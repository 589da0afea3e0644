/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/recover.h"

#include "act/reconcile.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/setns-source.h"
#include "base/text.h"
#include "measure/proc/netns-source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
	tw_ledger_file_init(&host->file, host->directory.fd, 0);
	r = tw_sysctl_tree_open(&host->tree, TW_SYSCTL_ROOT);
	if (r < 0)
		return explain(problem, "cannot open", TW_SYSCTL_ROOT, r);
	r = tw_boot_id_read(host->boot_id);
	if (r < 0)
		return explain(problem, "cannot read", "the boot id", r);
	r = tw_netns_identify(NULL, &host->namespace);
	if (r >= 0)
		r = tw_netns_open(TW_NETNS_HERE, &host->home_fd, &inode);
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
	int r;

	tw_ledger_init(ret_ledger, host->boot_id, &host->namespace);
	r = tw_ledger_file_load(&host->file, host->boot_id, &host->namespace, ret_ledger);
	/* The sysctls went with the boot that they were changed in, so nothing is owed. */
	if (r == -ENOENT || r == -ESTALE)
		return 0;
	return r < 0 ? r
		     : tw_reconcile_recover(ret_ledger, &host->tree.sink, &host->file.store, recorder,
					    TW_NAMESPACE_HOST);
}

/* ---- the other network namespaces */

/* Every one that there is, found when it is first needed. */
static int find_namespaces(struct tw_netns_source **source)
{
	int r;

	if (*source)
		return 0;
	r = tw_netns_source_new(&tw_netns_paths, source);
	if (r < 0)
		return r;
	tw_netns_source_begin(*source, true);
	while ((r = tw_netns_source_step(*source)) > 0)
		;
	/* A list that is not whole would make of those that it lacks some that are gone. */
	if (r < 0)
		*source = tw_netns_source_free(*source);
	return r;
}

/* *ret_gone: nobody can see the namespace any more. What else fails may come right, and what is owed stays owed. */
static int put_back(const struct tw_host_edges *host, struct tw_recorder *recorder,
		    const struct tw_netns_source *source, struct tw_ledger_file *file, struct tw_ledger *ledger,
		    bool *ret_gone)
{
	const struct tw_netns_found *found = tw_netns_list_find(tw_netns_source_found(source), ledger->namespace.inode);
	struct tw_sysctl_tree tree = host->tree; /* borrows */
	TW_CLEANUP_CLOSE int fd = -1;
	struct tw_netns netns;
	struct tw_netns_id id;
	int r;

	*ret_gone = !found && !tw_netns_source_is_denied(source);
	if (!found)
		return *ret_gone ? 0 : -EACCES;
	r = tw_netns_source_open(source, found, &fd);
	netns = (struct tw_netns){ fd, host->home_fd };
	if (r >= 0)
		r = tw_netns_identify(&netns, &id);
	if (r < 0)
		return r;
	*ret_gone = !tw_netns_same(&id, &ledger->namespace);
	if (*ret_gone)
		return 0;
	tree.netns = &netns;
	return tw_reconcile_recover(ledger, &tree.sink, &file->store, recorder, found->namespace.name);
}

static int recover_namespace(struct tw_host_edges *host, struct tw_recorder *recorder, struct tw_netns_source **source,
			     uint64_t inode)
{
	struct tw_event gone = {
		.kind = TW_EVENT_NAMESPACE_GONE,
		.severity = TW_SEVERITY_NOTICE,
		.reason = "the network namespace that an earlier run changed is gone, and its sysctls with it",
	};
	struct tw_ledger ledger = { 0 };
	struct tw_ledger_file file;
	bool is_gone;
	int r;

	tw_ledger_file_init(&file, host->directory.fd, inode);
	r = tw_ledger_file_load(&file, host->boot_id, NULL, &ledger);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -ESTALE)
		return r;
	if (r == 0) {
		r = find_namespaces(source);
		if (r < 0)
			return r;
		r = put_back(host, recorder, *source, &file, &ledger, &is_gone);
		if (!is_gone)
			return r;
		/* Of one that nobody can see any more nothing can be put back, and nothing is left to be. */
		recorder->tell(recorder, "unknown", &gone);
	}
	return unlinkat(host->directory.fd, file.name, 0) < 0 && errno != ENOENT ? tw_errno() : 0;
}

int tw_recover_namespaces(struct tw_host_edges *host, struct tw_recorder *recorder)
{
	TW_CLEANUP_NETNS_SOURCE struct tw_netns_source *source = NULL;
	const struct dirent *entry;
	DIR *directory;
	int r, first = 0, fd = openat(host->directory.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		first = tw_errno();
		(void)tw_close(fd);
		return first;
	}
	while (errno = 0, (entry = readdir(directory))) {
		const char *digits = entry->d_name + strlen(TW_LEDGER_OF_NAMESPACE);
		uint64_t inode;

		if (strncmp(entry->d_name, TW_LEDGER_OF_NAMESPACE, strlen(TW_LEDGER_OF_NAMESPACE)) != 0 ||
		    tw_parse_u64(digits, strlen(digits), &inode) < 0 || inode == 0)
			continue;
		r = recover_namespace(host, recorder, &source, inode);
		if (r < 0 && first == 0)
			first = r;
	}
	if (errno != 0 && first == 0)
		first = tw_errno();
	(void)closedir(directory);
	return first;
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
