/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "model/settings.h"

#include <stdbool.h>

/* Takes one full sample and prints it to standard output, as a page or as one JSON object. Returns 0 or -errno. */
int tw_once(const struct tw_settings *settings, bool json);
