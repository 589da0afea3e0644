/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/port-holders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tw_port_holders_init(struct tw_port_holders *holders, uint32_t secret)
{
	holders->rows = malloc(TW_PORT_HOLDERS_MAX * sizeof(*holders->rows));
	if (!holders->rows)
		return -ENOMEM;
	holders->secret = secret;
	holders->count = 0;
	memset(holders->first, 0, sizeof(holders->first));
	tw_port_holders_clear(holders);
	return 0;
}

void tw_port_holders_done(struct tw_port_holders *holders)
{
	free(holders->rows);
	holders->rows = NULL;
}

void tw_port_holders_clear(struct tw_port_holders *holders)
{
	for (uint32_t i = 0; i < holders->count; i++)
		holders->first[holders->rows[i].port] = 0;
	holders->count = 0;
	holders->level = 0;
	tw_port_set_clear(&holders->held);
}

/* Keeps what this level picks of the first so many rows. */
static void keep(struct tw_port_holders *holders, uint32_t count)
{
	memset(holders->first, 0, sizeof(holders->first));
	holders->count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct tw_port_holder row = holders->rows[i];

		if (!tw_port_holders_picks(holders, row.port, holders->level))
			continue;
		row.next = holders->first[row.port];
		holders->rows[holders->count] = row;
		holders->first[row.port] = (uint16_t)++holders->count;
	}
}

void tw_port_holders_thin(struct tw_port_holders *holders)
{
	while (holders->count == TW_PORT_HOLDERS_MAX && holders->level < TW_PORT_HOLDERS_LEVEL_MAX) {
		holders->level++;
		keep(holders, holders->count);
	}
	/* One port alone fills it: some of its holders will do. */
	if (holders->count == TW_PORT_HOLDERS_MAX)
		keep(holders, holders->count / 2);
}
