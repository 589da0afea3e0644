/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/event.h"

#include <stdbool.h>

/* MESSAGE_ID of an event: 32 hexadecimal digits. */
const char *tw_message_id(enum tw_event_kind kind);

/* PRIORITY of an event, as syslog(3) has it. */
int tw_message_priority(const struct tw_event *event);

/*
 * The MESSAGE of an event: one sentence for a person, who and numbers with their units in it. What the event does not
 * know is left out. Where the event is told for the whole daemon (started, stopped, reloaded ...) its `reason` is what
 * stands behind the colon: "Started: REASON." A namespace other than "host" is named in front.
 *
 * Reason and advice are taken over as they are, control bytes too: a sink that writes to a terminal scrubs them.
 */
void tw_message_add(struct tw_text *text, const char *namespace, const struct tw_event *event);

/*
 * What a raised rule sees, as one clause: who, how much of what, and what that means. A forecast tells when its ports
 * run out. Returns true where that is also all that the event's reason has to say. In message-finding.c.
 */
bool tw_message_add_finding(struct tw_text *text, const struct tw_event *event);
