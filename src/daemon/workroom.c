/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/workroom.h"

#include <errno.h>

int tw_workroom_init(struct tw_workroom *room, const struct tw_hash_key *key)
{
	room->scan = tw_scan_new(key);
	return room->scan ? 0 : -ENOMEM;
}

void tw_workroom_done(struct tw_workroom *room)
{
	room->scan = tw_scan_free(room->scan);
}
