/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/macros.h"
#include "model/ports.h"

#include <stdint.h>

/*
 * ip_local_port_range and ip_local_reserved_ports, opened once and read again each time. They belong to the network
 * namespace that the calling thread is in when it is made.
 */
struct tw_ports_source;

/* Returns 0, -ENOMEM, or -errno of open(2). */
int tw_ports_source_new(struct tw_ports_source **ret);
struct tw_ports_source *tw_ports_source_free(struct tw_ports_source *source);
TW_DEFINE_CLEANUP(struct tw_ports_source, tw_ports_source_free)

/* ip_local_port_range, inclusive, and how many ports of it are reserved. */
struct tw_port_range {
	uint16_t low, high;
	uint32_t reserved;
};

/* Reads both. Returns 0, -EINVAL for a text that is not understood, or -errno of pread(2). */
int tw_ports_source_range(struct tw_ports_source *source, struct tw_port_range *ret);

/* The same as a set: the range without what is reserved. */
int tw_ports_source_usable(struct tw_ports_source *source, struct tw_port_set *ret);
