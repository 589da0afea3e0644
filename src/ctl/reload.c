/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "ctl/bus-options.h"
#include "ctl/bus-source.h"
#include "tell/scrub.h"

#include <stdio.h>

/* A path, a line's number and what is wrong with it, as long as anybody reads. */
#define ERROR_MAX 4096

static int tell(char **errors)
{
	if (!errors || !errors[0]) {
		puts("Reloaded: the configuration is in force.");
		return TW_EXIT_OK;
	}
	for (char **error = errors; *error; error++) {
		char line[ERROR_MAX];
		struct tw_text text;

		tw_text_init(&text, line, sizeof(line));
		tw_scrub_add(&text, *error);
		fprintf(stderr, "%s\n", line);
	}
	fputs("timewaitctl: reload: the configuration is wrong; the one before stays in force\n", stderr);
	return TW_EXIT_FAILURE;
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_REMOTE struct tw_remote *bus = NULL;
	TW_CLEANUP_REMOTE_ERRORS char **errors = NULL;
	struct tw_remote_options options;
	int r = tw_remote_options_parse(&options, verb, 0, argc, argv);

	if (r >= 0)
		return r;
	r = tw_remote_new(options.address, &bus);
	if (r >= 0)
		r = tw_remote_reload(bus, &errors);
	return r < 0 ? tw_remote_complain(verb, r, bus ? tw_remote_words(bus) : NULL) : tell(errors);
}

const struct tw_verb tw_verb_reload = {
	.name = "reload",
	.summary = "let the daemon read its configuration anew",
	.help = "Usage: timewaitctl reload [OPTION]...\n"
		"Let the daemon read its configuration anew. Where that is wrong, print each error, and the\n"
		"daemon carries on with the one before. For root alone.\n"
		"\n" TW_REMOTE_HELP "\n"
		"Exit status: 0 the new configuration is in force, 1 it is not.\n",
	.run = run,
};
