/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/recover-namespaces.h"

#include "base/fd.h"
#include "base/parse.h"
#include "base/text.h"
#include "watch/namespace-edges.h"
#include "measure/proc/netns-source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct recovery {
	struct tw_host_edges *host;
	struct tw_recorder *recorder;
	struct tw_netns_source *source; /* NULL until it is needed */
	struct tw_ledger ledger;	/* the one at hand */
	struct tw_ledger_file file;
	int first; /* error */
};

static void note(struct recovery *recovery, int error)
{
	if (error < 0 && recovery->first == 0)
		recovery->first = error;
}

/* "ledger-4026532201", and nothing behind it. */
static bool is_ledger(const char *name)
{
	const char *digits = name + strlen(TW_LEDGER_OF_NAMESPACE);
	uint64_t inode;

	return strncmp(name, TW_LEDGER_OF_NAMESPACE, strlen(TW_LEDGER_OF_NAMESPACE)) == 0 &&
	       tw_parse_u64(digits, strlen(digits), &inode) == 0;
}

static void tell(const struct recovery *recovery, enum tw_event_kind kind, enum tw_severity severity,
		 const char *namespace, const char *reason)
{
	struct tw_event event = { .kind = kind, .severity = severity };

	(void)tw_text_copy(event.reason, sizeof(event.reason), reason);
	recovery->recorder->tell(recovery->recorder, namespace, &event);
}

static int look(struct recovery *recovery)
{
	int r;

	if (recovery->source)
		return 0;
	r = tw_netns_source_new(&tw_netns_paths, &recovery->source);
	if (r < 0)
		return r;
	tw_netns_source_begin(recovery->source, true);
	while ((r = tw_netns_source_step(recovery->source)) > 0)
		;
	return r;
}

static void forget(struct recovery *recovery, const char *reason)
{
	if (reason)
		tell(recovery, TW_EVENT_NAMESPACE_GONE, TW_SEVERITY_NOTICE, "unknown", reason);
	if (unlinkat(recovery->host->directory.fd, recovery->file.name, 0) < 0 && errno != ENOENT)
		note(recovery, tw_errno());
}

static int put_back(struct recovery *recovery, const struct tw_netns_found *found)
{
	const struct tw_namespace_edges_ground ground = {
		.host = recovery->host,
		.recorder = recovery->recorder,
	};
	TW_CLEANUP_NAMESPACE_EDGES struct tw_namespace_edges *edges = NULL;
	int fd, r = tw_netns_source_open(recovery->source, found, &fd);

	if (r >= 0)
		r = tw_namespace_edges_new(&ground, &found->namespace, fd, &edges);
	if (r < 0)
		return r;
	if (!tw_netns_same(tw_namespace_edges_id(edges), &recovery->ledger.namespace))
		return -ESTALE;
	return tw_namespace_edges_recover(edges, &recovery->ledger, found->namespace.name);
}

/* Of one that nobody can see any more nothing can be put back, and nothing is left to be. */
static void recover_one(struct recovery *recovery)
{
	const struct tw_netns_found *found;
	int r = look(recovery);

	if (r < 0) {
		note(recovery, r);
		return;
	}
	found = tw_netns_list_find(tw_netns_source_found(recovery->source), recovery->ledger.namespace.inode);
	r = found ? put_back(recovery, found) : -ENOENT;
	if (r == -ENOENT || r == -ESTALE) {
		if (!found && tw_netns_source_is_denied(recovery->source)) {
			note(recovery, -EACCES);
			return;
		}
		forget(recovery, "the network namespace that an earlier run changed is gone, and its sysctls with it");
	} else {
		note(recovery, r);
	}
}

static void recover_file(struct recovery *recovery, const char *name)
{
	int r = tw_ledger_file_init(&recovery->file, recovery->host->directory.fd, name);

	if (r >= 0)
		r = tw_ledger_file_load(&recovery->file, recovery->host->boot_id, NULL, &recovery->ledger);
	if (r == -ESTALE)
		forget(recovery, NULL);
	else if (r == -ENOENT)
		return;
	else if (r < 0)
		note(recovery, r);
	else
		recover_one(recovery);
}

int tw_recover_namespaces(struct tw_host_edges *host, struct tw_recorder *recorder)
{
	struct recovery *recovery = calloc(1, sizeof(*recovery));
	const struct dirent *entry;
	DIR *directory;
	int fd, first;

	if (!recovery)
		return -ENOMEM;
	recovery->host = host;
	recovery->recorder = recorder;
	fd = openat(host->directory.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (!directory) {
		first = tw_errno();
		(void)tw_close(fd);
		free(recovery);
		return first;
	}
	while (errno = 0, (entry = readdir(directory)))
		if (is_ledger(entry->d_name))
			recover_file(recovery, entry->d_name);
	note(recovery, errno != 0 ? tw_errno() : 0);
	(void)closedir(directory);
	recovery->source = tw_netns_source_free(recovery->source);
	first = recovery->first;
	free(recovery);
	return first;
}
