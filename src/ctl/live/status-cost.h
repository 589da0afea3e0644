/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/live/screen.h"
#include "remote/snapshot-read.h"

/* How long ago each look at a namespace was, and what it cost. */
void tw_status_add_cost(struct tw_screen *screen, const struct tw_view_namespace *namespace);
