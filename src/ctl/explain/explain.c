/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/config-load.h"
#include "ctl/explain/explain-text.h"
#include "ctl/measure-source.h"
#include "ctl/options.h"
#include "ctl/terminal-source.h"
#include "measure/diag/diag.h"

#include <stdio.h>
#include <string.h>

static int print(const struct tw_page *page, const char *topic, bool json)
{
	/* An escape in JSON takes up to six bytes for one. */
	size_t capacity = 6 * (page->text.length + 1) + TW_PAGE_NUMBERS_MAX * 128;
	TW_CLEANUP_FREE char *bytes = malloc(capacity);
	struct tw_text text;

	if (!bytes)
		return -ENOMEM;
	tw_text_init(&text, bytes, capacity);
	if (json)
		tw_page_add_json(page, topic, &text);
	else
		tw_page_add_text(page, tw_terminal_look().width, &text);
	return fputs(bytes, stdout) == EOF || fflush(stdout) == EOF ? tw_errno() : 0;
}

static int explain(const struct tw_settings *settings, const struct tw_topic *topic, const struct tw_sample *sample,
		   bool json)
{
	TW_CLEANUP_FREE char *bytes = malloc(TW_EXPLAIN_TEXT_MAX);
	struct tw_page page;

	if (!bytes)
		return -ENOMEM;
	tw_page_init(&page, bytes, TW_EXPLAIN_TEXT_MAX);
	if (topic)
		tw_explain_topic(&page, topic, settings, sample);
	else
		tw_explain_now(&page, settings, sample);
	tw_page_say(&page, NULL,
		    "Measured by timewaitctl itself, in the network namespace that it runs in, by one look; rates are "
		    "those of one second. The daemon was not asked.");
	return print(&page, topic ? tw_topic_name(topic) : NULL, json);
}

static int complain(const char *word, const char *near)
{
	if (near)
		return tw_ctl_usage(&tw_verb_explain,
				    "there is nothing to explain by the name of '%s'; did you mean '%s'?", word, near);
	return tw_ctl_usage(&tw_verb_explain,
			    "there is nothing to explain by the name of '%s': a state, a metric, a sysctl or a rule is "
			    "expected",
			    word);
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	TW_CLEANUP_MEASURE struct tw_measure *measure = NULL;
	struct tw_ctl_options options;
	struct tw_topic topic;
	const char *near;
	int r = tw_ctl_options_parse(&options, verb, TW_OPTION_CONFIG | TW_OPTION_JSON | TW_OPTION_OPERAND, argc, argv);

	if (r >= 0)
		return r;
	r = tw_ctl_load_config(options.config, &settings);
	if (r >= 0)
		return r;
	if (options.operand && !tw_topic_find(options.operand, settings, &topic, &near))
		return complain(options.operand, near);
	r = tw_measure_new(&measure);
	if (r >= 0)
		r = explain(settings, options.operand ? &topic : NULL, tw_measure_sample(measure), options.json);
	if (r < 0) {
		fprintf(stderr, "timewaitctl: cannot take a sample: %s\n", tw_diag_error_text(r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}

const struct tw_verb tw_verb_explain = {
	.name = "explain",
	.summary = "what is wrong now and what helps, or what a word means",
	.help = "Usage: timewaitctl explain [OPTION]... [TOPIC]\n"
		"Without TOPIC: say what is wrong by the configured rules, why, what it costs, what helps\n"
		"and what does not; and why large numbers are harmless.\n"
		"TOPIC is a state (time-wait), a metric (port-use), a sysctl (tcp_tw_reuse) or a rule's\n"
		"name: say what it means, how it stands here, and the same.\n"
		"\n"
		"  --config FILE  take the rules of FILE, not those below /etc/timewaitd\n"
		"  --json         one JSON object: topic, text (paragraphs) and numbers\n"
		"  --help\n",
	.run = run,
};
