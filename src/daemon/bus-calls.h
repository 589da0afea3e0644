/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/settings-load.h"
#include "watch/manager.h"

#include <systemd/sd-bus.h>

#define TW_BUS_NAME "org.timewaitd1"
#define TW_BUS_PATH "/org/timewaitd1"
#define TW_BUS_INTERFACE "org.timewaitd1.Manager"

/* Longest MESSAGE that a signal carries: a finding, a reason and an advice, with room to spare. */
#define TW_BUS_MESSAGE_MAX 2048

/* Calls that may wait at once for the bus to tell who makes them. */
#define TW_BUS_WAITING_MAX 32

/* What the calls reach. */
struct tw_bus_owner {
	struct tw_manager *manager;
	/* As tw_reload(). */
	int (*reload)(void *context, struct tw_problems **ret_problems);
	void *context;
};

struct tw_bus_calls;
struct tw_bus_caller;

/* What a call does once its caller is known and may: replies. Returns 0 or -errno, told to the caller. */
typedef int (*tw_bus_act)(struct tw_bus_calls *calls, sd_bus_message *call, const struct tw_bus_caller *caller);

/* The object's methods and properties, and the calls whose caller is not known yet. */
struct tw_bus_calls {
	struct tw_bus_owner owner;
	usec_t started_usec; /* CLOCK_REALTIME */
	struct tw_bus_waiting {
		struct tw_bus_calls *calls;
		sd_bus_message *call; /* owned; NULL: free */
		sd_bus_slot *slot;    /* owned */
		tw_bus_act act;
	} waiting[TW_BUS_WAITING_MAX];
};

void tw_bus_calls_init(struct tw_bus_calls *calls, const struct tw_bus_owner *owner);

/* Puts the object onto a connection, for as long as that lives. Returns 0 or -errno of sd-bus. */
int tw_bus_calls_add(struct tw_bus_calls *calls, sd_bus *bus);

/* Forgets the calls that wait: their connection is gone. */
void tw_bus_calls_drop(struct tw_bus_calls *calls);
