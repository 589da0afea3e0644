/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/macros.h"
#include "base/parse.h"
#include "ctl/options.h"
#include "ctl/verb.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

static const struct tw_verb *const verbs[] = {
	&tw_verb_status,   &tw_verb_top,  &tw_verb_alerts, &tw_verb_explain, &tw_verb_history, &tw_verb_report,
	&tw_verb_simulate, &tw_verb_lint, &tw_verb_reload, &tw_verb_restore, &tw_verb_mode,
};

static int print_help(void)
{
	puts("Usage: timewaitctl VERB [OPTION]... [ARGUMENT]\n"
	     "Ask about the TCP sockets of this machine, in words.\n");
	for (size_t i = 0; i < TW_ARRAY_SIZE(verbs); i++)
		printf("  %-14s %s\n", verbs[i]->name, verbs[i]->summary);
	puts("  help [VERB]    this, or the help of a verb\n"
	     "\n"
	     "  --help, --version\n"
	     "\n"
	     "Exit status: 0 well, 1 failure, 2 wrong usage, 78 wrong configuration; of alerts see its help.\n"
	     "See timewaitctl(1).");
	return TW_EXIT_OK;
}

static const struct tw_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	return NULL;
}

static int complain(const char *name)
{
	const char *names[TW_ARRAY_SIZE(verbs) + 1];
	size_t count = 0;
	const char *near;

	for (size_t i = 0; i < TW_ARRAY_SIZE(verbs); i++)
		names[count++] = verbs[i]->name;
	names[count++] = "help";
	near = tw_near(name, names, count);
	if (near)
		return tw_ctl_usage(NULL, "there is no verb '%s'; did you mean '%s'?", name, near);
	return tw_ctl_usage(NULL, "there is no %s '%s'", name[0] == '-' ? "option" : "verb", name);
}

static int help(int argc, char *argv[])
{
	const struct tw_verb *verb;

	if (argc == 1)
		return print_help();
	if (argc > 2)
		return tw_ctl_usage(NULL, "help takes one verb at most");
	verb = find_verb(argv[1]);
	if (!verb)
		return complain(argv[1]);
	fputs(verb->help, stdout);
	return TW_EXIT_OK;
}

int main(int argc, char *argv[])
{
	const struct tw_verb *verb;

	if (argc < 2)
		return tw_ctl_usage(NULL, "a verb is expected");
	if (strcmp(argv[1], "--help") == 0)
		return print_help();
	if (strcmp(argv[1], "--version") == 0) {
		puts("timewaitctl " PACKAGE_VERSION);
		return TW_EXIT_OK;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argc - 1, argv + 1);
	verb = find_verb(argv[1]);
	if (!verb)
		return complain(argv[1]);
	return verb->run(verb, argc - 1, argv + 1);
}
