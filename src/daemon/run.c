/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "act/socket-sink.h"
#include "base/fd.h"
#include "config.h"
#include "daemon/daemon.h"
#include "watch/discovery.h"
#include "measure/diag/diag.h"
#include "measure/kernel-source.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Everything that lives as long as the daemon does. */
struct life {
	struct tw_host_edges host;
	struct tw_ledger ledger; /* of the host: what is still owed, at the start */
	struct tw_record_sink *sink;
	struct tw_bus bus;
	struct tw_source *source;
	struct tw_socket_netlink sockets;
	struct tw_discovery *discovery;
	struct tw_worker *worker;
	struct tw_manager manager;
};

static void life_done(struct life *life)
{
	uint64_t lost;

	tw_manager_done(&life->manager);
	life->worker = tw_worker_free(life->worker);
	life->discovery = tw_kernel_discovery_free(life->discovery);
	tw_socket_netlink_done(&life->sockets);
	life->source = tw_kernel_source_free(life->source);
	/* No later record can tell of them. */
	lost = life->sink ? life->sink->dropped - life->sink->told : 0;
	if (lost > 0)
		fprintf(stderr, "timewaitd: the last records could not be written (%" PRIu64 ")\n", lost);
	tw_bus_done(&life->bus);
	life->sink = tw_record_sink_free(life->sink);
	tw_host_edges_close(&life->host);
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "timewaitd: %s: %s\n", what, strerror(-error));
	return error;
}

static struct tw_time read_clock(struct tw_clock *clock TW_UNUSED)
{
	return (struct tw_time){ tw_clock_read(CLOCK_MONOTONIC), tw_clock_read(CLOCK_THREAD_CPUTIME_ID) };
}

/* What cannot be put back now is tried again: the host's at each tick, that of others at the next start. */
static int recover(struct life *life)
{
	struct tw_recorder *recorder = &life->sink->recorder;
	int r = tw_recover(&life->host, recorder, &life->ledger);

	if (r == -EBADMSG || r == -EXDEV || r == -EPROTONOSUPPORT) {
		r = tw_recover_set_aside(&life->host.file, r, recorder, TW_NAMESPACE_HOST);
		if (r < 0)
			return complain("cannot set the old ledger aside", r);
	}
	if (r < 0)
		tw_recorder_tell(recorder, TW_NAMESPACE_HOST, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
				 "what an earlier run changed is not all put back: %s; it is tried again",
				 tw_recover_error(r));
	r = tw_recover_namespaces(&life->host, recorder);
	if (r < 0)
		tw_recorder_tell(recorder, TW_NAMESPACE_HOST, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
				 "what an earlier run changed in other network namespaces is not all put back: %s",
				 tw_recover_error(r));
	return 0;
}

static int make_acting(void *context, const char *name, struct tw_acting **ret)
{
	struct life *life = context;
	const struct tw_acting_edges edges = {
		.sysctl = &life->host.tree.sink,
		.socket = &life->sockets.sink,
		.store = &life->host.file.store,
		.recorder = &life->bus.recorder,
	};

	*ret = tw_acting_new(&edges, &life->ledger, name);
	return *ret ? 0 : -ENOMEM;
}

static int reach_kernel(struct life *life)
{
	struct tw_namespace_edges_ground ground = { .host = &life->host, .recorder = &life->bus.recorder };
	int r = tw_kernel_source_new(NULL, NULL, &life->source);

	if (r < 0)
		return complain("cannot reach the kernel's counters and sock_diag", r);
	ground.kernel = life->source;
	r = tw_kernel_discovery_new(&ground, &life->discovery);
	return r < 0 ? complain("cannot look for network namespaces", r) : 0;
}

static int manage(struct life *life, struct tw_settings **settings)
{
	static struct tw_clock clock = { .read = read_clock };
	const struct tw_manager_edges edges = {
		.host = {
			.source = life->source,
			.recorder = &life->bus.recorder,
			.make_acting = make_acting,
			.context = life,
			.tells_bound = tw_kernel_source_tells_bound(),
		},
		.discovery = life->discovery,
		.clock = &clock,
	};
	struct tw_hash_key key;
	int r;

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return complain("cannot draw a random number", tw_errno());
	r = tw_manager_init(&life->manager, *settings, &edges, &key);
	if (r < 0)
		return complain("cannot start", r);
	*settings = NULL;
	return 0;
}

int tw_open_host(struct tw_host_edges *host, const struct tw_options *options)
{
	char problem[PATH_MAX + 256];
	struct tw_text text;
	int r;

	tw_text_init(&text, problem, sizeof(problem));
	r = tw_host_edges_open(host, options->state_dir, &text);
	if (r < 0)
		fprintf(stderr, "timewaitd: %s%s\n", problem,
			r == -EBUSY && options->observe ? "; to observe beside it, give another --state-dir" : "");
	return r;
}

static int begin(struct life *life, const struct tw_options *options, struct tw_settings **settings)
{
	int r = tw_record_sink_new(options->log, STDOUT_FILENO, TW_JOURNAL_SOCKET, &life->sink);

	if (r < 0)
		return complain("cannot open the log", r);
	tw_bus_init(&life->bus, options->bus, &life->sink->recorder);
	r = tw_open_host(&life->host, options);
	if (r >= 0)
		r = recover(life);
	if (r >= 0)
		r = reach_kernel(life);
	return r < 0 ? r : manage(life, settings);
}

/* They wait for the loop: a stop or a reload that comes during the start takes place right after it. */
static void hold_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * Whoever waits for the service to be ready gets one that has seen the machine. Nobody waits for the loop before it
 * runs: until then the manager does all work itself.
 */
static int watch(struct life *life, const struct tw_options *options)
{
	struct tw_manager *manager = &life->manager;
	int r;

	if (!tw_manager_begin(manager)) {
		r = manager->host.error;
		fprintf(stderr, "timewaitd: cannot take a first sample: %s\n", tw_diag_error_text(r));
		return r;
	}
	r = tw_worker_new(&life->worker);
	if (r < 0)
		return complain("cannot start a thread", r);
	manager->worker = life->worker;
	return tw_loop_run(manager, &life->bus, options);
}

static int live(struct life *life, const struct tw_options *options)
{
	struct tw_manager *manager = &life->manager;
	int r, restored;

	tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_STARTED, TW_SEVERITY_NOTICE,
			 "timewaitd %s, %u rule%s, %s mode", PACKAGE_VERSION, manager->settings->rule_count,
			 manager->settings->rule_count == 1 ? "" : "s", tw_manager_mode(manager));
	tw_manager_tell_skipped(manager);
	r = watch(life, options);
	restored = tw_manager_stop(manager);
	if (r < 0)
		tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_STOPPED, TW_SEVERITY_NOTICE,
				 "gave up: %s", strerror(-r));
	else if (restored < 0)
		tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_STOPPED, TW_SEVERITY_NOTICE,
				 "not everything could be put back: %s", strerror(-restored));
	else
		tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_STOPPED, TW_SEVERITY_NOTICE,
				 "everything is put back");
	return r < 0 ? r : restored;
}

int tw_run(const struct tw_options *options, struct tw_settings *settings)
{
	TW_CLEANUP_SETTINGS struct tw_settings *owned = settings;
	TW_CLEANUP(life_done)
	struct life life = { .host = TW_HOST_EDGES_NONE };
	int r;

	hold_signals();
	tw_socket_netlink_init(&life.sockets, NULL);
	r = begin(&life, options, &owned);
	if (r >= 0)
		r = live(&life, options);
	return r < 0 ? TW_EXIT_FAILURE : TW_EXIT_OK;
}
