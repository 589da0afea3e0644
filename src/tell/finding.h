/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/event.h"

#include <stdbool.h>

/* A metric's figure in its unit, "none" for a port-eta that never comes. */
void tw_finding_add_figure(struct tw_text *text, enum tw_metric metric, struct tw_value value);

/* " (threshold 45%)"; nothing where there is none. */
void tw_finding_add_threshold(struct tw_text *text, const struct tw_event *event);

/* The parts of the subject, the first behind `before`, the others behind ", ". Returns whether there was one. */
bool tw_finding_add_subject(struct tw_text *text, const struct tw_subject *subject, const char *before);

/*
 * What a raised rule sees, as one clause: who, how much of what, and what that means. A forecast tells when its ports
 * run out. Returns true where that is also all that the event's reason has to say.
 */
bool tw_finding_add(struct tw_text *text, const struct tw_event *event);
