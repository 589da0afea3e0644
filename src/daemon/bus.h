/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "config/settings-load.h"
#include "watch/manager.h"
#include "model/event.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define TW_BUS_NAME "org.timewaitd1"
#define TW_BUS_PATH "/org/timewaitd1"
#define TW_BUS_INTERFACE "org.timewaitd1.Manager"

/* Calls that may wait at once for the bus to tell who makes them. */
#define TW_BUS_WAITING_MAX 32

/*
 * timewaitd on the D-Bus: the name org.timewaitd1, which is asked, steered and listened to. Everything on it is
 * asynchronous: a bus that is absent, slow or restarted keeps the daemon from nothing. Where there is none it is taken
 * up when it comes; where it goes away, it is looked for at growing intervals.
 */
struct tw_bus {
	struct tw_recorder recorder; /* first: its address is the bus's. What matters outside becomes a signal */
	struct tw_recorder *next;    /* borrows */
	const char *address;	     /* borrows; NULL: none */
	/* Whom it serves; borrows, since it was attached. */
	struct tw_manager *manager;
	int (*reload)(void *context, struct tw_problems **ret_problems); /* as tw_loop_run() does it */
	void *context;
	usec_t started_usec; /* CLOCK_REALTIME */
	/* The connection. */
	sd_event *event; /* borrows; NULL: not attached */
	sd_bus *bus;	 /* owned; NULL: not connected, nor about to be */
	sd_event_source *retry;
	sd_event_source *settle;
	usec_t retry_usec;
	bool owned;	   /* the name */
	bool trouble_told; /* since the name was ours */
	bool raised_changed;
	enum tw_mode mode_told;
	unsigned rules_told;
	/* Calls whose caller is not known yet. */
	struct tw_bus_waiting {
		struct tw_bus *bus;
		sd_bus_message *call; /* owned; NULL: free */
		sd_bus_slot *slot;    /* owned */
	} waiting[TW_BUS_WAITING_MAX];
};

/* In memory that is zero. `address` borrows; NULL: no bus at all. `next` borrows: every event goes there first. */
void tw_bus_init(struct tw_bus *bus, const char *address, struct tw_recorder *next);
void tw_bus_done(struct tw_bus *bus);

/*
 * From now on in this loop, behind its ticks and signals. What is given borrows. A connection that fails is no error.
 * Returns 0 or -errno of the loop.
 */
int tw_bus_attach(struct tw_bus *bus, sd_event *event, struct tw_manager *manager,
		  int (*reload)(void *context, struct tw_problems **ret_problems), void *context);

/* No call is answered any more; signals still go out, until the bus is freed. */
void tw_bus_detach(struct tw_bus *bus);

/* The following are in bus-calls.c, and for bus.c alone. */

/* Puts the object with its methods and properties onto the connection. Returns 0 or -errno of sd-bus. */
int tw_bus_add_object(struct tw_bus *bus);

/* Forgets the calls that wait: their connection is gone. */
void tw_bus_drop_calls(struct tw_bus *bus);
