/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/namespace-edges.h"

#include "act/socket-sink.h"
#include "base/fd.h"
#include "base/setns-source.h"
#include "watch/recover.h"
#include "measure/proc/activity-source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct tw_namespace_edges {
	struct tw_source source; /* first: the face is the object */
	struct tw_sysctl_sink sysctl;
	struct tw_socket_sink socket;
	struct tw_namespace_edges_ground ground;
	struct tw_netns_id id;
	int netns_fd;
	struct tw_activity_source activity;
	struct tw_kernel_source *kernel;   /* NULL while it rests */
	struct tw_socket_netlink *sockets; /* NULL until some are to be ended */
	struct tw_ledger_file file;
};

static struct tw_namespace_edges *of_source(struct tw_source *source)
{
	return (struct tw_namespace_edges *)source;
}

_Static_assert(offsetof(struct tw_namespace_edges, source) == 0, "they are known by their source");

static struct tw_namespace_edges *of_sysctl(struct tw_sysctl_sink *sink)
{
	return (struct tw_namespace_edges *)(void *)((char *)sink - offsetof(struct tw_namespace_edges, sysctl));
}

static struct tw_namespace_edges *of_socket(struct tw_socket_sink *sink)
{
	return (struct tw_namespace_edges *)(void *)((char *)sink - offsetof(struct tw_namespace_edges, socket));
}

/* ---- measuring */

static int wake(struct tw_namespace_edges *edges)
{
	int r;

	if (edges->kernel)
		return 0;
	r = tw_netns_enter(edges->netns_fd);
	if (r < 0)
		return r;
	r = tw_kernel_source_new(edges->ground.kernel, &edges->kernel);
	tw_netns_leave(edges->ground.host->home_fd);
	return r;
}

/* Only behind a gauge, which wakes it. */
static struct tw_source *awake(struct tw_source *source)
{
	return tw_kernel_source_base(of_source(source)->kernel);
}

static int activity(struct tw_source *source, bool deep, struct tw_activity *ret)
{
	return tw_activity_source_read(&of_source(source)->activity, deep, ret);
}

static void rest(struct tw_source *source)
{
	struct tw_namespace_edges *edges = of_source(source);

	edges->kernel = tw_kernel_source_free(edges->kernel);
}

static int gauge(struct tw_source *source, struct tw_gauge *ret)
{
	int r = wake(of_source(source));

	return r < 0 ? r : awake(source)->gauge(awake(source), ret);
}

/* One that rests reads all of it when it wakes. */
static void refresh(struct tw_source *source)
{
	if (of_source(source)->kernel)
		awake(source)->refresh(awake(source));
}

static int port_range(struct tw_source *source, struct tw_port_set *ret)
{
	return awake(source)->port_range(awake(source), ret);
}

static void scan_begin(struct tw_source *source)
{
	awake(source)->scan_begin(awake(source));
}

static int dump_begin(struct tw_source *source, const struct tw_diag_query *query, uint32_t *ret_sequence)
{
	return awake(source)->dump_begin(awake(source), query, ret_sequence);
}

static int dump_next(struct tw_source *source, const void **ret_datagram, size_t *ret_length)
{
	return awake(source)->dump_next(awake(source), ret_datagram, ret_length);
}

static int idle(struct tw_source *source, const struct tw_flow *flow, struct tw_idle *ret)
{
	return awake(source)->idle(awake(source), flow, ret);
}

/* The socket for it is made inside; what it asks is of that namespace from then on. */
static int exclusive(struct tw_source *source, const uint16_t *ports, unsigned count, bool *ret_exclusive)
{
	struct tw_namespace_edges *edges = of_source(source);
	int r = tw_netns_enter(edges->netns_fd);

	if (r < 0)
		return r;
	r = tw_kernel_source_open_exclusive(edges->kernel);
	tw_netns_leave(edges->ground.host->home_fd);
	return r < 0 ? r : awake(source)->exclusive(awake(source), ports, count, ret_exclusive);
}

static int unit(struct tw_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	return awake(source)->unit(awake(source), cgroup_id, ret);
}

/* ---- acting: /proc/sys/net shows each thread the sysctls of the namespace that it is in */

static int enter(struct tw_namespace_edges *edges, struct tw_sysctl_sink **ret_tree)
{
	*ret_tree = &edges->ground.host->tree.sink;
	return tw_netns_enter(edges->netns_fd);
}

/* Hands on what came of it. */
static int leave(struct tw_namespace_edges *edges, int result)
{
	tw_netns_leave(edges->ground.host->home_fd);
	return result;
}

static int sysctl_read(struct tw_sysctl_sink *sink, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	struct tw_sysctl_sink *tree;
	int r = enter(of_sysctl(sink), &tree);

	return r < 0 ? r : leave(of_sysctl(sink), tree->read(tree, tunable, ret));
}

static int sysctl_write(struct tw_sysctl_sink *sink, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	struct tw_sysctl_sink *tree;
	int r = enter(of_sysctl(sink), &tree);

	return r < 0 ? r : leave(of_sysctl(sink), tree->write(tree, tunable, value));
}

static int open_sockets(struct tw_namespace_edges *edges)
{
	int r;

	if (edges->sockets)
		return 0;
	r = tw_netns_enter(edges->netns_fd);
	if (r < 0)
		return r;
	r = tw_socket_netlink_new(&edges->sockets);
	tw_netns_leave(edges->ground.host->home_fd);
	return r;
}

static int end_sockets(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[])
{
	struct tw_namespace_edges *edges = of_socket(sink);
	struct tw_socket_sink *netlink;
	int r = open_sockets(edges);

	if (r < 0)
		return r;
	netlink = tw_socket_netlink_sink(edges->sockets);
	return netlink->end(netlink, rows, count, ret_answers);
}

static struct tw_acting_edges acting_edges(struct tw_namespace_edges *edges)
{
	return (struct tw_acting_edges){
		.sysctl = &edges->sysctl,
		.socket = &edges->socket,
		.store = &edges->file.store,
		.recorder = edges->ground.recorder,
	};
}

/*
 * What is owed here since before: by an earlier run, or by this one when the namespace was let go. Were it not known,
 * what we wrote ourselves would be taken for the baseline.
 */
static int read_ledger(const struct tw_namespace_edges *edges, const char *name, struct tw_ledger *ret)
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
	struct tw_namespace_edges *edges = context;
	const struct tw_acting_edges acting = acting_edges(edges);
	TW_CLEANUP_FREE struct tw_ledger *ledger = malloc(sizeof(*ledger));
	int r = ledger ? read_ledger(edges, name, ledger) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = tw_acting_new(&acting, ledger, name);
	return *ret ? 0 : -ENOMEM;
}

/* Where it cannot be told it may. */
static bool owes(const struct tw_namespace_edges *edges)
{
	struct stat status;

	return fstatat(edges->file.directory_fd, edges->file.name, &status, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

int tw_namespace_edges_recover(struct tw_namespace_edges *edges, struct tw_ledger *ledger, const char *name)
{
	return tw_reconcile_recover(ledger, &edges->sysctl, &edges->file.store, edges->ground.recorder, name);
}

/* ---- the edges */

static int look_inside(struct tw_namespace_edges *edges)
{
	int r = tw_netns_enter(edges->netns_fd);

	if (r < 0)
		return r;
	r = tw_netns_here(&edges->id);
	if (r >= 0)
		r = tw_activity_source_open(&edges->activity);
	tw_netns_leave(edges->ground.host->home_fd);
	return r;
}

int tw_namespace_edges_new(const struct tw_namespace_edges_ground *ground, const struct tw_namespace *namespace,
			   int netns_fd, struct tw_namespace_edges **ret)
{
	TW_CLEANUP_NAMESPACE_EDGES struct tw_namespace_edges *edges = calloc(1, sizeof(*edges));
	int r;

	if (!edges) {
		(void)tw_close(netns_fd);
		return -ENOMEM;
	}
	edges->ground = *ground;
	edges->netns_fd = netns_fd;
	edges->activity = TW_ACTIVITY_SOURCE_NONE;
	edges->source = (struct tw_source){
		.activity = activity,
		.rest = rest,
		.gauge = gauge,
		.refresh = refresh,
		.port_range = port_range,
		.scan_begin = scan_begin,
		.dump_begin = dump_begin,
		.dump_next = dump_next,
		.idle = idle,
		.exclusive = exclusive,
		.unit = unit,
	};
	edges->sysctl = (struct tw_sysctl_sink){
		.read = sysctl_read,
		.write = sysctl_write,
	};
	edges->socket = (struct tw_socket_sink){ .end = end_sockets };
	tw_ledger_file_init(&edges->file, ground->host->directory.fd, namespace->id);
	r = look_inside(edges);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(edges);
	return 0;
}

struct tw_namespace_edges *tw_namespace_edges_free(struct tw_namespace_edges *edges)
{
	if (edges) {
		edges->sockets = tw_socket_netlink_free(edges->sockets);
		edges->kernel = tw_kernel_source_free(edges->kernel);
		tw_activity_source_close(&edges->activity);
		edges->netns_fd = tw_close(edges->netns_fd);
		free(edges);
	}
	return NULL;
}

const struct tw_netns_id *tw_namespace_edges_id(const struct tw_namespace_edges *edges)
{
	return &edges->id;
}

struct tw_watch_edges tw_namespace_edges_for_watch(struct tw_namespace_edges *edges)
{
	return (struct tw_watch_edges){
		.source = &edges->source,
		.recorder = edges->ground.recorder,
		.make_acting = make_acting,
		.context = edges,
		.tells_bound = tw_kernel_source_tells_bound(),
		.owes = owes(edges),
	};
}
