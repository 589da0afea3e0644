/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-report.h"

#include "base/json.h"
#include "ctl/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of what stands below a finding. */
#define INDENT 4

int tw_lint_report_init(struct tw_lint_report *report)
{
	*report = (struct tw_lint_report){ 0 };
	report->findings = calloc(TW_LINT_FINDINGS_MAX + 1, sizeof(*report->findings));
	return report->findings ? 0 : -ENOMEM;
}

void tw_lint_report_done(struct tw_lint_report *report)
{
	free(report->findings);
	report->findings = NULL;
}

struct tw_lint_finding *tw_lint_report_add(struct tw_lint_report *report, const char *id, enum tw_severity severity)
{
	struct tw_lint_finding *made = &report->findings[report->count];

	if (report->count < TW_LINT_FINDINGS_MAX)
		report->count++;
	else
		report->beyond++;
	memset(made, 0, sizeof(*made));
	made->id = id;
	made->severity = severity;
	return made;
}

/* A file's line can hold anything, and a terminal obeys control bytes. */
static void add_scrubbed(struct tw_text *text, const char *words, size_t length)
{
	for (size_t i = 0; i < length; i++)
		tw_text_add_char(text, (unsigned char)words[i] < 0x20 || words[i] == 0x7f ? '?' : words[i]);
}

void tw_lint_finding_add_text(const struct tw_lint_finding *finding, unsigned width, struct tw_text *text)
{
	add_scrubbed(text, finding->where, strlen(finding->where));
	tw_text_addf(text, ": %s: ", tw_severity_name(finding->severity));
	add_scrubbed(text, finding->finding, strlen(finding->finding));
	tw_text_addf(text, " [%s]\n", finding->id);
	if (finding->consequence[0] != '\0') {
		tw_text_addf(text, "%*s", INDENT, "");
		tw_page_add_words(text, finding->consequence, strlen(finding->consequence), width, INDENT, INDENT);
	}
	tw_text_addf(text, "%*smend: ", INDENT, "");
	add_scrubbed(text, finding->advice, strlen(finding->advice));
	tw_text_add_char(text, '\n');
}

static void add_member(struct tw_json *json, const char *name, const char *value)
{
	tw_json_key(json, name);
	if (value[0] != '\0')
		tw_json_string(json, value);
	else
		tw_json_null(json);
}

static void add_finding(struct tw_json *json, const struct tw_lint_finding *finding)
{
	tw_json_object_begin(json);
	add_member(json, "id", finding->id);
	add_member(json, "severity", tw_severity_name(finding->severity));
	add_member(json, "key", finding->key);
	add_member(json, "value", finding->value);
	add_member(json, "where", finding->where);
	add_member(json, "finding", finding->finding);
	add_member(json, "consequence", finding->consequence);
	add_member(json, "advice", finding->advice);
	tw_json_object_end(json);
}

void tw_lint_report_add_json(const struct tw_lint_report *report, struct tw_text *text)
{
	struct tw_json json;

	tw_json_init(&json, text);
	tw_json_array_begin(&json);
	for (unsigned i = 0; i < report->count; i++)
		add_finding(&json, &report->findings[i]);
	tw_json_array_end(&json);
	tw_text_add_char(text, '\n');
}
