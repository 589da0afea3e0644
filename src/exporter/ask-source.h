/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/duration.h"
#include "base/macros.h"

#include <systemd/sd-event.h>

/* Asks the daemon for its snapshot while the loop goes on. */
struct tw_ask;

/* What came of a question; its texts are borrowed for the call. */
struct tw_ask_answer {
	const char *json; /* NULL: there was none */
	const char *why;  /* and this is what was said instead */
	usec_t took_usec; /* since it was asked for */
};

typedef void (*tw_ask_on_answer)(void *context, const struct tw_ask_answer *answer);

/* `address` is that of the bus, or NULL for the system's; all three are borrowed. Returns 0 or -ENOMEM. */
int tw_ask_new(sd_event *event, const char *address, tw_ask_on_answer on_answer, void *context, struct tw_ask **ret);
struct tw_ask *tw_ask_free(struct tw_ask *ask);
TW_DEFINE_CLEANUP(struct tw_ask, tw_ask_free)
#define TW_CLEANUP_ASK TW_CLEANUP(tw_ask_freep)

/* From here on one answer is under way, until it is told: at once where there is no bus, else within some seconds. */
void tw_ask_begin(struct tw_ask *ask);
