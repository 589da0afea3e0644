/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/manager.h"

#include "config.h"
#include "tell/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the daemon may owe for itself before it holds scans up: some ticks, or the start. It is paid before all else. */
#define TW_OWN_DEBT_USEC (5 * TW_USEC_PER_MSEC)

/* What is given to be done is ready to act from the start: later there may be no memory for it. */
static int add_host(struct tw_manager *manager, const struct tw_watch_edges *edges, const struct tw_settings *settings)
{
	manager->host = calloc(1, sizeof(*manager->host));
	if (!manager->host)
		return -ENOMEM;
	tw_watch_init(manager->host, TW_NAMESPACE_HOST, edges, &manager->room, settings);
	return tw_watch_make_ready(manager->host);
}

int tw_manager_init(struct tw_manager *manager, struct tw_settings *settings, const struct tw_watch_edges *host,
		    struct tw_clock *clock, const struct tw_hash_key *key)
{
	struct tw_time time = clock->read(clock);
	int r;

	memset(manager, 0, sizeof(*manager));
	manager->recorder = host->recorder;
	manager->clock = clock;
	manager->started_usec = manager->income.taken_usec = time.now_usec;
	manager->booked_usec = time.cpu_usec;
	r = tw_workroom_init(&manager->room, key);
	if (r >= 0)
		r = add_host(manager, host, settings);
	if (r < 0) {
		tw_manager_done(manager);
		return r;
	}
	manager->settings = settings;
	return 0;
}

void tw_manager_done(struct tw_manager *manager)
{
	if (manager->host) {
		tw_watch_done(manager->host);
		free(manager->host);
		manager->host = NULL;
	}
	tw_workroom_done(&manager->room);
	manager->settings = tw_settings_free(manager->settings);
}

/* CPU time of the loop since the last call. */
static usec_t take_cpu(struct tw_manager *manager)
{
	usec_t cpu_usec = manager->clock->read(manager->clock).cpu_usec;
	usec_t used_usec = tw_usec_since(cpu_usec, manager->booked_usec);

	manager->booked_usec = cpu_usec;
	return used_usec;
}

/* All that the daemon uses counts: the budget is for the whole of it. */
static void pay(struct tw_manager *manager, usec_t now_usec)
{
	usec_t amount_usec = tw_income_take(&manager->income, manager->settings->cpu_budget_milli, now_usec);

	amount_usec = tw_meter_pay(&manager->own, amount_usec);
	(void)tw_meter_pay(&manager->host->meter, amount_usec);
	manager->room.overspent = manager->own.owed_usec > TW_OWN_DEBT_USEC;
}

void tw_manager_use(struct tw_manager *manager, struct tw_worker *worker)
{
	manager->room.worker = worker;
}

/* Whose turn it is may do what is due. */
static void begin_next(struct tw_manager *manager, struct tw_time time)
{
	if (!manager->working && tw_watch_begin(manager->host, manager->settings, time))
		manager->working = manager->host;
}

int tw_manager_tick(struct tw_manager *manager)
{
	struct tw_time time = manager->clock->read(manager->clock);
	struct tw_watch *host = manager->host;
	usec_t cost_usec;
	int r;

	tw_meter_spend(&manager->own, take_cpu(manager));
	r = tw_watch_tick(host, manager->settings, time);
	cost_usec = take_cpu(manager);
	tw_meter_spend(&manager->own, cost_usec);
	host->sample.cost.tick_usec = cost_usec;
	host->sample.cost.total_usec = tw_usec_add(manager->own.spent_usec, host->meter.spent_usec);
	pay(manager, time.now_usec);
	begin_next(manager, time);
	manager->missed = r < 0 ? manager->missed + 1 : 0;
	return manager->missed > TW_MANAGER_MISSED_MAX ? -EIO : 0;
}

bool tw_manager_work(struct tw_manager *manager)
{
	struct tw_time time = manager->clock->read(manager->clock);
	struct tw_watch *watch = manager->working;
	bool more;

	if (!watch)
		return false;
	tw_meter_spend(&manager->own, take_cpu(manager));
	more = tw_watch_work(watch, manager->settings, time);
	if (manager->room.worker)
		tw_meter_spend(&manager->own, take_cpu(manager));
	else
		tw_watch_charge(watch, take_cpu(manager));
	if (!tw_watch_busy(watch)) {
		manager->working = NULL;
		begin_next(manager, time);
		more = manager->working != NULL;
	}
	return more && !manager->room.worker;
}

bool tw_manager_busy(const struct tw_manager *manager)
{
	return manager->working != NULL;
}

usec_t tw_manager_interval(const struct tw_manager *manager)
{
	return tw_watch_interval(manager->host, manager->settings);
}

bool tw_manager_ready(const struct tw_manager *manager)
{
	return manager->host->sample.survey.at_usec != 0;
}

int tw_manager_error(const struct tw_manager *manager)
{
	return manager->host->error;
}

void tw_manager_reload(struct tw_manager *manager, struct tw_settings *settings)
{
	struct tw_time time = manager->clock->read(manager->clock);

	tw_watch_rebase(manager->host, manager->settings, settings, time);
	manager->settings = tw_settings_free(manager->settings);
	manager->settings = settings;
}

int tw_manager_restore(struct tw_manager *manager, unsigned *ret_count)
{
	const struct tw_hand *hand = &manager->host->acting->hand;
	unsigned before = hand->restored;
	int r = tw_watch_pause(manager->host, manager->settings, manager->clock->read(manager->clock).now_usec);

	*ret_count = hand->restored - before;
	return r;
}

int tw_manager_set_mode(struct tw_manager *manager, enum tw_mode mode)
{
	if (manager->settings->mode == mode)
		return 0;
	manager->settings->mode = mode;
	tw_watch_let_go(manager->host);
	return mode == TW_MODE_OBSERVE ? tw_watch_give_back(manager->host) : 0;
}

const char *tw_manager_mode(const struct tw_manager *manager)
{
	return manager->settings->mode == TW_MODE_OBSERVE ? "observe" : "enforce";
}

void tw_manager_snapshot(const struct tw_manager *manager, usec_t started_usec, usec_t now_usec, struct tw_json *json)
{
	struct tw_situation situation;

	tw_watch_situation(manager->host, manager->settings, manager->clock->read(manager->clock).now_usec, &situation);
	tw_json_object_begin(json);
	tw_json_key(json, "version");
	tw_json_string(json, PACKAGE_VERSION);
	tw_json_key(json, "mode");
	tw_json_string(json, tw_manager_mode(manager));
	tw_json_key(json, "started");
	tw_json_milli(json, (int64_t)(started_usec / TW_USEC_PER_MSEC));
	tw_json_key(json, "now");
	tw_json_milli(json, (int64_t)(now_usec / TW_USEC_PER_MSEC));
	tw_json_key(json, "namespaces");
	tw_json_array_begin(json);
	tw_snapshot_add_json_situation(json, TW_NAMESPACE_HOST, &manager->host->sample, manager->settings->top,
				       &situation);
	tw_json_array_end(json);
	tw_json_object_end(json);
}

void tw_manager_exempt(struct tw_manager *manager, usec_t cpu_usec)
{
	manager->booked_usec = tw_usec_add(manager->booked_usec, cpu_usec);
}

int tw_manager_stop(struct tw_manager *manager)
{
	return tw_watch_restore(manager->host);
}

void tw_manager_status(const struct tw_manager *manager, struct tw_text *text)
{
	const struct tw_sample *sample = &manager->host->sample;
	unsigned raised = tw_policy_raised(&manager->host->policy, manager->settings);

	tw_text_addf(text, "%u of %u rules raised; ", raised, manager->settings->rule_count);
	for (int state = 0; state < TW_STATE_COUNT; state++) {
		if (state != TW_STATE_ESTABLISHED && state != TW_STATE_TIME_WAIT && state != TW_STATE_CLOSE_WAIT)
			continue;
		tw_text_add(text, tw_state_title((enum tw_state)state));
		tw_text_add_char(text, ' ');
		tw_value_add(text, tw_sample_metric(sample, (enum tw_metric)(TW_METRIC_STATE_FIRST + state)),
			     TW_UNIT_SOCKETS);
		tw_text_add(text, ", ");
	}
	tw_text_add(text, "port-use ");
	tw_value_add(text, tw_sample_metric(sample, TW_METRIC_PORT_USE), TW_UNIT_PERCENT);
}

void tw_manager_tell(struct tw_manager *manager, enum tw_event_kind kind, const char *format, ...)
{
	struct tw_event event = { .kind = kind, .severity = TW_SEVERITY_NOTICE };
	struct tw_text text;
	va_list arguments;

	tw_text_init(&text, event.reason, sizeof(event.reason));
	va_start(arguments, format);
	tw_text_addv(&text, format, arguments);
	va_end(arguments);
	manager->recorder->tell(manager->recorder, TW_NAMESPACE_HOST, &event);
}
