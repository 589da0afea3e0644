/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/event.h"

#include <stdbool.h>

/* Whether what a rule over port-use sees is somebody's ports: a survey that was read back from a record does not say.
 */
bool tw_finding_is_over_ports(const struct tw_subject *subject);

/* What it sees, as tw_finding_add() has it. */
bool tw_finding_add_ports(struct tw_text *text, const struct tw_event *event);
