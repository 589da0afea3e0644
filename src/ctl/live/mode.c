/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "ctl/live/bus-options.h"
#include "ctl/options.h"
#include "remote/bus-source.h"

#include <stdio.h>
#include <string.h>

static int set_mode(struct tw_remote *bus, const char *mode)
{
	int r = tw_remote_set_mode(bus, mode);

	if (r >= 0)
		printf("The mode is %s now, until the daemon is started or reloaded.\n", mode);
	return r;
}

static int print_mode(struct tw_remote *bus)
{
	TW_CLEANUP_FREE char *mode = NULL;
	int r = tw_remote_mode(bus, &mode);

	if (r >= 0)
		puts(mode);
	return r;
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	struct tw_remote_options options;
	int r = tw_remote_options_parse(&options, verb, TW_REMOTE_OPTION_OPERAND, argc, argv);

	if (r >= 0)
		return r;
	if (options.operand && strcmp(options.operand, "enforce") != 0 && strcmp(options.operand, "observe") != 0)
		return tw_ctl_usage(verb, "there is no mode '%s': enforce or observe is expected", options.operand);
	r = tw_remote_new(options.address, &bus);
	if (r >= 0)
		r = options.operand ? set_mode(bus, options.operand) : print_mode(bus);
	return r < 0 ? tw_remote_complain(verb, r, bus ? tw_remote_words(bus) : NULL) : TW_EXIT_OK;
}

const struct tw_verb tw_verb_mode = {
	.name = "mode",
	.summary = "print or set whether the daemon acts or only observes",
	.help = "Usage: timewaitctl mode [OPTION]... [enforce|observe]\n"
		"Print the daemon's mode, or set it: enforce changes sysctls, observe only says what it\n"
		"would change, and puts back first what was changed. Setting it is for root alone, and\n"
		"holds until the daemon is started or reloaded; timewaitd.conf(5) has the lasting one.\n"
		"\n" TW_REMOTE_HELP,
	.run = run,
};
