/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/loop.h"

#include "daemon/process.h"
#include "daemon/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

/* How late a tick may be so that the kernel can wake for several timers at once; 0 would mean 250 ms. */
#define TW_TICK_ACCURACY_USEC (10 * TW_USEC_PER_MSEC)
#define TW_STATUS_MAX 256

struct loop {
	struct tw_manager *manager;
	const struct tw_options *options;
	sd_event *event;
	sd_event_source *tick;
	sd_event_source *worker;
	usec_t tick_due_usec;
	usec_t status_due_usec;
};

static void notify_status(struct loop *loop, const char *first)
{
	char bytes[TW_STATUS_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_manager_status(loop->manager, &text);
	(void)sd_notifyf(false, "%sSTATUS=%s", first, bytes);
	loop->status_due_usec = tw_usec_add(tw_process_now(), loop->manager->settings->census_usec);
}

/* The next tick of the grid; ticks that a sleeping machine or a long stop made us miss are skipped. */
static usec_t next_tick(usec_t due_usec, usec_t interval_usec, usec_t now_usec)
{
	usec_t next_usec = tw_usec_add(due_usec, interval_usec);

	return next_usec > now_usec ? next_usec : now_usec + interval_usec;
}

static int on_tick(sd_event_source *source, uint64_t usec TW_UNUSED, void *userdata)
{
	struct loop *loop = userdata;
	usec_t now_usec = tw_process_now();
	int r;

	r = tw_manager_tick(loop->manager);
	if (r < 0)
		return r;
	loop->tick_due_usec = next_tick(loop->tick_due_usec, tw_manager_interval(loop->manager), now_usec);
	r = sd_event_source_set_time(source, loop->tick_due_usec);
	if (r >= 0)
		r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	if (r < 0)
		return r;
	if (now_usec >= loop->status_due_usec)
		notify_status(loop, "");
	return 0;
}

/* A job has ended: the manager takes it, which makes the descriptor fall silent. */
static int on_worker(sd_event_source *source TW_UNUSED, int fd TW_UNUSED, uint32_t events TW_UNUSED, void *userdata)
{
	struct loop *loop = userdata;

	(void)tw_manager_work(loop->manager);
	return 0;
}

/* A shorter interval begins now, not behind what is left of a longer one. */
static void hasten(struct loop *loop)
{
	usec_t due_usec = tw_usec_add(tw_process_now(), tw_manager_interval(loop->manager));

	if (due_usec < loop->tick_due_usec && sd_event_source_set_time(loop->tick, due_usec) >= 0)
		loop->tick_due_usec = due_usec;
}

/* The service manager knows that it is over before anybody who waits for the answer does. */
static int reload(void *context, struct tw_problems **ret_problems)
{
	struct loop *loop = context;
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, tw_process_now());
	r = tw_reload(loop->manager, loop->options, ret_problems);
	hasten(loop);
	notify_status(loop, "READY=1\n");
	return r;
}

static int on_hangup(sd_event_source *source TW_UNUSED, const struct signalfd_siginfo *info TW_UNUSED, void *userdata)
{
	TW_CLEANUP_FREE struct tw_problems *problems = NULL;

	(void)reload(userdata, &problems);
	return 0;
}

static int add_timer(struct loop *loop)
{
	int r;

	loop->tick_due_usec = tw_usec_add(tw_process_now(), loop->manager->settings->interval_usec);
	r = sd_event_add_time(loop->event, &loop->tick, CLOCK_MONOTONIC, loop->tick_due_usec, TW_TICK_ACCURACY_USEC,
			      on_tick, loop);
	if (r < 0)
		return r;
	(void)sd_event_source_set_description(loop->tick, "tick");
	return sd_event_source_set_exit_on_failure(loop->tick, true);
}

static int add_worker(struct loop *loop, const struct tw_worker *worker)
{
	int r = sd_event_add_io(loop->event, &loop->worker, tw_worker_fd(worker), EPOLLIN, on_worker, loop);

	if (r < 0)
		return r;
	(void)sd_event_source_set_description(loop->worker, "worker");
	return sd_event_source_set_exit_on_failure(loop->worker, true);
}

static int prepare(struct loop *loop, const struct tw_worker *worker)
{
	int r = sd_event_default(&loop->event);

	if (r < 0)
		return r;
	r = sd_event_set_signal_exit(loop->event, true);
	if (r < 0)
		return r;
	r = sd_event_add_signal(loop->event, NULL, SIGHUP | SD_EVENT_SIGNAL_PROCMASK, on_hangup, loop);
	if (r < 0)
		return r;
	/* Without it the service manager would end us later, and without a restore. */
	r = sd_event_set_watchdog(loop->event, true);
	if (r < 0)
		return r;
	r = add_worker(loop, worker);
	return r < 0 ? r : add_timer(loop);
}

int tw_loop_run(struct tw_manager *manager, const struct tw_worker *worker, struct tw_bus *bus,
		const struct tw_options *options)
{
	struct loop loop = { .manager = manager, .options = options };
	const struct tw_bus_owner owner = { .manager = manager, .reload = reload, .context = &loop };
	int r = prepare(&loop, worker);

	if (r >= 0)
		r = tw_bus_attach(bus, loop.event, &owner);
	if (r >= 0) {
		notify_status(&loop, "READY=1\n");
		r = sd_event_loop(loop.event);
	}
	(void)sd_notify(false, "STOPPING=1\nSTATUS=putting sysctls back");
	tw_bus_detach(bus);
	loop.tick = sd_event_source_unref(loop.tick);
	loop.worker = sd_event_source_unref(loop.worker);
	loop.event = sd_event_unref(loop.event);
	return r;
}
