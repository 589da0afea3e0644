/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "daemon/bus-calls.h"
#include "model/event.h"

#include <systemd/sd-event.h>

/*
 * timewaitd on the D-Bus: the name org.timewaitd1, which is asked, steered and listened to. Everything on it is
 * asynchronous: a bus that is absent, slow or restarted keeps the daemon from nothing. Where there is none it is taken
 * up when it comes; where it goes away, it is looked for at growing intervals.
 */
struct tw_bus;

/* `address` borrows; NULL: no bus at all. `next` borrows: every event goes there first. Returns 0 or -ENOMEM. */
int tw_bus_new(const char *address, struct tw_recorder *next, struct tw_bus **ret);
struct tw_bus *tw_bus_free(struct tw_bus *bus);
TW_DEFINE_CLEANUP(struct tw_bus, tw_bus_free)

/* Its face as a recorder: what matters outside becomes a signal, once the name is ours. Belongs to the bus. */
struct tw_recorder *tw_bus_recorder(struct tw_bus *bus);

/*
 * From now on in this loop, behind its ticks and signals. `owner` is copied, what it points to borrows. A connection
 * that fails is no error. Returns 0 or -errno of the loop.
 */
int tw_bus_attach(struct tw_bus *bus, sd_event *event, const struct tw_bus_owner *owner);

/* No call is answered any more; signals still go out, until the bus is freed. */
void tw_bus_detach(struct tw_bus *bus);
