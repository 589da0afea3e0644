/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/options.h"

#include "base/exit.h"
#include "base/parse.h"
#include "config.h"
#include "model/sample.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Rows of each table: what a person looks at, and few for each of what may be hundreds of namespaces. */
#define TOP_DEFAULT 10
#define TOP_OTHER_DEFAULT 3
#define EVERY_MIN_USEC TW_USEC_PER_SEC
#define EVERY_MAX_USEC TW_USEC_PER_DAY

enum {
	OPTION_BUS = 256,
	OPTION_LISTEN,
	OPTION_TEXTFILE,
	OPTION_EVERY,
	OPTION_TOP,
	OPTION_TOP_OTHER,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "bus", required_argument, NULL, OPTION_BUS },
	{ "listen", required_argument, NULL, OPTION_LISTEN },
	{ "textfile", required_argument, NULL, OPTION_TEXTFILE },
	{ "every", required_argument, NULL, OPTION_EVERY },
	{ "top", required_argument, NULL, OPTION_TOP },
	{ "top-other", required_argument, NULL, OPTION_TOP_OTHER },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void print_help(void)
{
	printf("Usage: timewaitd-exporter [OPTION]...\n"
	       "Serve what timewaitd knows as metrics for Prometheus, at /metrics, over HTTP.\n"
	       "\n"
	       "  --listen ADDRESS:PORT  where, if not at the sockets of the service manager\n"
	       "  --textfile PATH        write the metrics into a file instead, for node_exporter's\n"
	       "                         textfile collector\n"
	       "  --every SPAN           with --textfile: again and again\n"
	       "  --top N                rows of each table of the host, 0 to %d (default: %d)\n"
	       "  --top-other N          and of each other network namespace (default: %d)\n"
	       "  --bus ADDRESS          the D-Bus that timewaitd is on (default: the system's)\n"
	       "  --help, --version\n"
	       "\n"
	       "Exit status: 0 well, 1 failure, 2 wrong usage. See timewaitd-exporter(8).\n",
	       TW_TOP_MAX, TOP_DEFAULT, TOP_OTHER_DEFAULT);
}

static int usage(const char *message)
{
	if (message)
		fprintf(stderr, "timewaitd-exporter: %s\n", message);
	fputs("Try 'timewaitd-exporter --help'.\n", stderr);
	return TW_EXIT_USAGE;
}

static int parse_rows(const char *message, unsigned *ret)
{
	uint64_t rows;

	if (tw_parse_u64(optarg, strlen(optarg), &rows) < 0 || rows > TW_TOP_MAX)
		return usage(message);
	*ret = (unsigned)rows;
	return -1;
}

static int parse_every(usec_t *ret_usec)
{
	if (tw_duration_parse(optarg, strlen(optarg), ret_usec) < 0 || *ret_usec < EVERY_MIN_USEC ||
	    *ret_usec > EVERY_MAX_USEC)
		return usage("--every takes a span of time, from 1s to a day");
	return -1;
}

static int take(struct tw_exporter_options *options, int option)
{
	switch (option) {
	case OPTION_BUS:
		options->address = optarg;
		return -1;
	case OPTION_LISTEN:
		options->listen = optarg;
		return -1;
	case OPTION_TEXTFILE:
		options->textfile = optarg;
		return -1;
	case OPTION_EVERY:
		return parse_every(&options->every_usec);
	case OPTION_TOP:
		return parse_rows("--top takes a number of rows, up to 100", &options->top);
	case OPTION_TOP_OTHER:
		return parse_rows("--top-other takes a number of rows, up to 100", &options->top_other);
	case OPTION_HELP:
		print_help();
		return TW_EXIT_OK;
	case OPTION_VERSION:
		puts("timewaitd-exporter " VERSION);
		return TW_EXIT_OK;
	default:
		return usage(NULL);
	}
}

int tw_exporter_options_parse(struct tw_exporter_options *ret, int argc, char *argv[])
{
	int option, r = -1;

	*ret = (struct tw_exporter_options){ .top = TOP_DEFAULT, .top_other = TOP_OTHER_DEFAULT };
	while (r < 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
		r = take(ret, option);
	if (r >= 0)
		return r;
	if (optind < argc)
		return usage("there are no arguments but options");
	if (ret->every_usec > 0 && !ret->textfile)
		return usage("--every goes with --textfile");
	if (ret->listen && ret->textfile)
		return usage("--listen and --textfile exclude each other");
	return -1;
}
