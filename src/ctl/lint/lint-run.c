/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "ctl/lint/lint-place.h"

#include <inttypes.h>
#include <string.h>

const struct tw_lint_check *tw_lint_check_find(const char *id)
{
	size_t count;
	const struct tw_lint_check *checks = tw_lint_checks(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(checks[i].id, id) == 0)
			return &checks[i];
	return NULL;
}

static bool is_ignored(const char *id, const char *const *ignored, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(ignored[i], id) == 0)
			return true;
	return false;
}

void tw_lint_run(const struct tw_lint_facts *facts, const char *const *ignored, size_t ignored_count,
		 struct tw_lint_report *report)
{
	size_t count;
	const struct tw_lint_check *checks = tw_lint_checks(&count);

	for (size_t i = 0; i < count; i++)
		if (!is_ignored(checks[i].id, ignored, ignored_count))
			checks[i].run(&checks[i], facts, report);
}

static void tell_place(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       const struct tw_lint_place *place, const char *why, struct tw_lint_report *report)
{
	const struct tw_tunable_info *info = tw_tunable_info(place->tunable);
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));
	struct tw_text advice = tw_lint_text(made->advice, sizeof(made->advice));
	char value[TW_TUNABLE_VALUE_MAX], usual[TW_TUNABLE_VALUE_MAX];
	bool kernel_too = !place->setting || place->live_too;

	tw_lint_fill(made, info->path, tw_tunable_format(place->tunable, &place->value, value), place->setting);
	tw_text_addf(&finding, "%s = %s, %s", info->key, value, why);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	if (check->advice_alone) {
		tw_text_add(&advice, check->advice);
		return;
	}
	tw_lint_say_mend(&advice, place->setting, info->key,
			 kernel_too ? tw_lint_usual(facts, place->tunable, usual) : NULL);
	if (advice.length == 0)
		tw_text_addf(&advice, "raise it: sysctl -w %s=%" PRId64, info->key, (int64_t)UINT16_MAX + 1);
	if (check->advice)
		tw_text_addf(&advice, "; %s", check->advice);
}

void tw_lint_run_value(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report)
{
	struct tw_lint_place places[2];
	unsigned count = tw_lint_places(facts, check->tunable, places);

	for (unsigned i = 0; i < count; i++) {
		const char *why = check->wrong(facts, &places[i]);

		if (why)
			tell_place(check, facts, &places[i], why, report);
	}
}
