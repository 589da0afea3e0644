/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/options.h"

#include "base/exit.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	OPTION_CONFIG = 256,
	OPTION_JSON,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

int tw_ctl_usage(const struct tw_verb *verb, const char *format, ...)
{
	va_list arguments;

	fputs("timewaitctl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry 'timewaitctl %s%s--help'.\n", verb ? verb->name : "", verb ? " " : "");
	return TW_EXIT_USAGE;
}

int tw_ctl_options_parse(struct tw_ctl_options *options, const struct tw_verb *verb, int argc, char *argv[])
{
	int option;

	*options = (struct tw_ctl_options){ 0 };
	/* 0: begin anew, for main() has read options of its own. What is wrong is said here. */
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_CONFIG:
			options->config = optarg;
			break;
		case OPTION_JSON:
			options->json = true;
			break;
		case OPTION_HELP:
			fputs(verb->help, stdout);
			return TW_EXIT_OK;
		case ':':
			return tw_ctl_usage(verb, "%s takes an argument", argv[optind - 1]);
		default:
			/* Of short options getopt_long() tells the letter alone. */
			if (optopt > 0 && optopt < 256)
				return tw_ctl_usage(verb, "-%c is no option of %s", optopt, verb->name);
			return tw_ctl_usage(verb, "%s is no option of %s", argv[optind - 1], verb->name);
		}
	}
	if (argc - optind > 1)
		return tw_ctl_usage(verb, "one argument at most: %s is too much", argv[optind + 1]);
	options->operand = argv[optind];
	return -1;
}
