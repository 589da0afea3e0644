/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How sockets become a datagram: apart from fake-source because it is the kernel's formats alone, and no faults. */

#include "fake-source.h"

#include <stddef.h>
#include <stdint.h>

/* Writes a message behind what `fake->datagram` holds, which is `*length` and grows. */
void tw_fake_dump_add(struct tw_fake_source *fake, size_t *length, uint16_t type, const void *body, size_t size);

/* Begins `fake->datagram` with the next sockets of the dump. Returns its length: 0 where there are no more. */
size_t tw_fake_dump_add_rows(struct tw_fake_source *fake);
