/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "base/parse.h"

#include <string.h>

/* The beginning of what does not exist, and of what exists in its place. */
#define IPV6_PREFIX "net/ipv6/"

/* A finding about a line, with nothing said but where and what it sets. */
static struct tw_lint_finding *begin(const struct tw_lint_check *check, struct tw_lint_report *report,
				     const struct tw_sysctl_setting *setting)
{
	struct tw_lint_finding *made =
		tw_lint_tell(report, check, setting, setting->key, setting->value, "%s", setting->value ? "" : "-");

	tw_lint_add_finding(made, setting->value ? "%s = %s" : "%s", made->key, made->value);
	return made;
}

/* The same, with how to be rid of it. */
static struct tw_lint_finding *begin_deleting(const struct tw_lint_check *check, struct tw_lint_report *report,
					      const struct tw_sysctl_setting *setting)
{
	struct tw_lint_finding *made = begin(check, report, setting);

	tw_lint_add_mend(made, setting, NULL);
	return made;
}

static bool is_for(const struct tw_sysctl_setting *setting, enum tw_tunable tunable)
{
	return !setting->glob && setting->value && strcmp(setting->key, tw_tunable_info(tunable)->path) == 0;
}

void tw_lint_run_recycle(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			 struct tw_lint_report *report)
{
	const struct tw_live_value *live = &facts->sysctls[TW_TUNABLE_TW_RECYCLE];

	for (size_t i = 0; i < facts->plan->setting_count; i++)
		if (is_for(&facts->plan->settings[i], TW_TUNABLE_TW_RECYCLE))
			(void)begin_deleting(check, report, &facts->plan->settings[i]);
	if (live->known && live->value.numbers[0] != 0)
		tw_lint_add_mend(tw_lint_tell(report, check, NULL, tw_tunable_info(TW_TUNABLE_TW_RECYCLE)->path, "1",
					      "net.ipv4.tcp_tw_recycle is on"),
				 NULL, "0");
}

void tw_lint_run_vendor(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report)
{
	bool has = facts->sysctls[TW_TUNABLE_TW_TIMEOUT].known;

	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		struct tw_lint_finding *made;

		if (!setting->stands || !is_for(setting, TW_TUNABLE_TW_TIMEOUT))
			continue;
		made = begin_deleting(check, report, setting);
		tw_lint_add_finding(made, "%s",
				    has ? ", the length of TIME-WAIT"
					: ", which only the kernels of some vendors have");
		tw_lint_set_consequence(made,
					has ? "This vendor's kernel obeys it, and below 60 s late segments can "
					      "reach new connections."
					    : "Elsewhere TIME-WAIT lasts 60 s, compiled in, and the line is passed "
					      "over without a word.");
	}
}

/* Whether this kernel should have the key, were it any: outside the first namespace many are not there. */
static bool is_expected(const struct tw_lint_facts *facts, const struct tw_sysctl_setting *setting)
{
	enum tw_tunable tunable;

	if (is_for(setting, TW_TUNABLE_TW_RECYCLE) || is_for(setting, TW_TUNABLE_TW_TIMEOUT))
		return false;
	if (facts->first_namespace)
		return true;
	return tw_tunable_from_key(setting->key, strlen(setting->key), &tunable) &&
	       !tw_tunable_info(tunable)->host_only;
}

void tw_lint_run_absent(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report)
{
	const char *keys[TW_TUNABLE_COUNT], *near;

	for (size_t i = 0; i < TW_TUNABLE_COUNT; i++)
		keys[i] = tw_tunable_info((enum tw_tunable)i)->key;
	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		struct tw_lint_finding *made;

		if (!setting->absent || !setting->stands || setting->ignore_errors || !is_expected(facts, setting))
			continue;
		made = begin(check, report, setting);
		tw_lint_add_finding(made, ", a key that is not there");
		near = tw_near(made->key, keys, TW_ARRAY_SIZE(keys));
		if (near)
			tw_lint_add_advice(made, "did you mean %s? else delete the line", near);
		else
			tw_lint_add_mend(made, setting, NULL);
	}
}

void tw_lint_run_ipv6(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		      struct tw_lint_report *report)
{
	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		const char *rest;

		if (!setting->value || strncmp(setting->key, IPV6_PREFIX, strlen(IPV6_PREFIX)) != 0)
			continue;
		rest = setting->key + strlen(IPV6_PREFIX);
		if (strncmp(rest, "tcp_", 4) != 0 && strncmp(rest, "ip_local_", 9) != 0)
			continue;
		tw_lint_add_advice(begin(check, report, setting), "delete the line; net.ipv4.%.64s is the key for both",
				   rest);
	}
}

/* What proc_dou8vec_minmax() and its like refuse; of other tunables they take any number. */
static bool is_refused(enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	switch (tw_tunable_info(tunable)->kind) {
	case TW_TUNABLE_RANGE:
		return value->numbers[0] < 1 || value->numbers[0] > value->numbers[1] || value->numbers[1] > UINT16_MAX;
	case TW_TUNABLE_INTEGER:
		return (tunable == TW_TUNABLE_TW_REUSE || tunable == TW_TUNABLE_TW_REUSE_DELAY) &&
		       (value->numbers[0] < tw_tunable_info(tunable)->low ||
			value->numbers[0] > tw_tunable_info(tunable)->high);
	}
	return false;
}

static bool is_invalid(const struct tw_sysctl_setting *setting)
{
	size_t length = strlen(setting->value);
	struct tw_tunable_value value;
	struct tw_port_set ports;
	enum tw_tunable tunable;

	if (strcmp(setting->key, "net/ipv4/ip_local_reserved_ports") == 0)
		return tw_port_set_parse(setting->value, length, &ports) < 0;
	if (!tw_tunable_from_key(setting->key, strlen(setting->key), &tunable))
		return false;
	/* "LOW-HIGH" is a spelling of timewaitd.conf(5) alone. */
	if (tw_tunable_parse(tunable, setting->value, length, &value) < 0 ||
	    (tw_tunable_info(tunable)->kind == TW_TUNABLE_RANGE && !strpbrk(setting->value, " \t")))
		return true;
	return is_refused(tunable, &value);
}

void tw_lint_run_invalid(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			 struct tw_lint_report *report)
{
	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		struct tw_lint_finding *made;

		if (!setting->stands || setting->glob || !setting->value || !is_invalid(setting))
			continue;
		made = begin(check, report, setting);
		tw_lint_add_finding(made, ", no value of this key");
		tw_lint_add_advice(made, "%s",
				   strpbrk(setting->value, "#;") ? "a comment must have a line of its own: move it"
								 : "correct the line, or delete it");
	}
}

void tw_lint_run_overridden(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			    struct tw_lint_report *report)
{
	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		const struct tw_sysctl_setting *by = setting->taken_by;
		struct tw_lint_finding *made;

		if (!by || !tw_lint_concerns(setting->key))
			continue;
		made = tw_lint_tell(report, check, setting, setting->key, setting->value, "%s", "");
		tw_lint_add_finding(made, "%s = %s, but %s:%u ", made->key, made->value, by->file, by->line);
		tw_lint_add_finding(made, by->value ? "sets %.64s" : "excludes it", by->value);
		tw_lint_add_mend(made, setting, NULL);
	}
}

void tw_lint_run_unread(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report)
{
	for (size_t i = 0; i < facts->plan->setting_count; i++) {
		const struct tw_sysctl_setting *setting = &facts->plan->settings[i];
		struct tw_lint_finding *made;

		if (!setting->unread || !setting->value || !tw_lint_concerns(setting->key))
			continue;
		made = begin(check, report, setting);
		tw_lint_add_finding(made, ", in a file that is not read at boot");
		tw_lint_add_advice(made, "move what is wanted into /etc/sysctl.d/90-local.conf");
	}
}

void tw_lint_run_mistakes(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			  struct tw_lint_report *report)
{
	for (size_t i = 0; i < facts->plan->mistake_count; i++) {
		const struct tw_sysctl_mistake *mistake = &facts->plan->mistakes[i];
		const struct tw_sysctl_setting at = { .file = mistake->file, .line = mistake->line };
		struct tw_lint_finding *made = tw_lint_tell(report, check, &at, "", mistake->text, "%s", "");

		tw_lint_add_finding(made, "'%s' sets nothing", made->value);
		tw_lint_add_advice(made, "write KEY = VALUE, or delete the line");
	}
}
