/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fd.h"
#include "config/settings-load.h"
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

/* How late a tick may be so that the kernel can wake for several timers at once; 0 would mean 250 ms. */
#define TICK_ACCURACY_USEC (10 * TW_USEC_PER_MSEC)
#define STATUS_MAX 256

struct loop {
	struct tw_manager *manager;
	const struct tw_options *options;
	sd_event *event;
	sd_event_source *tick;
	usec_t tick_due_usec;
	usec_t status_due_usec;
};

static void notify_status(struct loop *loop, const char *first)
{
	char bytes[STATUS_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_manager_status(loop->manager, &text);
	(void)sd_notifyf(false, "%sSTATUS=%s", first, bytes);
	loop->status_due_usec = tw_usec_add(tw_clock_read(CLOCK_MONOTONIC), loop->manager->settings->census_usec);
}

/* Ticks that a sleeping machine or a long stop made us miss are skipped. */
static int on_tick(sd_event_source *source, uint64_t usec TW_UNUSED, void *userdata)
{
	struct loop *loop = userdata;
	usec_t now_usec = tw_clock_read(CLOCK_MONOTONIC), interval_usec;
	int r;

	r = tw_manager_tick(loop->manager);
	if (r < 0)
		return r;
	interval_usec = tw_manager_interval(loop->manager);
	loop->tick_due_usec = tw_usec_add(loop->tick_due_usec, interval_usec);
	if (loop->tick_due_usec <= now_usec)
		loop->tick_due_usec = now_usec + interval_usec;
	r = sd_event_source_set_time(source, loop->tick_due_usec);
	if (r >= 0)
		r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	if (r >= 0 && now_usec >= loop->status_due_usec)
		notify_status(loop, "");
	return r;
}

/* A job has ended: the manager takes it, which makes the descriptor fall silent. */
static int on_worker(sd_event_source *source TW_UNUSED, int fd TW_UNUSED, uint32_t events TW_UNUSED, void *userdata)
{
	struct loop *loop = userdata;

	(void)tw_manager_work(loop->manager);
	return 0;
}

/* ---- reload */

int tw_load_settings(const struct tw_options *options, struct tw_problems *problems, struct tw_settings **ret)
{
	int r;

	problems->count = 0;
	r = tw_settings_load(options->config, TW_SETTINGS_FILE, TW_SETTINGS_DIRECTORY, problems, ret);
	if (r < 0)
		return r;
	if (options->observe)
		(*ret)->mode = TW_MODE_OBSERVE;
	return 0;
}

/* A bad one is told, error by error, and the old one stays. */
static int take_settings(struct tw_manager *manager, const struct tw_options *options,
			 struct tw_problems **ret_problems)
{
	TW_CLEANUP_FREE struct tw_problems *problems = calloc(1, sizeof(*problems));
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	int r = problems ? tw_load_settings(options, problems, &settings) : -ENOMEM;

	if (r == -EINVAL && problems->count > 0) {
		for (unsigned i = 0; i < TW_MIN(problems->count, TW_PROBLEMS_MAX); i++)
			tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_RELOAD_FAILED,
					 TW_SEVERITY_NOTICE, "%s", problems->texts[i]);
		if (problems->count > TW_PROBLEMS_MAX)
			tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_RELOAD_FAILED,
					 TW_SEVERITY_NOTICE, "and %u more problems", problems->count - TW_PROBLEMS_MAX);
		*ret_problems = TW_TAKE_PTR(problems);
		return r;
	}
	if (r < 0) {
		tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_RELOAD_FAILED, TW_SEVERITY_NOTICE, "%s",
				 strerror(-r));
		return r == -EINVAL ? -EIO : r;
	}
	tw_manager_reload(manager, TW_TAKE_PTR(settings));
	tw_recorder_tell(manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_RELOADED, TW_SEVERITY_NOTICE,
			 "%u rule%s, %s mode", manager->settings->rule_count,
			 manager->settings->rule_count == 1 ? "" : "s", tw_manager_mode(manager));
	tw_manager_tell_skipped(manager);
	return 0;
}

/*
 * Reads the configuration anew and carries on under it. The service manager knows that it is over before anybody who
 * waits for the answer does. Returns 0, -EINVAL with the errors in *ret_problems, which the caller frees, or -errno.
 */
static int reload(void *context, struct tw_problems **ret_problems)
{
	struct loop *loop = context;
	usec_t now_usec = tw_clock_read(CLOCK_MONOTONIC), due_usec;
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_usec);
	r = take_settings(loop->manager, loop->options, ret_problems);
	/* A shorter interval begins now, not behind what is left of a longer one. */
	due_usec = tw_usec_add(now_usec, tw_manager_interval(loop->manager));
	if (due_usec < loop->tick_due_usec && sd_event_source_set_time(loop->tick, due_usec) >= 0)
		loop->tick_due_usec = due_usec;
	notify_status(loop, "READY=1\n");
	return r;
}

static int on_hangup(sd_event_source *source TW_UNUSED, const struct signalfd_siginfo *info TW_UNUSED, void *userdata)
{
	TW_CLEANUP_FREE struct tw_problems *problems = NULL;

	(void)reload(userdata, &problems);
	return 0;
}

/* ---- the loop */

static int prepare(struct loop *loop)
{
	int r = sd_event_default(&loop->event);

	if (r >= 0)
		r = sd_event_set_signal_exit(loop->event, true);
	if (r >= 0)
		r = sd_event_add_signal(loop->event, NULL, SIGHUP | SD_EVENT_SIGNAL_PROCMASK, on_hangup, loop);
	/* Without it the service manager would end us later, and without a restore. */
	if (r >= 0)
		r = sd_event_set_watchdog(loop->event, true);
	if (r >= 0)
		r = sd_event_add_io(loop->event, NULL, tw_worker_fd(loop->manager->worker), EPOLLIN, on_worker, loop);
	loop->tick_due_usec = tw_usec_add(tw_clock_read(CLOCK_MONOTONIC), loop->manager->settings->interval_usec);
	if (r >= 0)
		r = sd_event_add_time(loop->event, &loop->tick, CLOCK_MONOTONIC, loop->tick_due_usec,
				      TICK_ACCURACY_USEC, on_tick, loop);
	if (r < 0)
		return r;
	return sd_event_source_set_exit_on_failure(loop->tick, true);
}

int tw_loop_run(struct tw_manager *manager, struct tw_bus *bus, const struct tw_options *options)
{
	struct loop loop = { .manager = manager, .options = options };
	int r = prepare(&loop);

	if (r >= 0)
		r = tw_bus_attach(bus, loop.event, manager, reload, &loop);
	if (r >= 0) {
		notify_status(&loop, "READY=1\n");
		r = sd_event_loop(loop.event);
	}
	(void)sd_notify(false, "STOPPING=1\nSTATUS=putting sysctls back");
	tw_bus_detach(bus);
	loop.tick = sd_event_source_unref(loop.tick);
	loop.event = sd_event_unref(loop.event);
	return r;
}
