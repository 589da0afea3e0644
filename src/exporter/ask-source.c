/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/ask-source.h"

#include "base/fd.h"
#include "remote/bus-source.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-bus.h>

/* Less than the 10 s that a scraper waits as a rule: it learns that the daemon does not answer. */
#define TIMEOUT_USEC (5 * TW_USEC_PER_SEC)

struct tw_ask {
	sd_event *event;     /* borrows */
	const char *address; /* borrows */
	tw_ask_on_answer on_answer;
	void *context; /* borrows */
	sd_bus *bus;   /* NULL: it is connected to when somebody asks */
	bool stale;    /* it is to be connected to anew */
	sd_bus_slot *call;
	usec_t since_usec;
};

int tw_ask_new(sd_event *event, const char *address, tw_ask_on_answer on_answer, void *context, struct tw_ask **ret)
{
	struct tw_ask *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->event = event;
	made->address = address;
	made->on_answer = on_answer;
	made->context = context;
	*ret = made;
	return 0;
}

static void disconnect(struct tw_ask *ask)
{
	ask->call = sd_bus_slot_unref(ask->call);
	ask->bus = sd_bus_close_unref(ask->bus);
}

struct tw_ask *tw_ask_free(struct tw_ask *ask)
{
	if (ask) {
		disconnect(ask);
		free(ask);
	}
	return NULL;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error TW_UNUSED)
{
	struct tw_ask *ask = userdata;
	const sd_bus_error *failure = sd_bus_message_get_error(reply);
	struct tw_ask_answer answer = { .took_usec = tw_usec_since(tw_clock_read(CLOCK_MONOTONIC), ask->since_usec) };
	bool failed = failure != NULL;

	if (failed)
		answer.why = failure->message ? failure->message : failure->name;
	else if (sd_bus_message_read(reply, "s", &answer.json) <= 0)
		answer = (struct tw_ask_answer){ .why = "its answer is none" };
	ask->on_answer(ask->context, &answer);
	ask->call = sd_bus_slot_unref(ask->call);
	/* Not while it is at work. A bus that was started again does not come back on the old connection. */
	ask->stale = failed;
	return 0;
}

static int connect_bus(struct tw_ask *ask)
{
	int r;

	if (ask->bus && !ask->stale && sd_bus_is_open(ask->bus) > 0)
		return 0;
	disconnect(ask);
	ask->stale = false;
	r = tw_remote_open_bus(ask->address, &ask->bus);
	if (r >= 0)
		r = sd_bus_attach_event(ask->bus, ask->event, SD_EVENT_PRIORITY_NORMAL);
	return r;
}

static int call(struct tw_ask *ask)
{
	sd_bus_message *message = NULL;
	int r = connect_bus(ask);

	if (r >= 0)
		r = sd_bus_message_new_method_call(ask->bus, &message, TW_REMOTE_NAME, TW_REMOTE_PATH,
						   TW_REMOTE_INTERFACE, "GetSnapshot");
	/* Nobody is to be started for it. */
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, 0);
	if (r >= 0)
		r = sd_bus_call_async(ask->bus, &ask->call, message, on_reply, ask, TIMEOUT_USEC);
	(void)sd_bus_message_unref(message);
	return r;
}

void tw_ask_begin(struct tw_ask *ask)
{
	int r;

	if (ask->call)
		return;
	ask->since_usec = tw_clock_read(CLOCK_MONOTONIC);
	r = call(ask);
	if (r >= 0)
		return;
	disconnect(ask);
	ask->on_answer(ask->context, &(struct tw_ask_answer){ .why = strerror(-r) });
}
