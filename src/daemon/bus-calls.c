/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/bus-calls.h"

#include "base/macros.h"
#include "base/text.h"
#include "config.h"
#include "daemon/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A snapshot of one namespace with a hundred rows of each table fits the first; no bus takes more than the last. */
#define TW_PAGE_MIN ((size_t)512 * 1024)
#define TW_PAGE_MAX ((size_t)32 * 1024 * 1024)
#define TW_STATUS_MAX 256
/* U+FFFD takes three bytes in the place of one. */
#define TW_UTF8_GROWTH 3

/* Who calls, as the bus knows it from the moment of the connection. */
struct tw_bus_caller {
	bool uid_known;
	bool pid_known;
	uint32_t uid;
	uint32_t pid;
};

void tw_bus_calls_init(struct tw_bus_calls *calls, const struct tw_bus_owner *owner)
{
	calls->owner = *owner;
	calls->started_usec = tw_process_realtime();
}

/* ---- who calls */

static int read_credential(sd_bus_message *reply, struct tw_bus_caller *caller)
{
	const char *name;
	uint32_t *number = NULL;
	int r = sd_bus_message_read(reply, "s", &name);

	if (r < 0)
		return r;
	if (strcmp(name, "UnixUserID") == 0) {
		number = &caller->uid;
		caller->uid_known = true;
	} else if (strcmp(name, "ProcessID") == 0) {
		number = &caller->pid;
		caller->pid_known = true;
	}
	return number ? sd_bus_message_read(reply, "v", "u", number) : sd_bus_message_skip(reply, "v");
}

static int read_caller(sd_bus_message *reply, struct tw_bus_caller *ret)
{
	struct tw_bus_caller caller = { 0 };
	int r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");

	while (r > 0) {
		r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv");
		if (r <= 0)
			break;
		r = read_credential(reply, &caller);
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	if (r < 0)
		return r;
	*ret = caller;
	return 0;
}

/*
 * Root and ourselves. A capability cannot be asked for: the bus does not carry it, and what /proc tells of a process is
 * what it has made of itself since the call, by running a program that has more.
 */
static bool may_act(const struct tw_bus_caller *caller)
{
	return caller->uid_known && (caller->uid == 0 || caller->uid == (uint32_t)getuid());
}

static int refuse(sd_bus_message *call)
{
	return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_ACCESS_DENIED,
					  "only root and the service itself may call %s()",
					  sd_bus_message_get_member(call));
}

static void forget(struct tw_bus_waiting *waiting)
{
	waiting->slot = sd_bus_slot_unref(waiting->slot);
	waiting->call = sd_bus_message_unref(waiting->call);
}

void tw_bus_calls_drop(struct tw_bus_calls *calls)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(calls->waiting); i++)
		forget(&calls->waiting[i]);
}

static int on_caller(sd_bus_message *reply, void *userdata, sd_bus_error *error TW_UNUSED)
{
	struct tw_bus_waiting *waiting = userdata;
	struct tw_bus_calls *calls = waiting->calls;
	sd_bus_message *call = sd_bus_message_ref(waiting->call);
	tw_bus_act act = waiting->act;
	struct tw_bus_caller caller = { 0 };
	int r = sd_bus_message_is_method_error(reply, NULL) ? -EACCES : read_caller(reply, &caller);

	forget(waiting);
	if (r < 0 || !may_act(&caller))
		r = refuse(call);
	else
		r = act(calls, call, &caller);
	if (r < 0)
		(void)sd_bus_reply_method_errno(call, r, NULL);
	(void)sd_bus_message_unref(call);
	return 0;
}

/*
 * SD_BUS_VTABLE_CAPABILITY() would ask the bus in a blocking call: a bus that hangs would stop the daemon for as long.
 * The question has a time-out, after which the caller is refused.
 */
static int ask_who(struct tw_bus_calls *calls, sd_bus_message *call, tw_bus_act act, sd_bus_error *error)
{
	struct tw_bus_waiting *waiting = NULL;
	int r;

	for (size_t i = 0; i < TW_ARRAY_SIZE(calls->waiting) && !waiting; i++)
		if (!calls->waiting[i].call)
			waiting = &calls->waiting[i];
	if (!waiting)
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many calls at once");
	r = sd_bus_call_method_async(sd_bus_message_get_bus(call), &waiting->slot, "org.freedesktop.DBus",
				     "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials",
				     on_caller, waiting, "s", sd_bus_message_get_sender(call));
	if (r < 0)
		return r;
	waiting->calls = calls;
	waiting->call = sd_bus_message_ref(call);
	waiting->act = act;
	return 1;
}

static void tell_request(struct tw_bus_calls *calls, const char *what, const struct tw_bus_caller *caller)
{
	if (caller->pid_known)
		tw_manager_tell(calls->owner.manager, TW_EVENT_REQUESTED, "%s, by user %u, process %u", what,
				caller->uid, caller->pid);
	else
		tw_manager_tell(calls->owner.manager, TW_EVENT_REQUESTED, "%s, by user %u", what, caller->uid);
}

/* ---- methods that change something */

static int append_text(sd_bus_message *reply, const char *string)
{
	char bytes[TW_UTF8_GROWTH * TW_PROBLEM_TEXT_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_utf8_add(&text, string);
	return sd_bus_message_append(reply, "s", bytes);
}

static int append_problems(sd_bus_message *reply, const struct tw_problems *problems)
{
	unsigned told = TW_MIN(problems->count, (unsigned)TW_PROBLEMS_MAX);
	char more[64];
	struct tw_text text;
	int r = 0;

	for (unsigned i = 0; i < told && r >= 0; i++)
		r = append_text(reply, problems->texts[i]);
	if (r < 0 || problems->count == told)
		return r;
	tw_text_init(&text, more, sizeof(more));
	tw_text_addf(&text, "and %u more problems", problems->count - told);
	return append_text(reply, more);
}

static int answer_problems(sd_bus_message *call, const struct tw_problems *problems)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "s");
	if (r >= 0 && problems)
		r = append_problems(reply, problems);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	(void)sd_bus_message_unref(reply);
	return r;
}

static int reload(struct tw_bus_calls *calls, sd_bus_message *call, const struct tw_bus_caller *caller)
{
	TW_CLEANUP_FREE struct tw_problems *problems = NULL;
	int r;

	tell_request(calls, "a reload", caller);
	r = calls->owner.reload(calls->owner.context, &problems);
	if (r < 0 && !problems)
		return r;
	return answer_problems(call, problems);
}

static int restore(struct tw_bus_calls *calls, sd_bus_message *call, const struct tw_bus_caller *caller)
{
	unsigned count = 0;
	int r;

	tell_request(calls, "every sysctl put back", caller);
	r = tw_manager_restore(calls->owner.manager, &count);
	if (r < 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED,
						  "%u put back, but not everything could be: %s", count, strerror(-r));
	return sd_bus_reply_method_return(call, "u", count);
}

static int set_mode(struct tw_bus_calls *calls, sd_bus_message *call, const struct tw_bus_caller *caller)
{
	const char *word;
	bool observe;
	int r = sd_bus_message_read(call, "s", &word);

	if (r < 0)
		return r;
	observe = strcmp(word, "observe") == 0;
	if (!observe && strcmp(word, "enforce") != 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_INVALID_ARGS, "the mode is enforce or observe");
	tell_request(calls, observe ? "observe mode" : "enforce mode", caller);
	r = tw_manager_set_mode(calls->owner.manager, observe ? TW_MODE_OBSERVE : TW_MODE_ENFORCE);
	if (r < 0)
		return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED,
						  "the mode is observe, but not everything could be put back: %s",
						  strerror(-r));
	return sd_bus_reply_method_return(call, "");
}

static int on_reload(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask_who(userdata, call, reload, error);
}

static int on_restore(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask_who(userdata, call, restore, error);
}

static int on_set_mode(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return ask_who(userdata, call, set_mode, error);
}

/* ---- what everybody may know */

/* Into as much room as it takes. NULL without that. */
static char *write_snapshot(struct tw_bus_calls *calls)
{
	for (size_t capacity = TW_PAGE_MIN; capacity <= TW_PAGE_MAX; capacity *= 2) {
		TW_CLEANUP_FREE char *bytes = malloc(capacity);
		struct tw_text page;

		if (!bytes)
			return NULL;
		tw_text_init(&page, bytes, capacity);
		tw_manager_snapshot(calls->owner.manager, calls->started_usec, tw_process_realtime(), &page);
		if (!page.cut)
			return TW_TAKE_PTR(bytes);
	}
	return NULL;
}

static int on_get_snapshot(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct tw_bus_calls *calls = userdata;
	usec_t cpu_usec = tw_process_thread_cpu();
	TW_CLEANUP_FREE char *bytes = write_snapshot(calls);
	int r;

	if (!bytes)
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "there is no room for the snapshot");
	r = sd_bus_reply_method_return(call, "s", bytes);
	calls->owner.manager->booked_usec += tw_usec_since(tw_process_thread_cpu(), cpu_usec);
	return r;
}

static int get_mode(sd_bus *bus TW_UNUSED, const char *path TW_UNUSED, const char *interface TW_UNUSED,
		    const char *property TW_UNUSED, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error TW_UNUSED)
{
	struct tw_bus_calls *calls = userdata;

	return sd_bus_message_append(reply, "s", tw_manager_mode(calls->owner.manager));
}

static int get_rules_total(sd_bus *bus TW_UNUSED, const char *path TW_UNUSED, const char *interface TW_UNUSED,
			   const char *property TW_UNUSED, sd_bus_message *reply, void *userdata,
			   sd_bus_error *error TW_UNUSED)
{
	struct tw_bus_calls *calls = userdata;

	return sd_bus_message_append(reply, "u", calls->owner.manager->settings->rule_count);
}

static int get_raised(sd_bus *bus TW_UNUSED, const char *path TW_UNUSED, const char *interface TW_UNUSED,
		      const char *property TW_UNUSED, sd_bus_message *reply, void *userdata,
		      sd_bus_error *error TW_UNUSED)
{
	struct tw_bus_calls *calls = userdata;
	const struct tw_manager *manager = calls->owner.manager;
	const struct tw_settings *settings = manager->settings;
	int r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "s");

	for (unsigned i = 0; i < settings->rule_count && r >= 0; i++)
		if (tw_manager_is_raised(manager, i))
			r = append_text(reply, settings->rules[i].name);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_status(sd_bus *bus TW_UNUSED, const char *path TW_UNUSED, const char *interface TW_UNUSED,
		      const char *property TW_UNUSED, sd_bus_message *reply, void *userdata,
		      sd_bus_error *error TW_UNUSED)
{
	struct tw_bus_calls *calls = userdata;
	char bytes[TW_STATUS_MAX];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_manager_status(calls->owner.manager, &text);
	return append_text(reply, bytes);
}

static int get_version(sd_bus *bus TW_UNUSED, const char *path TW_UNUSED, const char *interface TW_UNUSED,
		       const char *property TW_UNUSED, sd_bus_message *reply, void *userdata TW_UNUSED,
		       sd_bus_error *error TW_UNUSED)
{
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

/* UNPRIVILEGED: sd-bus itself checks nobody, see ask_who(). */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("GetSnapshot", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), on_get_snapshot,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("as", errors), on_reload,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Restore", SD_BUS_NO_ARGS, SD_BUS_RESULT("u", count), on_restore,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetMode", SD_BUS_ARGS("s", mode), SD_BUS_NO_RESULT, on_set_mode,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Mode", "s", get_mode, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("RulesTotal", "u", get_rules_total, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Raised", "as", get_raised, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Started", "t", NULL, offsetof(struct tw_bus_calls, started_usec),
			SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Status", "s", get_status, 0, 0),
	SD_BUS_SIGNAL_WITH_ARGS("Event", SD_BUS_ARGS("s", event, "s", namespace, "s", rule, "s", message), 0),
	SD_BUS_VTABLE_END,
};

int tw_bus_calls_add(struct tw_bus_calls *calls, sd_bus *bus)
{
	return sd_bus_add_object_vtable(bus, NULL, TW_BUS_PATH, TW_BUS_INTERFACE, vtable, calls);
}
