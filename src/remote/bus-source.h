/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"

#include <stdint.h>
#include <systemd/sd-bus.h>

/* The names of the daemon's interface. */
#define TW_REMOTE_NAME "org.timewaitd1"
#define TW_REMOTE_PATH "/org/timewaitd1"
#define TW_REMOTE_INTERFACE "org.timewaitd1.Manager"

/* A connection to the bus that the daemon is on. */
struct tw_remote;

/* The bus at `address`, or the system's where that is NULL, connected without waiting. Returns 0 or -errno. */
int tw_remote_open_bus(const char *address, sd_bus **ret);

/*
 * Every call below returns 0, or
 *   -ENXIO   there is no daemon: no bus, or nobody of that name on it
 *   -EACCES  the daemon refuses: it obeys root alone
 *   -errno   anything else; tw_remote_words() has what was said
 */

/* Connects to the bus at `address`, or to the system's where that is NULL. */
int tw_remote_new(const char *address, struct tw_remote **ret);
struct tw_remote *tw_remote_free(struct tw_remote *bus);
TW_DEFINE_CLEANUP(struct tw_remote, tw_remote_free)
#define TW_CLEANUP_REMOTE TW_CLEANUP(tw_remote_freep)

/* What the last call that failed was told; belongs to the bus, until the next call. */
const char *tw_remote_words(const struct tw_remote *bus);

/* GetSnapshot(): the caller frees *ret_json. */
int tw_remote_snapshot(struct tw_remote *bus, char **ret_json);

/* Reload(): the errors, ended by NULL; none where the new configuration is in force. */
int tw_remote_reload(struct tw_remote *bus, char ***ret_errors);
char **tw_remote_errors_free(char **errors);
TW_DEFINE_CLEANUP(char *, tw_remote_errors_free)
#define TW_CLEANUP_REMOTE_ERRORS TW_CLEANUP(tw_remote_errors_freep)

/* Restore(): how many sysctls were put back. */
int tw_remote_restore(struct tw_remote *bus, uint32_t *ret_count);

/* SetMode(): "enforce" or "observe". */
int tw_remote_set_mode(struct tw_remote *bus, const char *mode);

/* The property Mode; the caller frees. */
int tw_remote_mode(struct tw_remote *bus, char **ret_mode);

/* What the daemon tells of itself. */
struct tw_remote_event {
	const char *event; /* "raised"; of the bus itself: "appeared", "vanished" */
	const char *namespace;
	const char *rule;
	const char *message;
};

typedef void (*tw_remote_on_event)(void *context, const struct tw_remote_event *event);

/* From here on tw_remote_wait() calls `on_event` for each event; its texts are borrowed for that call alone. */
int tw_remote_listen(struct tw_remote *bus, tw_remote_on_event on_event, void *context);

/* Waits for events and tells them, until `timeout_usec` has passed without one, or a signal came. */
int tw_remote_wait(struct tw_remote *bus, usec_t timeout_usec);
