/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "ctl/live/bus-options.h"
#include "remote/bus-source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	struct tw_remote_options options;
	uint32_t count = 0;
	int r = tw_remote_options_parse(&options, verb, 0, argc, argv);

	if (r >= 0)
		return r;
	r = tw_remote_new(options.address, &bus);
	if (r >= 0)
		r = tw_remote_restore(bus, &count);
	if (r < 0) {
		(void)tw_remote_complain(verb, r, bus ? tw_remote_words(bus) : NULL);
		if (r == -ENXIO)
			fputs("What one that has ended left changed is put back by: timewaitd --restore\n", stderr);
		return TW_EXIT_FAILURE;
	}
	if (count == 0)
		puts("Nothing to put back: the daemon had changed no sysctl.");
	else
		printf("Put back %" PRIu32 " sysctl%s.\n", count, count == 1 ? "" : "s");
	return TW_EXIT_OK;
}

const struct tw_verb tw_verb_restore = {
	.name = "restore",
	.summary = "put back every sysctl that the daemon has changed",
	.help = "Usage: timewaitctl restore [OPTION]...\n"
		"Let the daemon put back every sysctl that it has changed, now. Rules stay raised, and what\n"
		"they would do rests for the cooldown. For root alone. Without a daemon:\n"
		"timewaitd --restore.\n"
		"\n" TW_REMOTE_HELP,
	.run = run,
};
