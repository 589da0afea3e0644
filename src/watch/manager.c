/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/manager.h"

#include "config.h"
#include "tell/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is given to be done is ready to act from the start: later there may be no memory for it. */
static int add_host(struct tw_manager *manager, const struct tw_watch_edges *edges, const struct tw_settings *settings)
{
	manager->host = calloc(1, sizeof(*manager->host));
	if (!manager->host)
		return -ENOMEM;
	tw_watch_init(manager->host, TW_NAMESPACE_HOST, edges, &manager->room, settings);
	manager->host_watched = tw_namespace_list_has(&settings->namespaces, TW_NAMESPACE_HOST);
	return tw_watch_make_ready(manager->host);
}

static usec_t enter(struct tw_cpu_account *account, struct tw_cpu_budget *budget)
{
	struct tw_manager *manager =
		(struct tw_manager *)(void *)((char *)account - offsetof(struct tw_manager, account));

	return tw_manager_book(manager, budget);
}

int tw_manager_init(struct tw_manager *manager, struct tw_settings *settings, const struct tw_manager_edges *edges,
		    const struct tw_hash_key *key)
{
	struct tw_time time = edges->clock->read(edges->clock);
	int r;

	memset(manager, 0, sizeof(*manager));
	manager->recorder = edges->host.recorder;
	manager->clock = edges->clock;
	manager->account.enter = enter;
	manager->started_usec = manager->income.taken_usec = time.now_usec;
	manager->booked_usec = time.cpu_usec;
	tw_registry_init(&manager->registry, edges->discovery, &manager->room, manager->recorder);
	r = tw_scratch_init(&manager->room, key);
	if (r >= 0)
		r = add_host(manager, &edges->host, settings);
	if (r < 0) {
		tw_manager_done(manager);
		return r;
	}
	manager->settings = settings;
	return 0;
}

void tw_manager_done(struct tw_manager *manager)
{
	tw_registry_done(&manager->registry);
	if (manager->host) {
		tw_watch_done(manager->host);
		free(manager->host);
		manager->host = NULL;
	}
	tw_scratch_done(&manager->room);
	manager->settings = tw_settings_free(manager->settings);
}

void tw_manager_use(struct tw_manager *manager, struct tw_worker *worker)
{
	manager->room.worker = worker;
}

int tw_manager_error(const struct tw_manager *manager)
{
	return manager->host->error;
}

void tw_manager_reload(struct tw_manager *manager, struct tw_settings *settings)
{
	struct tw_time time = manager->clock->read(manager->clock);

	tw_watch_rebase(manager->host, manager->settings, settings, time);
	manager->host_watched = tw_namespace_list_has(&settings->namespaces, TW_NAMESPACE_HOST);
	if (!manager->host_watched) {
		tw_watch_leave(manager->host, settings, time.now_usec,
			       "the configuration does not have the host any more");
		tw_watch_give_up(manager->host);
	}
	tw_registry_rebase(&manager->registry, manager->settings, settings, time);
	manager->settings = tw_settings_free(manager->settings);
	manager->settings = settings;
}

unsigned tw_manager_count(const struct tw_manager *manager)
{
	return manager->registry.count + manager->host_watched;
}

struct tw_watch *tw_manager_watch(const struct tw_manager *manager, unsigned index)
{
	if (manager->host_watched)
		return index == 0 ? manager->host : &manager->registry.entries[index - 1]->watch;
	return &manager->registry.entries[index]->watch;
}

bool tw_manager_is_raised(const struct tw_manager *manager, unsigned rule)
{
	for (unsigned i = 0; i < tw_manager_count(manager); i++)
		if (tw_policy_is_raised(&tw_manager_watch(manager, i)->policy, rule))
			return true;
	return false;
}

static unsigned restored(const struct tw_watch *watch)
{
	return watch->acting ? watch->acting->reconciler.restored : 0;
}

int tw_manager_restore(struct tw_manager *manager, unsigned *ret_count)
{
	usec_t now_usec = manager->clock->read(manager->clock).now_usec;
	int first = 0;

	*ret_count = 0;
	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		struct tw_watch *watch = tw_manager_watch(manager, i);
		unsigned before = restored(watch);
		int r = tw_watch_pause(watch, manager->settings, now_usec);

		*ret_count += restored(watch) - before;
		if (first == 0)
			first = r;
	}
	return first;
}

int tw_manager_set_mode(struct tw_manager *manager, enum tw_mode mode)
{
	int first = 0;

	if (manager->settings->mode == mode)
		return 0;
	manager->settings->mode = mode;
	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		struct tw_watch *watch = tw_manager_watch(manager, i);
		int r;

		tw_watch_let_go(watch);
		r = mode == TW_MODE_OBSERVE ? tw_watch_give_back(watch) : 0;
		if (first == 0)
			first = r;
	}
	return first;
}

const char *tw_manager_mode(const struct tw_manager *manager)
{
	return manager->settings->mode == TW_MODE_OBSERVE ? "observe" : "enforce";
}

void tw_manager_snapshot(const struct tw_manager *manager, usec_t started_usec, usec_t now_usec, struct tw_json *json)
{
	usec_t monotonic_usec = manager->clock->read(manager->clock).now_usec;

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
	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		const struct tw_watch *watch = tw_manager_watch(manager, i);
		struct tw_situation situation;

		tw_watch_situation(watch, manager->settings, monotonic_usec, &situation);
		tw_snapshot_add_json_situation(json, watch->name, &watch->sample, manager->settings->top, &situation);
	}
	tw_json_array_end(json);
	tw_json_object_end(json);
}

void tw_manager_exempt(struct tw_manager *manager, usec_t cpu_usec)
{
	manager->booked_usec = tw_usec_add(manager->booked_usec, cpu_usec);
}

/* The host's is put back whether it is watched by now or not. */
int tw_manager_stop(struct tw_manager *manager)
{
	int first = tw_watch_restore(manager->host);

	for (unsigned i = 0; i < manager->registry.count; i++) {
		int r = tw_watch_restore(&manager->registry.entries[i]->watch);

		if (first == 0)
			first = r;
	}
	return first;
}

static void add_numbers(struct tw_text *text, const struct tw_sample *sample)
{
	for (int state = 0; state < TW_STATE_COUNT; state++) {
		if (state != TW_STATE_ESTABLISHED && state != TW_STATE_TIME_WAIT && state != TW_STATE_CLOSE_WAIT)
			continue;
		tw_text_add(text, tw_state_title((enum tw_state)state));
		tw_text_add_char(text, ' ');
		tw_value_add(text, tw_sample_metric(sample, TW_METRIC_OF_STATE(state)), TW_UNIT_SOCKETS);
		tw_text_add(text, ", ");
	}
	tw_text_add(text, "port-use ");
	tw_value_add(text, tw_sample_metric(sample, TW_METRIC_PORT_USE), TW_UNIT_PERCENT);
}

void tw_manager_status(const struct tw_manager *manager, struct tw_text *text)
{
	unsigned raised = 0;

	for (unsigned i = 0; i < tw_manager_count(manager); i++)
		raised += tw_policy_raised(&tw_manager_watch(manager, i)->policy, manager->settings);
	tw_text_addf(text, "%u of %u rules raised", raised, manager->settings->rule_count * tw_manager_count(manager));
	if (manager->registry.count > 0)
		tw_text_addf(text, " in %u network namespaces", tw_manager_count(manager));
	if (!manager->host_watched)
		return;
	tw_text_add(text, manager->registry.count > 0 ? "; host: " : "; ");
	add_numbers(text, &manager->host->sample);
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

void tw_manager_tell_skipped(struct tw_manager *manager)
{
	for (unsigned i = 0; i < manager->settings->skipped_count; i++) {
		struct tw_event event;

		tw_event_of_skipped(&manager->settings->skipped[i], &event);
		manager->recorder->tell(manager->recorder, TW_NAMESPACE_HOST, &event);
	}
}
