/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/live/screen.h"
#include "remote/snapshot-read.h"

/* The namespace of this name in the view, or NULL. */
const struct tw_view_namespace *tw_status_find(const struct tw_view *view, const char *name);

/*
 * A table of all network namespaces, at most `rows` of them: those with raised rules first, then those that use most of
 * their ports, then those with most sockets; how long ago each was counted, too.
 */
void tw_status_add_namespaces(struct tw_screen *screen, const struct tw_view *view, unsigned rows);
