/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/bus.h"

#include "base/fd.h"
#include "base/text.h"
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No bus takes more. What a snapshot does not fill is never touched, and takes no memory. */
#define PAGE_MAX ((size_t)32 * 1024 * 1024)
#define STATUS_MAX 256
/* U+FFFD takes three bytes in the place of one. */
#define UTF8_GROWTH 3

/* ---- who calls */

/* As the bus knows it from the moment of the connection. */
struct caller {
	uint32_t uid; /* UINT32_MAX: not known; nobody has it */
	uint32_t pid; /* 0: not known */
};

static int read_caller(sd_bus_message *reply, struct caller *ret)
{
	int r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");

	*ret = (struct caller){ .uid = UINT32_MAX };
	while (r >= 0 && (r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
		const char *name;

		r = sd_bus_message_read(reply, "s", &name);
		if (r >= 0 && strcmp(name, "UnixUserID") == 0)
			r = sd_bus_message_read(reply, "v", "u", &ret->uid);
		else if (r >= 0 && strcmp(name, "ProcessID") == 0)
			r = sd_bus_message_read(reply, "v", "u", &ret->pid);
		else if (r >= 0)
			r = sd_bus_message_skip(reply, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	return r;
}

static void forget(struct tw_bus_waiting *waiting)
{
	waiting->slot = sd_bus_slot_unref(waiting->slot);
	waiting->call = sd_bus_message_unref(waiting->call);
}

void tw_bus_drop_calls(struct tw_bus *bus)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(bus->waiting); i++)
		forget(&bus->waiting[i]);
}

/* ---- methods that change something */

static void tell_request(struct tw_bus *bus, const char *what, const struct caller *caller)
{
	if (caller->pid != 0)
		tw_recorder_tell(bus->manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_REQUESTED, TW_SEVERITY_NOTICE,
				 "%s, by user %u, process %u", what, caller->uid, caller->pid);
	else
		tw_recorder_tell(bus->manager->recorder, TW_NAMESPACE_HOST, TW_EVENT_REQUESTED, TW_SEVERITY_NOTICE,
				 "%s, by user %u", what, caller->uid);
}

static int append_text(sd_bus_message *reply, const char *string)
{
	char bytes[UTF8_GROWTH * TW_PROBLEM_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_utf8_add(&text, string);
	return sd_bus_message_append(reply, "s", bytes);
}

static int answer_problems(sd_bus_message *call, const struct tw_problems *problems)
{
	unsigned count = problems ? problems->count : 0, told = TW_MIN(count, (unsigned)TW_PROBLEMS_MAX);
	sd_bus_message *reply = NULL;
	char more[64];
	struct tw_text text;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "s");
	for (unsigned i = 0; i < told && r >= 0; i++)
		r = append_text(reply, problems->texts[i]);
	if (r >= 0 && count > told) {
		tw_text_init(&text, more, sizeof(more));
		tw_text_addf(&text, "and %u more problems", count - told);
		r = append_text(reply, more);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	(void)sd_bus_message_unref(reply);
	return r;
}

static int reload(struct tw_bus *bus, sd_bus_message *call, const struct caller *caller)
{
	TW_CLEANUP_FREE struct tw_problems *problems = NULL;
	int r;

	tell_request(bus, "a reload", caller);
	r = bus->reload(bus->context, &problems);
	return r < 0 && !problems ? r : answer_problems(call, problems);
}

static int restore(struct tw_bus *bus, sd_bus_message *call, const struct caller *caller)
{
	unsigned count = 0;
	int r;

	tell_request(bus, "every sysctl put back", caller);
	r = tw_manager_restore(bus->manager, &count);
	if (r < 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED,
						  "%u put back, but not everything could be: %s", count, strerror(-r));
	return sd_bus_reply_method_return(call, "u", count);
}

static int set_mode(struct tw_bus *bus, sd_bus_message *call, const struct caller *caller)
{
	const char *word;
	bool observe;
	int r = sd_bus_message_read(call, "s", &word);

	if (r < 0)
		return r;
	observe = strcmp(word, "observe") == 0;
	if (!observe && strcmp(word, "enforce") != 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_INVALID_ARGS, "the mode is enforce or observe");
	tell_request(bus, observe ? "observe mode" : "enforce mode", caller);
	r = tw_manager_set_mode(bus->manager, observe ? TW_MODE_OBSERVE : TW_MODE_ENFORCE);
	if (r < 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED,
						  "the mode is observe, but not everything could be put back: %s",
						  strerror(-r));
	return sd_bus_reply_method_return(call, "");
}

/* Once its caller is known and may: replies. Returns 0 or -errno, which is told to the caller. */
static int act(struct tw_bus *bus, sd_bus_message *call, const struct caller *caller)
{
	const char *method = sd_bus_message_get_member(call);

	if (strcmp(method, "Reload") == 0)
		return reload(bus, call, caller);
	return strcmp(method, "Restore") == 0 ? restore(bus, call, caller) : set_mode(bus, call, caller);
}

/*
 * Root and ourselves may. A capability cannot be asked for: the bus does not carry it, and what /proc tells of a
 * process is what it has made of itself since the call, by running a program that has more.
 */
static int on_caller(sd_bus_message *reply, void *userdata, sd_bus_error *error TW_UNUSED)
{
	struct tw_bus_waiting *waiting = userdata;
	struct tw_bus *bus = waiting->bus;
	sd_bus_message *call = sd_bus_message_ref(waiting->call);
	struct caller caller;
	int r = sd_bus_message_is_method_error(reply, NULL) ? -EACCES : read_caller(reply, &caller);

	forget(waiting);
	if (r < 0 || (caller.uid != 0 && caller.uid != (uint32_t)getuid()))
		r = sd_bus_reply_method_errorf(call, SD_BUS_ERROR_ACCESS_DENIED,
					       "only root and the service itself may call %s()",
					       sd_bus_message_get_member(call));
	else
		r = act(bus, call, &caller);
	if (r < 0)
		(void)sd_bus_reply_method_errno(call, r, NULL);
	(void)sd_bus_message_unref(call);
	return 0;
}

/*
 * SD_BUS_VTABLE_CAPABILITY() would ask the bus in a blocking call: a bus that hangs would stop the daemon for as long.
 * The question has a time-out, after which the caller is refused.
 */
static int on_change(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct tw_bus *bus = userdata;
	struct tw_bus_waiting *waiting = NULL;
	int r;

	for (size_t i = 0; i < TW_ARRAY_SIZE(bus->waiting) && !waiting; i++)
		if (!bus->waiting[i].call)
			waiting = &bus->waiting[i];
	if (!waiting)
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many calls at once");
	r = sd_bus_call_method_async(sd_bus_message_get_bus(call), &waiting->slot, "org.freedesktop.DBus",
				     "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials",
				     on_caller, waiting, "s", sd_bus_message_get_sender(call));
	if (r < 0)
		return r;
	waiting->bus = bus;
	waiting->call = sd_bus_message_ref(call);
	return 1;
}

/* ---- what everybody may know */

/* What it costs does not count against cpu-budget: whoever asks often must not stop the counting. */
static int on_get_snapshot(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct tw_bus *bus = userdata;
	usec_t cpu_usec = tw_clock_read(CLOCK_THREAD_CPUTIME_ID);
	TW_CLEANUP_FREE char *bytes = malloc(PAGE_MAX);
	struct tw_text page;
	int r;

	if (!bytes)
		return -ENOMEM;
	tw_text_init(&page, bytes, PAGE_MAX);
	tw_manager_snapshot(bus->manager, bus->started_usec, tw_clock_read(CLOCK_REALTIME), &page);
	if (page.cut)
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "there is no room for the snapshot");
	r = sd_bus_reply_method_return(call, "s", bytes);
	bus->manager->booked_usec += tw_usec_since(tw_clock_read(CLOCK_THREAD_CPUTIME_ID), cpu_usec);
	return r;
}

static int append_raised(sd_bus_message *reply, struct tw_manager *manager)
{
	const struct tw_settings *settings = manager->settings;
	int r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "s");

	for (unsigned i = 0; i < settings->rule_count && r >= 0; i++)
		if (tw_manager_is_raised(manager, i))
			r = append_text(reply, settings->rules[i].name);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_property(sd_bus *connection TW_UNUSED, const char *path TW_UNUSED, const char *interface TW_UNUSED,
			const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error TW_UNUSED)
{
	struct tw_manager *manager = ((struct tw_bus *)userdata)->manager;
	char status[STATUS_MAX];
	struct tw_text text;

	if (strcmp(property, "Version") == 0)
		return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
	if (strcmp(property, "Mode") == 0)
		return sd_bus_message_append(reply, "s", tw_manager_mode(manager));
	if (strcmp(property, "RulesTotal") == 0)
		return sd_bus_message_append(reply, "u", manager->settings->rule_count);
	if (strcmp(property, "Raised") == 0)
		return append_raised(reply, manager);
	tw_text_init(&text, status, sizeof(status));
	tw_manager_status(manager, &text);
	return append_text(reply, status);
}

/* UNPRIVILEGED: sd-bus itself checks nobody, see on_change(). */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("GetSnapshot", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), on_get_snapshot,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("as", errors), on_change,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Restore", SD_BUS_NO_ARGS, SD_BUS_RESULT("u", count), on_change,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetMode", SD_BUS_ARGS("s", mode), SD_BUS_NO_RESULT, on_change,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Mode", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("RulesTotal", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Raised", "as", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Started", "t", NULL, offsetof(struct tw_bus, started_usec), SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Status", "s", get_property, 0, 0),
	SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("s", event, "s", namespace, "s", rule, "s", message), 0),
	SD_BUS_VTABLE_END,
};

int tw_bus_add_object(struct tw_bus *bus)
{
	return sd_bus_add_object_vtable(bus->bus, NULL, TW_BUS_PATH, TW_BUS_INTERFACE, vtable, bus);
}
