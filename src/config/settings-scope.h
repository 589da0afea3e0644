/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/settings.h"

#include <stdbool.h>

/*
 * The keys that narrow a rule down to a part of the sockets. Each returns false, with what was expected in `why`, where
 * the value is none; nothing is changed then. `value` is trimmed, not empty and at most TW_SETTINGS_LINE_MAX - 1 long.
 */

/* "web.service". */
bool tw_scope_parse_unit(struct tw_scope *scope, const char *value, struct tw_text *why);
/* "10.0.0.2" for any port, or "10.0.0.2:443". */
bool tw_scope_parse_destination(struct tw_scope *scope, const char *value, struct tw_text *why);
/* "10.0.0.1:80", or "*:80" for any address. */
bool tw_scope_parse_listener(struct tw_scope *scope, const char *value, struct tw_text *why);
