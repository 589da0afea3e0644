/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of the manager from outside; manager.c, the round of ticks and work, would be too long with it. */
#include "watch/manager.h"

#include "config.h"
#include "tell/snapshot.h"

unsigned tw_manager_count(const struct tw_manager *manager)
{
	return manager->registry.count + manager->host_watched;
}

struct tw_watch *tw_manager_watch(struct tw_manager *manager, unsigned index)
{
	if (manager->host_watched && index == 0)
		return &manager->host;
	return &manager->registry.entries[index - manager->host_watched]->watch;
}

bool tw_manager_is_raised(struct tw_manager *manager, unsigned rule)
{
	for (unsigned i = 0; i < tw_manager_count(manager); i++)
		if (tw_policy_is_raised(&tw_manager_watch(manager, i)->policy, rule))
			return true;
	return false;
}

void tw_manager_tell_skipped(struct tw_manager *manager)
{
	for (unsigned i = 0; i < manager->settings->skipped_count; i++) {
		struct tw_event event;

		tw_event_of_skipped(&manager->settings->skipped[i], &event);
		manager->recorder->tell(manager->recorder, TW_NAMESPACE_HOST, &event);
	}
}

void tw_manager_reload(struct tw_manager *manager, struct tw_settings *settings)
{
	usec_t now_usec = manager->clock->read(manager->clock).now_usec;

	tw_watch_rebase(&manager->host, manager->settings, settings, now_usec);
	manager->host_watched = tw_namespace_list_has(&settings->namespaces, TW_NAMESPACE_HOST);
	if (!manager->host_watched) {
		tw_watch_leave(&manager->host, settings, now_usec, "the configuration does not have the host any more");
		tw_watch_give_up(&manager->host);
	}
	tw_registry_rebase(&manager->registry, manager->settings, settings, now_usec);
	manager->settings = tw_settings_free(manager->settings);
	manager->settings = settings;
}

static unsigned restored(struct tw_manager *manager)
{
	unsigned count = 0;

	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		const struct tw_acting *acting = tw_manager_watch(manager, i)->acting;

		count += acting ? acting->reconciler.restored : 0;
	}
	return count;
}

int tw_manager_restore(struct tw_manager *manager, unsigned *ret_count)
{
	usec_t now_usec = manager->clock->read(manager->clock).now_usec;
	unsigned before = restored(manager);
	int first = 0;

	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		int r = tw_watch_pause(tw_manager_watch(manager, i), manager->settings, now_usec);

		first = first < 0 ? first : r;
	}
	*ret_count = restored(manager) - before;
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
		first = first < 0 ? first : r;
	}
	return first;
}

/* The host's is put back whether it is watched by now or not. */
int tw_manager_stop(struct tw_manager *manager)
{
	int first = tw_watch_restore(&manager->host);

	for (unsigned i = 0; i < manager->registry.count; i++) {
		int r = tw_watch_restore(&manager->registry.entries[i]->watch);

		first = first < 0 ? first : r;
	}
	return first;
}

const char *tw_manager_mode(const struct tw_manager *manager)
{
	return manager->settings->mode == TW_MODE_OBSERVE ? "observe" : "enforce";
}

void tw_manager_snapshot(struct tw_manager *manager, usec_t started_usec, usec_t now_usec, struct tw_text *json)
{
	usec_t monotonic_usec = manager->clock->read(manager->clock).now_usec;

	tw_json_begin(json, '{');
	tw_json_key(json, "version");
	tw_json_string(json, PACKAGE_VERSION);
	tw_json_key(json, "mode");
	tw_json_string(json, tw_manager_mode(manager));
	tw_json_key(json, "started");
	tw_json_milli(json, (int64_t)(started_usec / TW_USEC_PER_MSEC));
	tw_json_key(json, "now");
	tw_json_milli(json, (int64_t)(now_usec / TW_USEC_PER_MSEC));
	tw_json_key(json, "namespaces");
	tw_json_begin(json, '[');
	for (unsigned i = 0; i < tw_manager_count(manager); i++) {
		const struct tw_watch *watch = tw_manager_watch(manager, i);
		struct tw_situation situation;

		tw_watch_situation(watch, manager->settings, monotonic_usec, &situation);
		tw_snapshot_add_json(json, watch->name, &watch->sample, manager->settings->top, &situation);
	}
	tw_json_end(json, ']');
	tw_json_end(json, '}');
}

void tw_manager_status(struct tw_manager *manager, struct tw_text *text)
{
	static const enum tw_state states[] = { TW_STATE_ESTABLISHED, TW_STATE_CLOSE_WAIT, TW_STATE_TIME_WAIT };
	const struct tw_sample *sample = &manager->host.sample;
	unsigned raised = 0;

	for (unsigned i = 0; i < tw_manager_count(manager); i++)
		raised += tw_policy_raised(&tw_manager_watch(manager, i)->policy, manager->settings);
	tw_text_addf(text, "%u of %u rules raised", raised, manager->settings->rule_count * tw_manager_count(manager));
	if (manager->registry.count > 0)
		tw_text_addf(text, " in %u network namespaces", tw_manager_count(manager));
	if (!manager->host_watched)
		return;
	tw_text_add(text, manager->registry.count > 0 ? "; host: " : "; ");
	for (size_t i = 0; i < TW_ARRAY_SIZE(states); i++) {
		tw_text_addf(text, "%s ", tw_state_title(states[i]));
		tw_value_add(text, tw_sample_metric(sample, TW_METRIC_OF_STATE(states[i])), TW_UNIT_SOCKETS);
		tw_text_add(text, ", ");
	}
	tw_text_add(text, "port-use ");
	tw_value_add(text, tw_sample_metric(sample, TW_METRIC_PORT_USE), TW_UNIT_PERCENT);
}
