/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/bus-options.h"

#include "base/exit.h"
#include "base/macros.h"
#include "ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* How often --watch draws anew where nothing is said, and the most often: the daemon looks once a second. */
#define WATCH_DEFAULT_USEC (2 * TW_USEC_PER_SEC)
#define WATCH_MIN_USEC (100 * TW_USEC_PER_MSEC)
/* Longer than anybody waits, and the sum with a clock does not overflow. */
#define WATCH_MAX_USEC TW_USEC_PER_DAY

enum {
	OPTION_BUS = 256,
	OPTION_JSON,
	OPTION_WATCH,
	OPTION_FOLLOW,
	OPTION_NAMESPACE,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "bus", required_argument, NULL, OPTION_BUS },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "watch", optional_argument, NULL, OPTION_WATCH },
	{ "follow", no_argument, NULL, OPTION_FOLLOW },
	{ "namespace", required_argument, NULL, OPTION_NAMESPACE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

/* The bit that allows it; 0 where every verb does. */
static unsigned needs(int option)
{
	switch (option) {
	case OPTION_JSON:
		return TW_REMOTE_OPTION_JSON;
	case OPTION_WATCH:
		return TW_REMOTE_OPTION_WATCH;
	case OPTION_FOLLOW:
		return TW_REMOTE_OPTION_FOLLOW;
	case OPTION_NAMESPACE:
		return TW_REMOTE_OPTION_NAMESPACE;
	default:
		return 0;
	}
}

static int parse_watch(struct tw_remote_options *options, const struct tw_verb *verb)
{
	options->watch_usec = WATCH_DEFAULT_USEC;
	if (!optarg)
		return -1;
	if (tw_duration_parse(optarg, strlen(optarg), &options->watch_usec) < 0 ||
	    options->watch_usec < WATCH_MIN_USEC || options->watch_usec > WATCH_MAX_USEC)
		return tw_ctl_usage(verb, "--watch takes seconds, from 0.1 to a day: not '%s'", optarg);
	return -1;
}

static int complain_option(const struct tw_verb *verb, int option, const char *word)
{
	if (option == ':')
		return tw_ctl_usage(verb, "%s takes an argument", word);
	/* Of short options getopt_long() tells the letter alone. */
	if (optopt > 0 && optopt < 256)
		return tw_ctl_usage(verb, "-%c is no option of %s", optopt, verb->name);
	return tw_ctl_usage(verb, "%s is no option of %s", word, verb->name);
}

static int take_option(struct tw_remote_options *options, const struct tw_verb *verb, int option, const char *word)
{
	switch (option) {
	case OPTION_BUS:
		options->address = optarg;
		return -1;
	case OPTION_JSON:
		options->json = true;
		return -1;
	case OPTION_WATCH:
		return parse_watch(options, verb);
	case OPTION_FOLLOW:
		options->follow = true;
		return -1;
	case OPTION_NAMESPACE:
		options->namespace = optarg;
		return -1;
	case OPTION_HELP:
		fputs(verb->help, stdout);
		return TW_EXIT_OK;
	default:
		return complain_option(verb, option, word);
	}
}

int tw_remote_options_parse(struct tw_remote_options *options, const struct tw_verb *verb, unsigned allowed, int argc,
			    char *argv[])
{
	int most = allowed & TW_REMOTE_OPTION_OPERAND ? 1 : 0;
	int option, r;

	*options = (struct tw_remote_options){ 0 };
	/* 0: begin anew, for main() has read options of its own. What is wrong is said here. */
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if ((needs(option) & ~allowed) != 0) {
			optopt = 0;
			return complain_option(verb, '?', argv[optind - 1]);
		}
		r = take_option(options, verb, option, argv[optind - 1]);
		if (r >= 0)
			return r;
	}
	if (argc - optind > most)
		return tw_ctl_usage(verb, "%s is too much: %s", argv[optind + most],
				    most > 0 ? "one argument at most" : "no argument is expected");
	options->operand = argv[optind];
	return -1;
}

int tw_remote_complain(const struct tw_verb *verb, int error, const char *words)
{
	if (error == -ENXIO)
		fprintf(stderr, "timewaitctl: %s: no timewaitd is on D-Bus; start it: systemctl start timewaitd\n",
			verb->name);
	else if (error == -EACCES)
		fprintf(stderr, "timewaitctl: %s: not permitted, for root alone may; try the same with sudo\n",
			verb->name);
	else
		fprintf(stderr, "timewaitctl: %s: %s\n", verb->name,
			words && words[0] != '\0' ? words : strerror(-error));
	return TW_EXIT_FAILURE;
}
