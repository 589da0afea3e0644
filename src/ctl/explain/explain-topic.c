/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-topic.h"

#include "base/parse.h"
#include "base/text.h"
#include "model/flow.h"

#include <string.h>

/* The longest word that can be meant: a sysctl's key or a rule's name. */
#define WORD_MAX 64

/* What ss, netstat and RFC 9293 call some states. */
static const struct {
	const char *name;
	enum tw_state state;
} aliases[] = {
	{ "estab", TW_STATE_ESTABLISHED },     { "syn-rcvd", TW_STATE_SYN_RECV },
	{ "syn-received", TW_STATE_SYN_RECV }, { "fin-wait1", TW_STATE_FIN_WAIT_1 },
	{ "fin-wait2", TW_STATE_FIN_WAIT_2 },  { "timewait", TW_STATE_TIME_WAIT },
	{ "closewait", TW_STATE_CLOSE_WAIT },  { "listening", TW_STATE_LISTEN },
};

const char *tw_topic_name(const struct tw_topic *topic)
{
	switch (topic->kind) {
	case TW_TOPIC_METRIC:
		return tw_metric_info(topic->metric)->name;
	case TW_TOPIC_TUNABLE:
		return tw_tunable_info(topic->tunable)->key;
	case TW_TOPIC_RULE:
		return topic->rule->name;
	}
	return "";
}

/* In small letters, with `to` for `from`. */
static void spell(char ret[WORD_MAX], const char *word, char from, char to)
{
	size_t i;

	for (i = 0; i + 1 < WORD_MAX && word[i] != '\0'; i++) {
		ret[i] = word[i] == from ? to : word[i];
		if (ret[i] >= 'A' && ret[i] <= 'Z')
			ret[i] = (char)(ret[i] - 'A' + 'a');
	}
	ret[i] = '\0';
}

static bool find_metric(const char *word, enum tw_metric *ret)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(aliases); i++) {
		if (strcmp(word, aliases[i].name) == 0) {
			*ret = TW_METRIC_OF_STATE(aliases[i].state);
			return true;
		}
	}
	return tw_metric_from_name(word, strlen(word), ret);
}

static bool find_tunable(const char *word, enum tw_tunable *ret)
{
	if (tw_tunable_from_key(word, strlen(word), ret))
		return true;
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		if (strcmp(word, tw_tunable_short_name((enum tw_tunable)i)) == 0) {
			*ret = (enum tw_tunable)i;
			return true;
		}
	}
	return false;
}

static const struct tw_rule_settings *find_rule(const char *word, const struct tw_settings *settings)
{
	for (unsigned i = 0; i < settings->rule_count; i++)
		if (strcmp(word, settings->rules[i].name) == 0)
			return &settings->rules[i];
	return NULL;
}

/* As a state or metric is spelt first, then as a sysctl is. */
static const char *find_near(const char *dashed, const char *underscored, const struct tw_settings *settings)
{
	const char *words[TW_METRIC_COUNT + 2 * TW_TUNABLE_COUNT + TW_RULES_MAX];
	const char *nearest;
	size_t count = 0;

	for (unsigned i = 0; i < TW_METRIC_COUNT; i++)
		words[count++] = tw_metric_info((enum tw_metric)i)->name;
	for (unsigned i = 0; i < settings->rule_count; i++)
		words[count++] = settings->rules[i].name;
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		words[count++] = tw_tunable_short_name((enum tw_tunable)i);
		words[count++] = tw_tunable_info((enum tw_tunable)i)->key;
	}
	nearest = tw_near(dashed, words, count);
	return nearest ? nearest : tw_near(underscored, words, count);
}

bool tw_topic_find(const char *word, const struct tw_settings *settings, struct tw_topic *ret, const char **ret_near)
{
	char dashed[WORD_MAX], underscored[WORD_MAX];
	struct tw_topic topic = { 0 };

	*ret_near = NULL;
	if (strlen(word) >= WORD_MAX)
		return false;
	spell(dashed, word, '_', '-');
	spell(underscored, word, '-', '_');

	topic.rule = find_rule(word, settings);
	if (find_metric(dashed, &topic.metric)) {
		topic.kind = TW_TOPIC_METRIC;
	} else if (find_tunable(underscored, &topic.tunable)) {
		topic.kind = TW_TOPIC_TUNABLE;
	} else if (topic.rule) {
		topic.kind = TW_TOPIC_RULE;
	} else {
		*ret_near = find_near(dashed, underscored, settings);
		return false;
	}
	*ret = topic;
	return true;
}
