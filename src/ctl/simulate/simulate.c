/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/exit.h"
#include "base/fd.h"
#include "ctl/config-load.h"
#include "ctl/options.h"
#include "ctl/past/past-source.h"
#include "ctl/simulate/simulate-text.h"
#include "ctl/terminal-source.h"

#include <stdio.h>
#include <string.h>

struct simulation {
	struct tw_past_taker taker; /* first: its address is the simulation's */
	struct tw_replay *replay;   /* borrows */
};

static int take(struct tw_past_taker *taker, usec_t at_usec, const struct tw_record *record)
{
	return tw_replay_take(((struct simulation *)taker)->replay, at_usec, record);
}

static void put(void *context, const char *bytes, size_t length)
{
	(void)fwrite(bytes, 1, length, context);
}

static int print(struct tw_replay *replay, bool json)
{
	TW_CLEANUP_FREE struct tw_out *out = malloc(sizeof(*out));

	if (!out)
		return -ENOMEM;
	tw_out_init(out, put, stdout);
	if (json)
		tw_simulate_add_json(replay, out);
	else
		tw_simulate_add_text(replay, tw_terminal_look().width, out);
	tw_out_end(out);
	return fflush(stdout) == EOF ? tw_errno() : 0;
}

static int simulate(struct tw_settings *settings, const struct tw_ctl_options *options)
{
	TW_CLEANUP_REPLAY struct tw_replay *replay = NULL;
	struct simulation simulation = { .taker = { .take = take } };
	long count;
	int r = tw_replay_new(settings, options->order.namespace, &replay);

	if (r >= 0) {
		simulation.replay = replay;
		r = tw_past_load(&options->order, &simulation.taker, &count);
		if (r >= 0)
			return r;
		if (tw_replay_span(replay).samples == 0)
			return tw_past_complain_none(&options->order, "sample");
		r = print(replay, options->json);
	}
	if (r < 0) {
		fprintf(stderr, "timewaitctl: cannot simulate: %s\n", strerror(-r));
		return TW_EXIT_FAILURE;
	}
	return TW_EXIT_OK;
}

static int run(const struct tw_verb *verb, int argc, char *argv[])
{
	TW_CLEANUP_SETTINGS struct tw_settings *settings = NULL;
	unsigned allowed = TW_OPTION_PAST | TW_OPTION_NAMESPACE | TW_OPTION_CONFIG | TW_OPTION_JSON;
	struct tw_ctl_options options;
	int r = tw_ctl_options_parse(&options, verb, allowed, argc, argv);

	if (r >= 0)
		return r;
	if (!options.config)
		return tw_ctl_usage(verb, "--config NEW is missing: the configuration to try");
	r = tw_ctl_load_config(options.config, &settings);
	return r >= 0 ? r : simulate(settings, &options);
}

const struct tw_verb tw_verb_simulate = {
	.name = "simulate",
	.summary = "what other rules would have raised, by the recorded samples",
	.help = "Usage: timewaitctl simulate --config NEW [OPTION]...\n"
		"Try the rules of NEW on the samples that timewaitd recorded, and print what they would have\n"
		"raised and cleared, beside what did happen:\n"
		"  = the same   ~ at other times   + did not happen   - happened, and would not have\n"
		"Without --since: the last day.\n"
		"\n"
		"  --config NEW       the configuration to try\n"
		"  --json             one JSON object: alerts, and rules with what samples could not "
		"tell\n" TW_PAST_HELP,
	.run = run,
};
