/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/discovery.h"

#include "act/socket-sink.h"
#include "base/fd.h"
#include "measure/proc/netns-source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The world around the watch of another network namespace than the host's. */
struct edges {
	struct tw_namespace_edges_ground ground;
	struct tw_netns netns; /* its `fd` is owned */
	struct tw_netns_id id;
	struct tw_source *kernel;
	struct tw_sysctl_tree tree; /* its `root_fd` borrows from the host's */
	struct tw_socket_netlink sockets;
	struct tw_ledger_file file;
};

static struct edges *edges_free(struct edges *edges)
{
	if (edges) {
		tw_socket_netlink_done(&edges->sockets);
		edges->kernel = tw_kernel_source_free(edges->kernel);
		edges->netns.fd = tw_close(edges->netns.fd);
		free(edges);
	}
	return NULL;
}
TW_DEFINE_CLEANUP(struct edges, edges_free)

/* Returns 0, -ENOENT or -ESTALE where it is not there any more, or -errno. */
static int edges_new(const struct tw_namespace_edges_ground *ground, const struct tw_netns_source *source,
		     const struct tw_netns_found *found, struct edges **ret)
{
	TW_CLEANUP(edges_freep) struct edges *edges = calloc(1, sizeof(*edges));
	int r;

	if (!edges)
		return -ENOMEM;
	edges->ground = *ground;
	edges->netns = (struct tw_netns){ .fd = -1, .home_fd = ground->host->home_fd };
	edges->tree = ground->host->tree;
	edges->tree.netns = &edges->netns;
	tw_socket_netlink_init(&edges->sockets, &edges->netns);
	tw_ledger_file_init(&edges->file, ground->host->directory.fd, found->namespace.id);
	r = tw_netns_source_open(source, found, &edges->netns.fd);
	if (r >= 0)
		r = tw_netns_identify(&edges->netns, &edges->id);
	if (r >= 0)
		r = tw_kernel_source_new(&edges->netns, ground->kernel, &edges->kernel);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(edges);
	return 0;
}

/* ---- acting */

/*
 * What is owed here since before: by an earlier run, or by this one when the namespace was let go. Were it not known,
 * what we wrote ourselves would be taken for the baseline.
 */
static int read_ledger(const struct edges *edges, const char *name, struct tw_ledger *ret)
{
	int r;

	tw_ledger_init(ret, edges->ground.host->boot_id, &edges->id);
	r = tw_ledger_file_load(&edges->file, edges->ground.host->boot_id, &edges->id, ret);
	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		return tw_recover_set_aside(&edges->file, r, edges->ground.recorder, name);
	/* None, or of a namespace that is gone and had the inode before. */
	return r == -ENOENT || r == -ESTALE || r == -EXDEV ? 0 : r;
}

static int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct edges *edges = context;
	const struct tw_acting_edges acting = {
		.sysctl = &edges->tree.sink,
		.socket = &edges->sockets.sink,
		.store = &edges->file.store,
		.recorder = edges->ground.recorder,
	};
	TW_CLEANUP_FREE struct tw_ledger *ledger = malloc(sizeof(*ledger));
	int r = ledger ? read_ledger(edges, name, ledger) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = tw_acting_new(&acting, ledger, name);
	return *ret ? 0 : -ENOMEM;
}

/* Where it cannot be told it may. */
static bool owes(const struct edges *edges)
{
	struct stat status;

	return fstatat(edges->file.directory_fd, edges->file.name, &status, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

/* ---- finding them */

struct kernel_discovery {
	struct tw_discovery base; /* first: the face is the object */
	struct tw_namespace_edges_ground ground;
	struct tw_netns_source *source;
};

static struct kernel_discovery *of(struct tw_discovery *base)
{
	return (struct kernel_discovery *)base;
}

static void look(struct tw_discovery *base, bool processes)
{
	tw_netns_source_begin(of(base)->source, processes);
}

static int step(struct tw_discovery *base)
{
	return tw_netns_source_step(of(base)->source);
}

static const struct tw_namespace *found(struct tw_discovery *base, unsigned index, bool *ret_named)
{
	const struct tw_netns_list *list = tw_netns_source_found(of(base)->source);

	if (index >= list->count)
		return NULL;
	*ret_named = list->rows[index].named;
	return &list->rows[index].namespace;
}

static bool denied(struct tw_discovery *base)
{
	return tw_netns_source_is_denied(of(base)->source);
}

static int open_one(struct tw_discovery *base, unsigned index, struct tw_watch_edges *ret)
{
	const struct tw_netns_source *source = of(base)->source;
	struct edges *edges;
	int r = edges_new(&of(base)->ground, source, &tw_netns_source_found(source)->rows[index], &edges);

	if (r < 0)
		return r;
	*ret = (struct tw_watch_edges){
		.source = edges->kernel,
		.recorder = edges->ground.recorder,
		.make_acting = make_acting,
		.context = edges,
		.tells_bound = tw_kernel_source_tells_bound(),
		.owes = owes(edges),
	};
	return 0;
}

static void close_one(struct tw_discovery *base TW_UNUSED, const struct tw_watch_edges *edges)
{
	(void)edges_free(edges->context);
}

int tw_kernel_discovery_new(const struct tw_namespace_edges_ground *ground, struct tw_discovery **ret)
{
	struct tw_netns_source *source;
	struct kernel_discovery *discovery;
	int r = tw_netns_source_new(&tw_netns_paths, &source);

	if (r < 0)
		return r;
	discovery = malloc(sizeof(*discovery));
	if (!discovery) {
		(void)tw_netns_source_free(source);
		return -ENOMEM;
	}
	*discovery = (struct kernel_discovery){
		.base = { look, step, found, denied, open_one, close_one },
		.ground = *ground,
		.source = source,
	};
	*ret = &discovery->base;
	return 0;
}

struct tw_discovery *tw_kernel_discovery_free(struct tw_discovery *discovery)
{
	if (discovery)
		(void)tw_netns_source_free(of(discovery)->source);
	free(discovery);
	return NULL;
}
