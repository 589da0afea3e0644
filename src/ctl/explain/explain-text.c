/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-text.h"

#include "ctl/explain/explain-here.h"
#include "ctl/explain/explain-rule.h"
#include "ctl/explain/explain-words.h"
#include "tell/rows.h"

#include <inttypes.h>

/* As many as a busy server has open; fewer are no large number to anybody. */
#define LARGE_ESTABLISHED 1000

static void say_words(struct tw_page *page, const struct tw_explain_words *words)
{
	tw_page_say(page, "What it costs", words->costs);
	tw_page_say(page, "What helps", words->helps);
	tw_page_say(page, "What does not help", words->vain);
}

/* ---- one thing */

static const char *title_of(enum tw_metric metric)
{
	return metric <= TW_METRIC_STATE_LAST ? tw_state_title((enum tw_state)(metric - TW_METRIC_STATE_FIRST))
					      : tw_metric_info(metric)->name;
}

static void say_watchers(struct tw_page *page, enum tw_metric metric, const struct tw_settings *settings,
			 const struct tw_sample *sample)
{
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (settings->rules[i].metric == metric)
			tw_explain_rule_say(page, &settings->rules[i], sample);
}

static bool changes(const struct tw_rule_settings *rule, enum tw_tunable tunable)
{
	for (unsigned i = 0; i < rule->action_count; i++)
		if (rule->actions[i].kind != TW_ACTION_DESTROY && rule->actions[i].tunable == tunable)
			return true;
	return false;
}

static void say_changers(struct tw_page *page, enum tw_tunable tunable, const struct tw_settings *settings)
{
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (changes(&settings->rules[i], tunable))
			tw_text_addf(tw_page_begin(page, "Rule"),
				     "%s changes it while it is raised, and puts it back when it has cleared.",
				     settings->rules[i].name);
}

void tw_explain_topic(struct tw_page *page, const struct tw_topic *topic, const struct tw_settings *settings,
		      const struct tw_sample *sample)
{
	const struct tw_explain_words *words;

	switch (topic->kind) {
	case TW_TOPIC_METRIC:
		words = tw_explain_metric_words(topic->metric);
		tw_page_say(page, title_of(topic->metric), words->means);
		tw_here_say_metric(page, sample, topic->metric);
		say_words(page, words);
		say_watchers(page, topic->metric, settings, sample);
		break;
	case TW_TOPIC_TUNABLE:
		words = tw_explain_tunable_words(topic->tunable);
		tw_page_say(page, tw_tunable_info(topic->tunable)->key, words->means);
		tw_here_say_tunable(page, sample, topic->tunable);
		say_words(page, words);
		if (tw_tunable_info(topic->tunable)->class == TW_TUNABLE_PLAIN)
			tw_page_say(page, "Not measured",
				    "A rule can set it within bounds, and it is put back; whether that helped is not "
				    "measured.");
		say_changers(page, topic->tunable, settings);
		break;
	case TW_TOPIC_RULE:
		words = tw_explain_metric_words(topic->rule->metric);
		tw_explain_rule_say(page, topic->rule, sample);
		tw_page_say(page, title_of(topic->rule->metric), words->means);
		tw_here_say_metric(page, sample, topic->rule->metric);
		tw_explain_rule_say_actions(page, topic->rule, sample);
		say_words(page, words);
		tw_page_note(page, "raise", tw_value_of(topic->rule->raise_milli));
		tw_page_note(page, "clear", tw_value_of(topic->rule->clear_milli));
		break;
	}
}

/* ---- the whole */

struct standings {
	unsigned over, unknown;
	bool told[TW_METRIC_COUNT];
};

static void say_over(struct tw_page *page, const struct tw_rule_settings *rule, const struct tw_sample *sample,
		     struct standings *standings)
{
	const struct tw_explain_words *words = tw_explain_metric_words(rule->metric);
	bool told = standings->told[rule->metric];

	tw_explain_rule_say_over(page, rule, sample);
	if (!told)
		tw_page_say(page, "Why", words->means);
	tw_explain_rule_say_actions(page, rule, sample);
	if (!told)
		say_words(page, words);
	standings->told[rule->metric] = true;
	standings->over++;
}

static void say_unknown(struct tw_page *page, const struct tw_settings *settings, const struct tw_sample *sample)
{
	struct tw_text *text = tw_page_begin(page, "Not judged");
	const char *between = "";

	for (unsigned i = 0; i < settings->rule_count; i++) {
		const struct tw_rule_settings *rule = &settings->rules[i];

		if (tw_explain_rule_standing(rule, sample) != TW_STANDING_UNKNOWN)
			continue;
		tw_text_addf(text, "%s%s", between, rule->name);
		between = ", ";
	}
	tw_text_add(text, ": what they read is not known from one look here.");
}

static struct tw_value count_of_state(const struct tw_sample *sample, enum tw_state state)
{
	return tw_sample_metric(sample, TW_METRIC_OF_STATE(state));
}

static void say_established(struct tw_page *page, const struct tw_sample *sample)
{
	struct tw_value count = count_of_state(sample, TW_STATE_ESTABLISHED);

	if (count.known && count.milli / 1000 >= LARGE_ESTABLISHED)
		tw_text_addf(tw_page_begin(page, "Here, open connections"),
			     "%" PRId64 " are ESTABLISHED. That is load, no fault: on the accepting side each costs a "
			     "descriptor and no port, on the connecting side the ports that port-use counts.",
			     count.milli / 1000);
}

/* Those that no program could close, or has a reason to. */
static uint32_t count_ageless(const struct tw_close_wait *close_wait)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < close_wait->socket_count; i++)
		count += close_wait->sockets[i].since_usec == TW_USEC_INFINITY;
	return count;
}

static void say_close_wait(struct tw_page *page, const struct tw_sample *sample, const struct standings *standings)
{
	struct tw_value count = count_of_state(sample, TW_STATE_CLOSE_WAIT);
	uint32_t ageless = tw_known_close_wait(sample) ? count_ageless(&sample->close_wait) : 0;
	struct tw_text *text;

	if (!count.known || count.milli <= 0 || standings->told[TW_METRIC_CLOSE_WAIT_AGED] ||
	    standings->told[TW_METRIC_CLOSE_WAIT_AGE])
		return;
	text = tw_page_begin(page, "Here, CLOSE-WAIT");
	tw_text_addf(text, "%" PRId64 " wait for a program here to close them", count.milli / 1000);
	if (ageless > 0)
		tw_text_addf(text, ", but for %" PRIu32 " that accept() has not handed out or that still send",
			     ageless);
	tw_text_add(text, ". Those that are closed soon are no leak; `timewaitctl explain close-wait` tells how old "
			  "they are, and whose.");
}

void tw_explain_now(struct tw_page *page, const struct tw_settings *settings, const struct tw_sample *sample)
{
	struct standings standings = { 0 };

	for (unsigned i = 0; i < settings->rule_count; i++) {
		switch (tw_explain_rule_standing(&settings->rules[i], sample)) {
		case TW_STANDING_OVER:
			say_over(page, &settings->rules[i], sample, &standings);
			break;
		case TW_STANDING_UNKNOWN:
			standings.unknown++;
			break;
		case TW_STANDING_WELL:
			break;
		}
	}
	if (standings.over == 0)
		tw_text_addf(tw_page_begin(page, NULL), "Nothing%s is wrong: of %u rules none is over its level.",
			     standings.unknown > 0 ? " that is known" : "", settings->rule_count);
	if (tw_known_in_part(sample))
		tw_page_say(page, NULL,
			    "The sockets changed too fast to be counted whole: part of what follows is not known.");
	if (standings.unknown > 0)
		say_unknown(page, settings, sample);
	tw_here_say_time_wait(page, sample);
	say_established(page, sample);
	say_close_wait(page, sample, &standings);
	tw_here_note_all(page, sample);
}
