/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/past/past-options.h"

#include "base/clock-source.h"
#include "base/exit.h"
#include "base/parse.h"
#include "ctl/options.h"
#include "ctl/when.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Larger charts than any terminal shows. */
#define SIDE_MAX 1000

enum {
	OPTION_SINCE = 256,
	OPTION_UNTIL,
	OPTION_NAMESPACE,
	OPTION_DIRECTORY,
	OPTION_FILE,
	OPTION_INPUT,
	OPTION_METRIC,
	OPTION_WIDTH,
	OPTION_HEIGHT,
	OPTION_ASCII,
	OPTION_CONFIG,
	OPTION_OUTPUT,
	OPTION_JSON,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "namespace", required_argument, NULL, OPTION_NAMESPACE },
	{ "directory", required_argument, NULL, OPTION_DIRECTORY },
	{ "file", required_argument, NULL, OPTION_FILE },
	{ "input", required_argument, NULL, OPTION_INPUT },
	{ "metric", required_argument, NULL, OPTION_METRIC },
	{ "width", required_argument, NULL, OPTION_WIDTH },
	{ "height", required_argument, NULL, OPTION_HEIGHT },
	{ "ascii", no_argument, NULL, OPTION_ASCII },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "output", required_argument, NULL, OPTION_OUTPUT },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

/* The bit that a verb has to allow; 0: every verb takes it. */
static unsigned bit_of(int option)
{
	switch (option) {
	case OPTION_METRIC:
	case OPTION_WIDTH:
	case OPTION_HEIGHT:
	case OPTION_ASCII:
		return TW_PAST_CHART;
	case OPTION_CONFIG:
		return TW_PAST_CONFIG;
	case OPTION_OUTPUT:
	case 'o':
		return TW_PAST_OUTPUT;
	case OPTION_JSON:
		return TW_PAST_JSON;
	}
	return 0;
}

static int take_time(const struct tw_past_options *options, const struct tw_verb *verb, const char *text, usec_t *ret)
{
	if (tw_when_parse(text, options->now_usec, ret) >= 0)
		return -1;
	return tw_ctl_usage(verb, "'%s' is no point in time: -1h, today or 2026-11-22 19:45, for instance", text);
}

static int take_side(const struct tw_verb *verb, const char *text, unsigned least, unsigned *ret)
{
	uint64_t number;

	if (tw_parse_u64(text, strlen(text), &number) < 0 || number < least || number > SIDE_MAX)
		return tw_ctl_usage(verb, "'%s' is no number from %u to %u", text, least, SIDE_MAX);
	*ret = (unsigned)number;
	return -1;
}

static int take_metric(struct tw_past_options *options, const struct tw_verb *verb, const char *name)
{
	if (options->metric_count == TW_METRICS_MAX)
		return tw_ctl_usage(verb, "%d metrics at most", TW_METRICS_MAX);
	options->metrics[options->metric_count++] = name;
	return -1;
}

/* As it is spelt, not its argument, which may be what stands last. */
static const char *name_of(int option, const char *word)
{
	static const char *const names[] = {
		[TW_PAST_CHART] = "an option for charts",
		[TW_PAST_CONFIG] = "--config",
		[TW_PAST_OUTPUT] = "--output",
		[TW_PAST_JSON] = "--json",
	};

	return option == '?' ? word : names[bit_of(option)];
}

/* Returns -1, or the exit status. */
static int take(struct tw_past_options *options, const struct tw_verb *verb, int option, const char *argument)
{
	switch (option) {
	case OPTION_SINCE:
		return take_time(options, verb, argument, &options->order.since_usec);
	case OPTION_UNTIL:
		return take_time(options, verb, argument, &options->order.until_usec);
	case OPTION_NAMESPACE:
		options->order.namespace = argument;
		break;
	case OPTION_DIRECTORY:
		options->order.directory = argument;
		break;
	case OPTION_FILE:
		options->order.file = argument;
		break;
	case OPTION_INPUT:
		options->order.input = argument;
		break;
	case OPTION_METRIC:
		return take_metric(options, verb, argument);
	case OPTION_WIDTH:
		return take_side(verb, argument, 30, &options->width);
	case OPTION_HEIGHT:
		return take_side(verb, argument, 3, &options->height);
	case OPTION_ASCII:
		options->ascii = true;
		break;
	case OPTION_CONFIG:
		options->config = argument;
		break;
	case OPTION_OUTPUT:
	case 'o':
		options->output = argument;
		break;
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_HELP:
		fputs(verb->help, stdout);
		return TW_EXIT_OK;
	}
	return -1;
}

static int check(const struct tw_past_options *options, const struct tw_verb *verb)
{
	const struct tw_past_order *order = &options->order;

	if (!!order->directory + !!order->file + !!order->input > 1)
		return tw_ctl_usage(verb, "one of --directory, --file and --input, not several");
	if (order->since_usec > order->until_usec)
		return tw_ctl_usage(verb, "--since is later than --until");
	if (strlen(order->namespace) >= TW_NAMESPACE_NAME_MAX)
		return tw_ctl_usage(verb, "no namespace has so long a name as '%s'", order->namespace);
	return -1;
}

int tw_past_options_parse(struct tw_past_options *options, const struct tw_verb *verb, unsigned allowed, int argc,
			  char *argv[])
{
	int option, r;

	tzset();
	*options = (struct tw_past_options){
		.order = { .namespace = "host", .until_usec = TW_USEC_INFINITY },
		.now_usec = tw_clock_read(CLOCK_REALTIME),
	};
	/* 0: begin anew, for main() has read options of its own. What is wrong is said here. */
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1) {
		if (option == ':')
			return tw_ctl_usage(verb, "%s takes an argument", argv[optind - 1]);
		if (option == '?' && optopt > 0 && optopt < 256)
			return tw_ctl_usage(verb, "-%c is no option of %s", optopt, verb->name);
		if (option == '?' || (bit_of(option) & ~allowed) != 0)
			return tw_ctl_usage(verb, "%s is no option of %s", name_of(option, argv[optind - 1]),
					    verb->name);
		r = take(options, verb, option, optarg);
		if (r >= 0)
			return r;
	}
	if (optind < argc)
		return tw_ctl_usage(verb, "%s is too much: no argument is expected", argv[optind]);
	return check(options, verb);
}
