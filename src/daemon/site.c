/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/site.h"

#include "act/socket-sink.h"
#include "base/fd.h"
#include "base/setns-source.h"
#include "daemon/recover.h"
#include "measure/pulse-source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct tw_site {
	struct tw_source source; /* first: the face is the object */
	struct tw_sysctl_sink sysctl;
	struct tw_socket_sink socket;
	struct tw_site_ground ground;
	struct tw_netns_id id;
	int netns_fd;
	struct tw_pulse_source pulse;
	struct tw_kernel_source *kernel;   /* NULL while it rests */
	struct tw_socket_netlink *sockets; /* NULL until some are to be ended */
	struct tw_ledger_file file;
};

static struct tw_site *of_source(struct tw_source *source)
{
	return (struct tw_site *)source;
}

_Static_assert(offsetof(struct tw_site, source) == 0, "a site is known by its face");

static struct tw_site *of_sysctl(struct tw_sysctl_sink *sink)
{
	return (struct tw_site *)(void *)((char *)sink - offsetof(struct tw_site, sysctl));
}

static struct tw_site *of_socket(struct tw_socket_sink *sink)
{
	return (struct tw_site *)(void *)((char *)sink - offsetof(struct tw_site, socket));
}

/* ---- measuring */

static int wake(struct tw_site *site)
{
	int r;

	if (site->kernel)
		return 0;
	r = tw_netns_enter(site->netns_fd);
	if (r < 0)
		return r;
	r = tw_kernel_source_new(site->ground.host, &site->kernel);
	tw_netns_leave(site->ground.home_fd);
	return r;
}

/* Only behind a gauge, which wakes it. */
static struct tw_source *awake(struct tw_source *source)
{
	return tw_kernel_source_base(of_source(source)->kernel);
}

static int pulse(struct tw_source *source, bool deep, struct tw_pulse *ret)
{
	return tw_pulse_source_read(&of_source(source)->pulse, deep, ret);
}

static void rest(struct tw_source *source)
{
	struct tw_site *site = of_source(source);

	site->kernel = tw_kernel_source_free(site->kernel);
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
	struct tw_site *site = of_source(source);
	int r = tw_netns_enter(site->netns_fd);

	if (r < 0)
		return r;
	r = tw_kernel_source_open_exclusive(site->kernel);
	tw_netns_leave(site->ground.home_fd);
	return r < 0 ? r : awake(source)->exclusive(awake(source), ports, count, ret_exclusive);
}

static int unit(struct tw_source *source, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	return awake(source)->unit(awake(source), cgroup_id, ret);
}

/* ---- acting: /proc/sys/net shows each thread the sysctls of the namespace that it is in */

static int enter(struct tw_site *site, struct tw_sysctl_sink **ret_tree)
{
	*ret_tree = &site->ground.grip->tree.sink;
	return tw_netns_enter(site->netns_fd);
}

/* Hands on what came of it. */
static int leave(struct tw_site *site, int result)
{
	tw_netns_leave(site->ground.home_fd);
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

static int sysctl_read_reserved(struct tw_sysctl_sink *sink, struct tw_port_set *ret)
{
	struct tw_sysctl_sink *tree;
	int r = enter(of_sysctl(sink), &tree);

	return r < 0 ? r : leave(of_sysctl(sink), tree->read_reserved(tree, ret));
}

static int sysctl_write_reserved(struct tw_sysctl_sink *sink, const struct tw_port_set *ports)
{
	struct tw_sysctl_sink *tree;
	int r = enter(of_sysctl(sink), &tree);

	return r < 0 ? r : leave(of_sysctl(sink), tree->write_reserved(tree, ports));
}

static int open_sockets(struct tw_site *site)
{
	int r;

	if (site->sockets)
		return 0;
	r = tw_netns_enter(site->netns_fd);
	if (r < 0)
		return r;
	r = tw_socket_netlink_new(&site->sockets);
	tw_netns_leave(site->ground.home_fd);
	return r;
}

static int end_sockets(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[])
{
	struct tw_site *site = of_socket(sink);
	struct tw_socket_sink *netlink;
	int r = open_sockets(site);

	if (r < 0)
		return r;
	netlink = tw_socket_netlink_sink(site->sockets);
	return netlink->end(netlink, rows, count, ret_answers);
}

static struct tw_acting_edges acting_edges(struct tw_site *site)
{
	return (struct tw_acting_edges){
		.sysctl = &site->sysctl,
		.socket = &site->socket,
		.store = &site->file.store,
		.recorder = site->ground.recorder,
	};
}

/*
 * What is owed here since before: by an earlier run, or by this one when the namespace was let go. Were it not known,
 * what we wrote ourselves would be taken for the baseline.
 */
static int read_ledger(const struct tw_site *site, const char *name, struct tw_ledger *ret)
{
	int r;

	tw_ledger_init(ret, site->ground.grip->boot_id, &site->id);
	r = tw_ledger_file_load(&site->file, site->ground.grip->boot_id, &site->id, ret);
	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		return tw_recover_set_aside(&site->file, r, site->ground.recorder, name);
	/* None, or of a namespace that is gone and had the inode before. */
	return r == -ENOENT || r == -ESTALE || r == -EXDEV ? 0 : r;
}

static int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct tw_site *site = context;
	const struct tw_acting_edges edges = acting_edges(site);
	TW_CLEANUP_FREE struct tw_ledger *ledger = malloc(sizeof(*ledger));
	int r = ledger ? read_ledger(site, name, ledger) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = tw_acting_new(&edges, ledger, name);
	return *ret ? 0 : -ENOMEM;
}

/* Where it cannot be told it may. */
static bool owes(const struct tw_site *site)
{
	struct stat status;

	return fstatat(site->file.directory_fd, site->file.name, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int tw_site_recover(struct tw_site *site, const struct tw_ledger *ledger, const char *name)
{
	struct tw_reconciler *reconciler = malloc(sizeof(*reconciler));
	int r;

	if (!reconciler)
		return -ENOMEM;
	tw_reconcile_init(reconciler, ledger, &site->sysctl, &site->file.store, site->ground.recorder, name);
	r = tw_reconcile_restore(reconciler);
	free(reconciler);
	return r;
}

/* ---- the site */

void tw_site_ledger_name(uint64_t inode, char ret[TW_LEDGER_FILE_NAME_MAX])
{
	(void)snprintf(ret, TW_LEDGER_FILE_NAME_MAX, TW_LEDGER_OF_NAMESPACE "%" PRIu64, inode);
}

static int look_inside(struct tw_site *site)
{
	int r = tw_netns_enter(site->netns_fd);

	if (r < 0)
		return r;
	r = tw_netns_here(&site->id);
	if (r >= 0)
		r = tw_pulse_source_open(&site->pulse);
	tw_netns_leave(site->ground.home_fd);
	return r;
}

int tw_site_new(const struct tw_site_ground *ground, const struct tw_namespace *namespace, int netns_fd,
		struct tw_site **ret)
{
	TW_CLEANUP_SITE struct tw_site *site = calloc(1, sizeof(*site));
	char name[TW_LEDGER_FILE_NAME_MAX];
	int r;

	if (!site) {
		(void)tw_close(netns_fd);
		return -ENOMEM;
	}
	site->ground = *ground;
	site->netns_fd = netns_fd;
	site->pulse = TW_PULSE_SOURCE_NONE;
	site->source = (struct tw_source){
		.pulse = pulse,
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
	site->sysctl = (struct tw_sysctl_sink){
		.read = sysctl_read,
		.write = sysctl_write,
		.read_reserved = sysctl_read_reserved,
		.write_reserved = sysctl_write_reserved,
	};
	site->socket = (struct tw_socket_sink){ .end = end_sockets };
	tw_site_ledger_name(namespace->id, name);
	r = tw_ledger_file_init(&site->file, ground->grip->directory.fd, name);
	if (r >= 0)
		r = look_inside(site);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(site);
	return 0;
}

struct tw_site *tw_site_free(struct tw_site *site)
{
	if (site) {
		site->sockets = tw_socket_netlink_free(site->sockets);
		site->kernel = tw_kernel_source_free(site->kernel);
		tw_pulse_source_close(&site->pulse);
		site->netns_fd = tw_close(site->netns_fd);
		free(site);
	}
	return NULL;
}

const struct tw_netns_id *tw_site_id(const struct tw_site *site)
{
	return &site->id;
}

struct tw_watch_edges tw_site_edges(struct tw_site *site)
{
	return (struct tw_watch_edges){
		.source = &site->source,
		.recorder = site->ground.recorder,
		.make_acting = make_acting,
		.context = site,
		.tells_bound = tw_kernel_source_tells_bound(),
		.owes = owes(site),
	};
}
