/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/parse.h"
#include "ctl/live/bus-options.h"
#include "remote/bus-source.h"
#include "tell/scrub.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

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

/* The service manager's ExecReload= names the process: where there is no bus, a signal says the same. */
static bool signal_instead(void)
{
	const char *text = getenv("MAINPID");
	uint64_t pid;

	if (!text || tw_parse_u64(text, strlen(text), &pid) < 0 || pid <= 1 || pid > INT32_MAX)
		return false;
	if (kill((pid_t)pid, SIGHUP) < 0)
		return false;
	puts("No daemon on D-Bus: told it by a signal. The journal says what it made of its configuration.");
	return true;
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
	if (r == -ENXIO && signal_instead())
		return TW_EXIT_OK;
	return r < 0 ? tw_remote_complain(verb, r, bus ? tw_remote_words(bus) : NULL) : tell(errors);
}

const struct tw_verb tw_verb_reload = {
	.name = "reload",
	.summary = "let the daemon read its configuration anew",
	.help = "Usage: timewaitctl reload [OPTION]...\n"
		"Let the daemon read its configuration anew. Where that is wrong, print each error, and the\n"
		"daemon carries on with the one before. For root alone. Under systemd, which names the process\n"
		"in MAINPID, a daemon that is not on the bus is told by SIGHUP instead.\n"
		"\n" TW_REMOTE_HELP "\n"
		"Exit status: 0 the new configuration is in force, 1 it is not.\n",
	.run = run,
};
