/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/event.h"

/*
 * The MESSAGE of an event: one sentence for a person, who and numbers with their units in it. What the event does not
 * know is left out. Where the event is told for the whole daemon (started, stopped, reloaded ...) its `reason` is what
 * stands behind the colon: "Started: REASON." A namespace other than "host" is named in front.
 *
 * Reason and advice are taken over as they are, control bytes too: a sink that writes to a terminal scrubs them.
 */
void tw_sentence_add(struct tw_text *text, const char *namespace, const struct tw_event *event);
