/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/scratch.h"

#include <errno.h>

int tw_scratch_init(struct tw_scratch *room, const struct tw_hash_key *key)
{
	room->scan = tw_scan_new(key);
	return room->scan ? 0 : -ENOMEM;
}

void tw_scratch_done(struct tw_scratch *room)
{
	room->scan = tw_scan_free(room->scan);
}
