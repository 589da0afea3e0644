/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "watch/recover.h"
#include "model/event.h"

/*
 * The same as tw_recover() in every other network namespace of which there is a ledger. One that is gone has taken its
 * sysctls along: its ledger is removed. Returns 0, or the first -errno: of what could not be put back, or of a ledger
 * that cannot be used; these are left as they are, and the others are done all the same.
 */
int tw_recover_namespaces(struct tw_host_edges *host, struct tw_recorder *recorder);
