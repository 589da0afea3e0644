/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "base/parse.h"
#include "ctl/lint/lint-place.h"

#include <string.h>

#define RESERVED_PATH "net/ipv4/ip_local_reserved_ports"
/* What it gives back is in an order of its own. */
#define ALLOWED_PATH "net/ipv4/tcp_allowed_congestion_control"

/* Word by word, whatever blanks are between. */
static bool same_words(const char *a, const char *b)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b), *a_word, *b_word;
	size_t a_length, b_length;

	while (tw_parse_word(&a, a_end, &a_word, &a_length)) {
		if (!tw_parse_word(&b, b_end, &b_word, &b_length) || a_length != b_length ||
		    memcmp(a_word, b_word, a_length) != 0)
			return false;
	}
	return !tw_parse_word(&b, b_end, &b_word, &b_length);
}

static bool same_ports(const char *a, const char *b)
{
	struct tw_port_set left, right;

	if (tw_port_set_parse(a, strlen(a), &left) < 0 || tw_port_set_parse(b, strlen(b), &right) < 0)
		return true;
	return tw_port_set_equal(&left, &right);
}

/* Texts that cannot be understood are told of elsewhere. */
static bool is_same(const char *path, const char *planned, const char *live)
{
	struct tw_tunable_value left, right;
	enum tw_tunable tunable;

	if (strcmp(path, RESERVED_PATH) == 0)
		return same_ports(planned, live);
	if (!tw_tunable_from_key(path, strlen(path), &tunable))
		return strcmp(path, ALLOWED_PATH) == 0 || same_words(planned, live);
	if (tw_tunable_parse(tunable, planned, strlen(planned), &left) < 0 ||
	    tw_tunable_parse(tunable, live, strlen(live), &right) < 0)
		return true;
	return tw_tunable_equal(tunable, &left, &right);
}

static bool changed_by_us(const struct tw_lint_facts *facts, const char *path)
{
	enum tw_tunable tunable;

	return tw_tunable_from_key(path, strlen(path), &tunable) && facts->sysctls[tunable].known &&
	       tw_lint_is_ours(facts, tunable, &facts->sysctls[tunable].value);
}

static void tell_drift(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       const struct tw_sysctl_setting *setting, struct tw_lint_report *report)
{
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));
	struct tw_text advice = tw_lint_text(made->advice, sizeof(made->advice));

	tw_lint_fill(made, setting->key, setting->live, NULL);
	tw_text_addf(&finding, "%s is %s, but %s:%u sets %.64s", made->key, made->value, setting->file, setting->line,
		     setting->value);
	(void)tw_text_copy(
		made->consequence, sizeof(made->consequence),
		facts->ledger_state == TW_LINT_LEDGER_REFUSED
			? "Somebody has changed it since, perhaps timewaitd, whose ledger only root may read; after "
			  "a restart of the machine the value of the file holds."
			: "Somebody has changed it since, or the line was never applied, and it was not timewaitd; "
			  "after a restart of the machine the value of the file holds.");
	tw_text_add(&advice, "write the value that is wanted into the file, or put it back: ");
	tw_lint_say_mend(&advice, NULL, made->key, setting->value);
}

void tw_lint_run_drift(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report)
{
	if (!facts->first_namespace)
		return;
	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];

		if (setting->stands && !setting->glob && setting->value && setting->live &&
		    tw_lint_concerns(setting->key) && !is_same(setting->key, setting->value, setting->live) &&
		    !changed_by_us(facts, setting->key))
			tell_drift(check, facts, setting, report);
	}
}

static void tell_ours(const struct tw_lint_check *check, struct tw_lint_report *report, const char *path,
		      const char *value, const char *rule)
{
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));

	tw_lint_fill(made, path, value, NULL);
	tw_text_addf(&finding, "%s = %s, set by timewaitd", made->key, made->value);
	if (rule)
		tw_text_addf(&finding, " for the rule %s", rule);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence),
			   "timewaitd puts the former value back when the trouble has gone, and when it stops.");
	(void)tw_text_copy(made->advice, sizeof(made->advice),
			   "nothing to do; to undo it at once: systemctl stop timewaitd");
}

void tw_lint_run_ours(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		      struct tw_lint_report *report)
{
	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++) {
		enum tw_tunable tunable = (enum tw_tunable)i;
		const struct tw_live_value *live = &facts->sysctls[tunable];
		char value[TW_TUNABLE_VALUE_MAX];

		if (live->known && tw_lint_is_ours(facts, tunable, &live->value))
			tell_ours(check, report, tw_tunable_info(tunable)->path,
				  tw_tunable_format(tunable, &live->value, value), facts->ledger.entries[tunable].rule);
	}
}
