/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "remote/bus-source.h"

#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>

/* Longest that is kept of what an error says. */
#define WORDS_MAX 512
/* A daemon answers in milliseconds; one that puts back sysctls or reads a configuration in less than this. */
#define TIMEOUT_USEC (10 * TW_USEC_PER_SEC)

#define NAME_MATCH                                                                  \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" TW_REMOTE_NAME "'"

struct tw_remote {
	sd_bus *bus;
	tw_remote_on_event on_event;
	void *context; /* borrows */
	char words[WORDS_MAX];
};

static void error_done(sd_bus_error *error)
{
	sd_bus_error_free(error);
}
#define CLEANUP_ERROR TW_CLEANUP(error_done)

static void message_done(sd_bus_message **message)
{
	(void)sd_bus_message_unref(*message);
}
#define CLEANUP_MESSAGE TW_CLEANUP(message_done)

/* Where there is no bus at all, there is no daemon on it either. */
static int connect_failure(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR || r == -ENOMEDIUM ? -ENXIO : r;
}

int tw_remote_open_bus(const char *address, sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r;

	if (!address)
		return sd_bus_open_system(ret);
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		(void)sd_bus_unref(bus);
	else
		*ret = bus;
	return r;
}

int tw_remote_new(const char *address, struct tw_remote **ret)
{
	TW_CLEANUP_REMOTE struct tw_remote *made = calloc(1, sizeof(*made));
	int r;

	if (!made)
		return -ENOMEM;
	r = tw_remote_open_bus(address, &made->bus);
	if (r < 0)
		return connect_failure(r);
	/* The first call says hello: only then it is known whether somebody listens. */
	r = sd_bus_get_unique_name(made->bus, &(const char *){ NULL });
	if (r < 0)
		return connect_failure(r);
	*ret = TW_TAKE_PTR(made);
	return 0;
}

struct tw_remote *tw_remote_free(struct tw_remote *bus)
{
	if (bus) {
		(void)sd_bus_flush_close_unref(bus->bus);
		free(bus);
	}
	return NULL;
}

const char *tw_remote_words(const struct tw_remote *bus)
{
	return bus->words;
}

/* The errors by which a bus says that nobody of the name is there. */
static bool is_nobody(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
}

static bool is_refusal(const sd_bus_error *error)
{
	return sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

static int failure(struct tw_remote *bus, const sd_bus_error *error, int r)
{
	(void)tw_text_copy(bus->words, sizeof(bus->words), error->message ? error->message : strerror(-r));
	if (is_nobody(error))
		return -ENXIO;
	return is_refusal(error) ? -EACCES : r;
}

static int new_call(struct tw_remote *bus, const char *interface, const char *method, sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(bus->bus, ret, TW_REMOTE_NAME, TW_REMOTE_PATH, interface, method);

	if (r < 0)
		return r;
	/* Asking must not start it. */
	return sd_bus_message_set_auto_start(*ret, 0);
}

static int send_call(struct tw_remote *bus, sd_bus_message *call, sd_bus_message **ret_answer)
{
	CLEANUP_ERROR sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call(bus->bus, call, TIMEOUT_USEC, &error, ret_answer);

	return r < 0 ? failure(bus, &error, r) : 0;
}

static int call_plain(struct tw_remote *bus, const char *method, sd_bus_message **ret_answer)
{
	CLEANUP_MESSAGE sd_bus_message *call = NULL;
	int r = new_call(bus, TW_REMOTE_INTERFACE, method, &call);

	return r < 0 ? r : send_call(bus, call, ret_answer);
}

/* An answer that cannot be read is said of in general words. */
static int unreadable(struct tw_remote *bus, int r)
{
	(void)tw_text_copy(bus->words, sizeof(bus->words), "its answer is not understood");
	return r < 0 ? r : -EBADMSG;
}

static int take_copy(const char *string, char **ret)
{
	char *copy = strdup(string);

	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int tw_remote_snapshot(struct tw_remote *bus, char **ret_json)
{
	CLEANUP_MESSAGE sd_bus_message *answer = NULL;
	const char *json;
	int r = call_plain(bus, "GetSnapshot", &answer);

	if (r < 0)
		return r;
	r = sd_bus_message_read(answer, "s", &json);
	return r <= 0 ? unreadable(bus, r) : take_copy(json, ret_json);
}

int tw_remote_reload(struct tw_remote *bus, char ***ret_errors)
{
	CLEANUP_MESSAGE sd_bus_message *answer = NULL;
	char **errors = NULL;
	int r = call_plain(bus, "Reload", &answer);

	if (r < 0)
		return r;
	r = sd_bus_message_read_strv(answer, &errors);
	if (r < 0)
		return unreadable(bus, r);
	*ret_errors = errors;
	return 0;
}

char **tw_remote_errors_free(char **errors)
{
	for (char **error = errors; error && *error; error++)
		free(*error);
	free(errors);
	return NULL;
}

int tw_remote_restore(struct tw_remote *bus, uint32_t *ret_count)
{
	CLEANUP_MESSAGE sd_bus_message *answer = NULL;
	int r = call_plain(bus, "Restore", &answer);

	if (r < 0)
		return r;
	r = sd_bus_message_read(answer, "u", ret_count);
	return r <= 0 ? unreadable(bus, r) : 0;
}

int tw_remote_set_mode(struct tw_remote *bus, const char *mode)
{
	CLEANUP_MESSAGE sd_bus_message *call = NULL;
	int r = new_call(bus, TW_REMOTE_INTERFACE, "SetMode", &call);

	if (r >= 0)
		r = sd_bus_message_append(call, "s", mode);
	return r < 0 ? r : send_call(bus, call, NULL);
}

int tw_remote_mode(struct tw_remote *bus, char **ret_mode)
{
	CLEANUP_MESSAGE sd_bus_message *call = NULL, *answer = NULL;
	const char *mode;
	int r = new_call(bus, "org.freedesktop.DBus.Properties", "Get", &call);

	if (r >= 0)
		r = sd_bus_message_append(call, "ss", TW_REMOTE_INTERFACE, "Mode");
	if (r >= 0)
		r = send_call(bus, call, &answer);
	if (r < 0)
		return r;
	r = sd_bus_message_read(answer, "v", "s", &mode);
	return r <= 0 ? unreadable(bus, r) : take_copy(mode, ret_mode);
}

/* ---- events */

/*
 * The bus hands what is sent to all only to who asked for it of that sender. What is sent to one alone it hands to him
 * whoever sends it, and sd-bus cannot tell: it does not know who of those on the bus has which name.
 */
static bool is_for_all(sd_bus_message *message)
{
	return !sd_bus_message_get_destination(message);
}

static int on_signal(sd_bus_message *message, void *userdata, TW_UNUSED sd_bus_error *error)
{
	struct tw_remote *bus = userdata;
	struct tw_remote_event event;

	if (is_for_all(message) &&
	    sd_bus_message_read(message, "ssss", &event.event, &event.namespace, &event.rule, &event.message) > 0)
		bus->on_event(bus->context, &event);
	return 0;
}

static int on_owner(sd_bus_message *message, void *userdata, TW_UNUSED sd_bus_error *error)
{
	struct tw_remote *bus = userdata;
	const char *name, *before, *after;
	struct tw_remote_event event = { .namespace = "", .rule = "" };

	if (!is_for_all(message) || sd_bus_message_read(message, "sss", &name, &before, &after) <= 0)
		return 0;
	event.event = after[0] != '\0' ? "appeared" : "vanished";
	event.message = after[0] != '\0' ? "timewaitd has started." : "timewaitd has ended.";
	bus->on_event(bus->context, &event);
	return 0;
}

int tw_remote_listen(struct tw_remote *bus, tw_remote_on_event on_event, void *context)
{
	int r;

	bus->on_event = on_event;
	bus->context = context;
	/* By its name, not by its connection: so that one that is started anew is heard too. */
	r = sd_bus_match_signal(bus->bus, NULL, TW_REMOTE_NAME, TW_REMOTE_PATH, TW_REMOTE_INTERFACE, "Event", on_signal,
				bus);
	return r < 0 ? r : sd_bus_add_match(bus->bus, NULL, NAME_MATCH, on_owner, bus);
}

int tw_remote_wait(struct tw_remote *bus, usec_t timeout_usec)
{
	int r = sd_bus_process(bus->bus, NULL);

	if (r == 0)
		r = sd_bus_wait(bus->bus, timeout_usec);
	if (r == -EINTR)
		return 0;
	return r == -ENOTCONN || r == -ECONNRESET ? -ENXIO : TW_MIN(r, 0);
}
