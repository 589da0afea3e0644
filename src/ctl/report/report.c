/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/options.h"
#include "ctl/past/past-source.h"
#include "ctl/report/report-page.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

/* Readable for its owner: it names who talks to whom. */
#define MODE 0600

struct reporter {
	struct tw_past_taker taker; /* first: its address is the reporter's */
	struct tw_report report;
};

static int take(struct tw_past_taker *taker, usec_t at_usec, const struct tw_record *record)
{
	return tw_report_take(&((struct reporter *)taker)->report, at_usec, record);
}

static void put(void *context, const char *bytes, size_t length)
{
	(void)fwrite(bytes, 1, length, context);
}

static void name_machine(struct tw_report *report)
{
	struct utsname name;
	struct tw_text text;

	if (uname(&name) < 0)
		return;
	tw_text_init(&text, report->kernel, sizeof(report->kernel));
	tw_text_addf(&text, "%s %s", name.sysname, name.release);
	if (report->host[0] == '\0')
		(void)tw_text_copy(report->host, sizeof(report->host), name.nodename);
}

static void set_span(struct tw_report *report, const struct tw_ctl_options *options)
{
	report->made_usec = options->now_usec;
	report->from_usec = options->order.since_usec > 0 ? options->order.since_usec : report->first_usec;
	report->to_usec = report->last_usec;
	if (options->order.until_usec != TW_USEC_INFINITY)
		report->to_usec = TW_MIN(options->order.until_usec, options->now_usec);
	report->to_usec = TW_MAX(report->to_usec, report->from_usec + TW_USEC_PER_SEC);
}

static int write_to(FILE *file, const struct tw_report *report)
{
	TW_CLEANUP_FREE struct tw_out *out = malloc(sizeof(*out));

	if (!out)
		return -ENOMEM;
	tw_out_init(out, put, file);
	tw_report_write(report, out);
	if (fflush(file) == EOF || ferror(file))
		return tw_errno();
	return 0;
}

static int write_page(const char *path, const struct tw_report *report)
{
	TW_CLEANUP_CLOSE int fd = -1;
	FILE *file;
	int r;

	if (strcmp(path, "-") == 0)
		return write_to(stdout, report);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, MODE);
	if (fd < 0)
		return tw_errno();
	file = fdopen(fd, "w");
	if (!file)
		return tw_errno();
	fd = -1;
	r = write_to(file, report);
	if (fclose(file) == EOF && r >= 0)
		r = tw_errno();
	return r;
}

static int make(struct reporter *reporter, const struct tw_ctl_options *options)
{
	const struct tw_past_order *order = &options->order;
	long count;
	int r = tw_past_load(order, &reporter->taker, &count);

	if (r >= 0)
		return r;
	if (count == 0)
		return tw_past_complain_none(order, "record");
	/* Another journal may be another machine's. */
	if (!order->input && !order->file && !order->directory)
		name_machine(&reporter->report);
	set_span(&reporter->report, options);
	r = write_page(options->output, &reporter->report);
	if (r < 0) {
		fprintf(stderr, "timewaitctl: cannot write %s: %s\n", options->output, strerror(-r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_FREE struct reporter *reporter = malloc(sizeof(*reporter));
	unsigned allowed = TW_OPTION_PAST | TW_OPTION_NAMESPACE | TW_OPTION_OUTPUT;
	struct tw_ctl_options options;
	int r = tw_ctl_options_parse(&options, verb, allowed, argc, argv);

	if (r >= 0)
		return r;
	if (!options.output)
		return tw_ctl_usage(verb, "-o FILE is missing: where the page goes");
	if (!reporter) {
		fprintf(stderr, "timewaitctl: %s\n", strerror(ENOMEM));
		return TW_EXIT_FAILURE;
	}
	reporter->taker.take = take;
	tw_report_init(&reporter->report, options.order.namespace);
	r = make(reporter, &options);
	tw_report_done(&reporter->report);
	return r;
}

const struct tw_verb tw_verb_report = {
	.name = "report",
	.summary = "an incident as one page of HTML",
	.help = "Usage: timewaitctl report -o FILE.html [OPTION]...\n"
		"Write what timewaitd recorded as one page that needs nothing but itself: what was raised, a\n"
		"timeline, who was behind it, which sysctls were changed and put back, and every record.\n"
		"Without --since: the last day.\n"
		"\n"
		"  -o, --output FILE  where it goes; - for standard output\n" TW_PAST_HELP,
	.run = run,
};
