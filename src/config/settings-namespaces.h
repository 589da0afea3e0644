/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/text.h"
#include "model/settings.h"

#include <stdbool.h>

/* "host", "all", or names of network namespaces, in any number and order. On false, `why` says what was expected. */
bool tw_namespaces_parse(struct tw_namespace_list *list, const char *value, struct tw_text *why);
