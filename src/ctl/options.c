/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/options.h"

#include "base/exit.h"
#include "base/fd.h"
#include "base/parse.h"
#include "ctl/when.h"
#include "model/settings.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How often --watch draws anew where nothing is said, and the most often: the daemon looks once a second. */
#define WATCH_DEFAULT_USEC (2 * TW_USEC_PER_SEC)
#define WATCH_MIN_USEC (100 * TW_USEC_PER_MSEC)
/* Longer than anybody waits, and the sum with a clock does not overflow. */
#define WATCH_MAX_USEC TW_USEC_PER_DAY
/* Larger charts than any terminal shows; smaller ones show nothing. */
#define SIDE_MAX 1000
#define WIDTH_MIN 30
#define HEIGHT_MIN 3

/* Of getopt_long(): the specs are numbered from here. */
#define HELP 256
#define FIRST 257

enum kind { KIND_FLAG, KIND_TEXT, KIND_TIME, KIND_WIDTH, KIND_HEIGHT, KIND_WATCH, KIND_LIST };

static const struct spec {
	const char *name;
	unsigned bit;
	enum kind kind;
	size_t offset; /* of what it sets */
} specs[] = {
#define OPTION(name, bit, kind, member)                                                     \
	{                                                                                   \
		name, TW_OPTION_##bit, KIND_##kind, offsetof(struct tw_ctl_options, member) \
	}
	OPTION("json", JSON, FLAG, json),
	OPTION("config", CONFIG, TEXT, config),
	OPTION("bus", BUS, TEXT, bus),
	OPTION("watch", WATCH, WATCH, watch_usec),
	OPTION("follow", FOLLOW, FLAG, follow),
	OPTION("namespace", NAMESPACE, TEXT, namespace),
	OPTION("since", PAST, TIME, order.since_usec),
	OPTION("until", PAST, TIME, order.until_usec),
	OPTION("directory", PAST, TEXT, order.directory),
	OPTION("file", PAST, TEXT, order.file),
	OPTION("input", PAST, TEXT, order.input),
	OPTION("metric", CHART, LIST, list),
	OPTION("width", CHART, WIDTH, width),
	OPTION("height", CHART, HEIGHT, height),
	OPTION("ascii", CHART, FLAG, ascii),
	OPTION("output", OUTPUT, TEXT, output),
	OPTION("root", LINT, TEXT, root),
	OPTION("ignore", LINT, LIST, list),
	OPTION("state-dir", LINT, TEXT, state_directory),
#undef OPTION
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

static int take_side(const struct tw_verb *verb, const char *text, unsigned least, unsigned *ret)
{
	uint64_t number;

	if (tw_parse_u64(text, strlen(text), &number) < 0 || number < least || number > SIDE_MAX)
		return tw_ctl_usage(verb, "'%s' is no number from %u to %u", text, least, SIDE_MAX);
	*ret = (unsigned)number;
	return -1;
}

static int take_watch(const struct tw_verb *verb, const char *text, usec_t *ret)
{
	*ret = WATCH_DEFAULT_USEC;
	if (text && (tw_duration_parse(text, strlen(text), ret) < 0 || *ret < WATCH_MIN_USEC || *ret > WATCH_MAX_USEC))
		return tw_ctl_usage(verb, "--watch takes seconds, from 0.1 to a day: not '%s'", text);
	return -1;
}

/* Returns -1, or the exit status. */
static int take(struct tw_ctl_options *options, const struct tw_verb *verb, const struct spec *spec, const char *text)
{
	void *at = (char *)options + spec->offset;

	switch (spec->kind) {
	case KIND_FLAG:
		*(bool *)at = true;
		break;
	case KIND_TEXT:
		*(const char **)at = text;
		break;
	case KIND_TIME:
		if (tw_when_parse(text, options->now_usec, at) < 0)
			return tw_ctl_usage(
				verb, "'%s' is no point in time: -1h, today or 2026-11-22 19:45, for instance", text);
		break;
	case KIND_WIDTH:
		return take_side(verb, text, WIDTH_MIN, at);
	case KIND_HEIGHT:
		return take_side(verb, text, HEIGHT_MIN, at);
	case KIND_WATCH:
		return take_watch(verb, text, at);
	case KIND_LIST:
		if (options->list_count == TW_OPTION_LIST_MAX)
			return tw_ctl_usage(verb, "--%s is given more than %d times", spec->name, TW_OPTION_LIST_MAX);
		options->list[options->list_count++] = text;
		break;
	}
	return -1;
}

/* Of the past: where it is looked for, and when. */
static int check_order(struct tw_ctl_options *options, const struct tw_verb *verb)
{
	struct tw_past_order *order = &options->order;

	order->namespace = options->namespace ? options->namespace : "host";
	if (!!order->directory + !!order->file + !!order->input > 1)
		return tw_ctl_usage(verb, "one of --directory, --file and --input, not several");
	if (order->since_usec > order->until_usec)
		return tw_ctl_usage(verb, "--since is later than --until");
	if (strlen(order->namespace) >= TW_NAMESPACE_NAME_MAX)
		return tw_ctl_usage(verb, "no namespace has so long a name as '%s'", order->namespace);
	if (order->since_usec == 0 && !order->input && !order->file && !order->directory)
		order->since_usec = tw_usec_since(options->now_usec, TW_USEC_PER_DAY);
	return -1;
}

int tw_ctl_options_parse(struct tw_ctl_options *options, const struct tw_verb *verb, unsigned allowed, int argc,
			 char *argv[])
{
	struct option known[TW_ARRAY_SIZE(specs) + 2] = { { "help", no_argument, NULL, HELP } };
	int most = allowed & TW_OPTION_OPERAND ? 1 : 0, option, r;
	unsigned count = 1;

	for (size_t i = 0; i < TW_ARRAY_SIZE(specs); i++)
		if (specs[i].bit & allowed)
			known[count++] = (struct option){ specs[i].name,
							  specs[i].kind == KIND_FLAG	? no_argument
							  : specs[i].kind == KIND_WATCH ? optional_argument
											: required_argument,
							  NULL, FIRST + (int)i };
	tzset();
	*options = (struct tw_ctl_options){
		.now_usec = tw_clock_read(CLOCK_REALTIME),
		.order.until_usec = TW_USEC_INFINITY,
	};
	/* 0: begin anew, for main() has read options of its own. What is wrong is said here. */
	optind = 0;
	opterr = 0;
	while ((option = getopt_long(argc, argv, allowed & TW_OPTION_OUTPUT ? ":o:" : ":", known, NULL)) != -1) {
		if (option == HELP) {
			fputs(verb->help, stdout);
			return TW_EXIT_OK;
		}
		if (option == ':')
			return tw_ctl_usage(verb, "%s takes an argument", argv[optind - 1]);
		/* Of short options getopt_long() tells the letter alone. */
		if (option == '?' && optopt > 0 && optopt < HELP)
			return tw_ctl_usage(verb, "-%c is no option of %s", optopt, verb->name);
		if (option == '?')
			return tw_ctl_usage(verb, "%s is no option of %s", argv[optind - 1], verb->name);
		if (option == 'o')
			options->output = optarg;
		else if ((r = take(options, verb, &specs[option - FIRST], optarg)) >= 0)
			return r;
	}
	if (argc - optind > most)
		return tw_ctl_usage(verb, "%s is too much: %s", argv[optind + most],
				    most > 0 ? "one argument at most" : "no argument is expected");
	options->operand = argv[optind];
	return allowed & TW_OPTION_PAST ? check_order(options, verb) : -1;
}
