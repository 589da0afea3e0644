/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How sockets become a datagram: apart from fake-source because it is the kernel's formats alone, and no faults. */

#include "measure/diag/diag.h"

#include <stddef.h>
#include <stdint.h>

/* One datagram of an answer. */
struct tw_fake_writer {
	uint8_t *bytes; /* 8-aligned */
	size_t room, length;
	uint32_t sequence;
};

/* Adds a message. */
void tw_fake_write(struct tw_fake_writer *writer, uint16_t type, const void *body, size_t size);

/* Adds a socket as `query` wants it told. Returns false where it might not fit. */
bool tw_fake_write_flow(struct tw_fake_writer *writer, const struct tw_diag_query *query, const struct tw_flow *flow);
