/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exporter/exposition.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define PREFIX "timewaitd_"
#define DIGITS_OF_MILLI 3

static const char *suffix(const struct tw_family *family)
{
	return family->kind == TW_FAMILY_COUNTER ? "_total" : "";
}

/* OpenMetrics names the family, Prometheus its samples. */
void tw_exposition_begin(struct tw_exposition *out, const struct tw_family *family)
{
	bool open = out->format == TW_FORMAT_OPEN_METRICS;
	const char *end = open ? "" : suffix(family);
	const char *kind = family->kind == TW_FAMILY_COUNTER ? "counter" : "gauge";

	tw_text_addf(out->text, "# HELP " PREFIX "%s%s %s\n", family->name, end, family->help);
	tw_text_addf(out->text, "# TYPE " PREFIX "%s%s %s\n", family->name, end, kind);
	if (open && family->unit)
		tw_text_addf(out->text, "# UNIT " PREFIX "%s %s\n", family->name, family->unit);
}

static void add_label_value(struct tw_text *text, const char *value)
{
	for (const char *c = value; *c != '\0'; c++) {
		if (*c == '\\' || *c == '"')
			tw_text_add_char(text, '\\');
		if (*c == '\n')
			tw_text_add(text, "\\n");
		else
			tw_text_add_char(text, *c);
	}
}

/* A decimal fraction with no more digits than it needs. */
static void add_number(struct tw_text *text, int64_t number, unsigned digits)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	uint64_t whole = 1;

	for (unsigned i = 0; i < digits; i++)
		whole *= 10;
	while (digits > 0 && rest % 10 == 0) {
		rest /= 10;
		whole /= 10;
		digits--;
	}
	tw_text_addf(text, "%s%" PRIu64, number < 0 ? "-" : "", rest / whole);
	if (digits > 0)
		tw_text_addf(text, ".%0*" PRIu64, (int)digits, rest % whole);
}

void tw_exposition_add(struct tw_exposition *out, const struct tw_family *family, const struct tw_label *labels,
		       unsigned label_count, struct tw_value value, unsigned shift)
{
	tw_text_addf(out->text, PREFIX "%s%s", family->name, suffix(family));
	for (unsigned i = 0; i < label_count; i++) {
		tw_text_addf(out->text, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		add_label_value(out->text, labels[i].value);
		tw_text_add_char(out->text, '"');
	}
	tw_text_add(out->text, label_count > 0 ? "} " : " ");
	if (value.known)
		add_number(out->text, value.milli, DIGITS_OF_MILLI + shift);
	else
		tw_text_add(out->text, "NaN");
	tw_text_add_char(out->text, '\n');
}

void tw_exposition_end(struct tw_exposition *out)
{
	if (out->format == TW_FORMAT_OPEN_METRICS)
		tw_text_add(out->text, "# EOF\n");
}

const char *tw_format_type(enum tw_format format)
{
	return format == TW_FORMAT_OPEN_METRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
						: "text/plain; version=0.0.4; charset=utf-8";
}

/* Who can read OpenMetrics says so, and prefers it: what else he would take does not matter. */
enum tw_format tw_format_choose(const char *accept)
{
	static const char open[] = "application/openmetrics-text";
	size_t length = strlen(open);

	for (const char *c = accept ? accept : ""; *c != '\0'; c++)
		if (strncasecmp(c, open, length) == 0)
			return TW_FORMAT_OPEN_METRICS;
	return TW_FORMAT_TEXT;
}
