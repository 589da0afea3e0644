/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/bus.h"

#include "base/fd.h"
#include "base/text.h"
#include "tell/message.h"

#include <errno.h>
#include <string.h>

/* Behind ticks, signals and the worker, which are of the normal priority. */
#define BUS_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)
/* After a failure the bus is tried again so much later, and each time twice as late. */
#define RETRY_MIN_USEC TW_USEC_PER_SEC
#define RETRY_MAX_USEC TW_USEC_PER_MINUTE
/* A bus that is there answers at once. */
#define BUS_TIMEOUT_USEC (5 * TW_USEC_PER_SEC)
/* Signals that wait for a bus that does not read: more are left out. */
#define BUS_QUEUE_MAX 256
/* Longest MESSAGE that a signal carries: a finding, a reason and an advice, with room to spare. */
#define MESSAGE_MAX 2048
#define BUS "org.freedesktop.DBus"
#define BUS_LOCAL "org.freedesktop.DBus.Local"

/* ---- signals */

static const bool signalled[TW_EVENT_COUNT] = {
	[TW_EVENT_RAISED] = true,	 [TW_EVENT_CLEARED] = true,   [TW_EVENT_ADJUSTED] = true,
	[TW_EVENT_RESTORED] = true,	 [TW_EVENT_YIELDED] = true,   [TW_EVENT_REFUSED] = true,
	[TW_EVENT_EFFECT] = true,	 [TW_EVENT_DESTROYED] = true, [TW_EVENT_RELOADED] = true,
	[TW_EVENT_RELOAD_FAILED] = true,
};

/* What the bus does not take in time is left out: the journal has it. */
static bool can_send(const struct tw_bus *bus)
{
	uint64_t queued;

	return bus->owned && sd_bus_get_n_queued_write(bus->bus, &queued) >= 0 && queued < BUS_QUEUE_MAX;
}

static void send_event(struct tw_bus *bus, const char *namespace, const struct tw_event *event)
{
	char message[MESSAGE_MAX], clean[3 * MESSAGE_MAX], rule[3 * TW_RULE_NAME_MAX], where[3 * TW_NAMESPACE_NAME_MAX];
	struct tw_text text;

	tw_text_init(&text, message, sizeof(message));
	tw_message_add(&text, namespace, event);
	tw_text_init(&text, clean, sizeof(clean));
	tw_utf8_add(&text, message);
	tw_text_init(&text, rule, sizeof(rule));
	tw_utf8_add(&text, event->rule ? event->rule->name : event->rule_name);
	/* A namespace is called as whoever is in it likes. */
	tw_text_init(&text, where, sizeof(where));
	tw_utf8_add(&text, namespace);
	(void)sd_bus_emit_signal(bus->bus, TW_BUS_PATH, TW_BUS_INTERFACE, "Event", "ssss", tw_event_name(event->kind),
				 where, rule, clean);
}

static void tell(struct tw_recorder *recorder, const char *namespace, const struct tw_event *event)
{
	struct tw_bus *bus = (struct tw_bus *)recorder;

	bus->next->tell(bus->next, namespace, event);
	if (event->kind == TW_EVENT_RAISED || event->kind == TW_EVENT_CLEARED)
		bus->raised_changed = true;
	if (event->kind != TW_EVENT_SAMPLE && bus->settle)
		(void)sd_event_source_set_enabled(bus->settle, SD_EVENT_ONESHOT);
	if (signalled[event->kind] && can_send(bus))
		send_event(bus, namespace, event);
}

/*
 * Properties are told of when everything that an event of the loop did is done: no rule is half-way then. Each change
 * of them has its record, and no other way into here: most ticks have nothing to tell, and are not to pay for it.
 */
static int on_settle(sd_event_source *source TW_UNUSED, void *userdata)
{
	static char raised[] = "Raised", mode[] = "Mode", rules_total[] = "RulesTotal";
	struct tw_bus *bus = userdata;
	const struct tw_settings *settings = bus->manager->settings;
	char *changed[4];
	size_t count = 0;

	if (bus->raised_changed)
		changed[count++] = raised;
	if (bus->mode_told != settings->mode)
		changed[count++] = mode;
	if (bus->rules_told != settings->rule_count)
		changed[count++] = rules_total;
	changed[count] = NULL;
	bus->raised_changed = false;
	bus->mode_told = settings->mode;
	bus->rules_told = settings->rule_count;
	if (count > 0 && can_send(bus))
		(void)sd_bus_emit_properties_changed_strv(bus->bus, TW_BUS_PATH, TW_BUS_INTERFACE, changed);
	return 0;
}

/* ---- the connection and the name */

/* Once, until the name is ours: whoever asks over the bus gets no answer meanwhile. */
static void tell_trouble(struct tw_bus *bus, const char *what, const char *why)
{
	if (!bus->trouble_told)
		tw_recorder_tell(bus->next, TW_NAMESPACE_HOST, TW_EVENT_DEGRADED, TW_SEVERITY_WARNING,
				 "%s: %s; nobody can ask over D-Bus until then", what, why);
	bus->trouble_told = true;
}

static void disconnect(struct tw_bus *bus)
{
	bus->owned = false;
	tw_bus_drop_calls(bus);
	bus->bus = sd_bus_close_unref(bus->bus);
}

static void retry_later(struct tw_bus *bus)
{
	bus->owned = false;
	(void)sd_event_source_set_time(bus->retry, tw_usec_add(tw_clock_read(CLOCK_MONOTONIC), bus->retry_usec));
	(void)sd_event_source_set_enabled(bus->retry, SD_EVENT_ONESHOT);
	bus->retry_usec = TW_MIN(2 * bus->retry_usec, RETRY_MAX_USEC);
}

static void own(struct tw_bus *bus)
{
	bus->owned = true;
	bus->trouble_told = false;
	bus->retry_usec = RETRY_MIN_USEC;
}

static int on_disconnected(sd_bus_message *message TW_UNUSED, void *userdata, sd_bus_error *error TW_UNUSED)
{
	retry_later(userdata);
	return 0;
}

/* Of RequestName: 1 ours, 2 in the queue behind another owner, 4 ours already (D-Bus specification). */
static int on_requested(sd_bus_message *reply, void *userdata, sd_bus_error *error TW_UNUSED)
{
	struct tw_bus *bus = userdata;
	const sd_bus_error *refusal = sd_bus_message_get_error(reply);
	uint32_t answer = 0;

	if (refusal) {
		tell_trouble(bus, "the bus does not give us the name " TW_BUS_NAME,
			     refusal->message ? refusal->message : refusal->name);
		retry_later(bus);
		return 0;
	}
	if (sd_bus_message_read(reply, "u", &answer) >= 0 && (answer == 1 || answer == 4))
		own(bus);
	else
		tell_trouble(bus, "the name " TW_BUS_NAME, "another process has it");
	return 0;
}

/*
 * What the bus itself says of our name. Anybody may send a signal like it to us alone, and sd-bus takes each that looks
 * so: it does not know who of those on the bus has which name. Who sends it the bus says itself.
 */
static int on_name(sd_bus_message *message, void *userdata, sd_bus_error *error TW_UNUSED)
{
	const char *sender = sd_bus_message_get_sender(message), *name;
	struct tw_bus *bus = userdata;

	if (!sender || strcmp(sender, BUS) != 0 || sd_bus_message_read(message, "s", &name) < 0 ||
	    strcmp(name, TW_BUS_NAME) != 0)
		return 0;
	if (strcmp(sd_bus_message_get_member(message), "NameAcquired") == 0) {
		own(bus);
		return 0;
	}
	bus->owned = false;
	tell_trouble(bus, "the name " TW_BUS_NAME, "it was taken away");
	return 0;
}

static int match(struct tw_bus *bus, const char *sender, const char *member, sd_bus_message_handler_t handler)
{
	return sd_bus_match_signal_async(bus->bus, NULL, sender, NULL, sender, member, handler, NULL, bus);
}

/*
 * Nothing of this waits: a bus that is not there yet is watched for by its socket, and what is asked is sent when the
 * connection stands.
 */
static int connect_to(struct tw_bus *bus)
{
	int r = sd_bus_new(&bus->bus);

	if (r >= 0)
		r = sd_bus_set_address(bus->bus, bus->address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus->bus, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(bus->bus, true);
	/* At its exit the loop would flush, and wait for a bus that hangs; and what the stop puts back is told after.
	 */
	if (r >= 0)
		r = sd_bus_set_close_on_exit(bus->bus, false);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus->bus, BUS_TIMEOUT_USEC);
	if (r >= 0)
		r = tw_bus_add_object(bus);
	if (r >= 0)
		r = match(bus, BUS_LOCAL, "Disconnected", on_disconnected);
	if (r >= 0)
		r = sd_bus_attach_event(bus->bus, bus->event, BUS_PRIORITY);
	if (r >= 0)
		r = sd_bus_start(bus->bus);
	if (r >= 0)
		r = match(bus, BUS, "NameAcquired", on_name);
	if (r >= 0)
		r = match(bus, BUS, "NameLost", on_name);
	return r < 0 ? r : sd_bus_request_name_async(bus->bus, NULL, TW_BUS_NAME, SD_BUS_NAME_QUEUE, on_requested, bus);
}

static int on_retry(sd_event_source *source TW_UNUSED, uint64_t usec TW_UNUSED, void *userdata)
{
	struct tw_bus *bus = userdata;
	int r;

	disconnect(bus);
	r = connect_to(bus);
	if (r < 0) {
		disconnect(bus);
		tell_trouble(bus, "cannot use the bus", strerror(-r));
		retry_later(bus);
	}
	return 0;
}

/* ---- its life */

void tw_bus_init(struct tw_bus *bus, const char *address, struct tw_recorder *next)
{
	bus->recorder.tell = tell;
	bus->next = next;
	bus->address = address;
	bus->retry_usec = RETRY_MIN_USEC;
}

void tw_bus_done(struct tw_bus *bus)
{
	tw_bus_detach(bus);
	disconnect(bus);
}

int tw_bus_attach(struct tw_bus *bus, sd_event *event, struct tw_manager *manager,
		  int (*reload)(void *context, struct tw_problems **ret_problems), void *context)
{
	int r;

	if (!bus->address)
		return 0;
	bus->event = event;
	bus->manager = manager;
	bus->reload = reload;
	bus->context = context;
	bus->started_usec = tw_clock_read(CLOCK_REALTIME);
	bus->mode_told = manager->settings->mode;
	bus->rules_told = manager->settings->rule_count;
	r = sd_event_add_time(event, &bus->retry, CLOCK_MONOTONIC, 0, RETRY_MIN_USEC / 10, on_retry, bus);
	if (r >= 0)
		r = sd_event_source_set_enabled(bus->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(bus->retry, BUS_PRIORITY);
	if (r >= 0)
		r = sd_event_add_defer(event, &bus->settle, on_settle, bus);
	if (r >= 0)
		r = sd_event_source_set_enabled(bus->settle, SD_EVENT_OFF);
	return r < 0 ? r : on_retry(NULL, 0, bus);
}

void tw_bus_detach(struct tw_bus *bus)
{
	bus->settle = sd_event_source_unref(bus->settle);
	bus->retry = sd_event_source_unref(bus->retry);
	tw_bus_drop_calls(bus);
	if (bus->bus)
		(void)sd_bus_detach_event(bus->bus);
	bus->event = NULL;
}
