/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "base/text.h"
#include "ctl/lint/sysctl-conf.h"
#include "ctl/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
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

/* ---- values */

/* As Linux 6.18 sets them, on any machine. */
static const char *const usual[TW_TUNABLE_COUNT] = {
	[TW_TUNABLE_TW_REUSE] = "2",
	[TW_TUNABLE_TW_REUSE_DELAY] = "1000",
	[TW_TUNABLE_PORT_RANGE] = "32768 60999",
	[TW_TUNABLE_FIN_TIMEOUT] = "60",
	[TW_TUNABLE_ORPHAN_RETRIES] = "0",
	[TW_TUNABLE_SOMAXCONN] = "4096",
	[TW_TUNABLE_SYNCOOKIES] = "1",
	[TW_TUNABLE_SYNACK_RETRIES] = "5",
	[TW_TUNABLE_KEEPALIVE_TIME] = "7200",
	[TW_TUNABLE_KEEPALIVE_INTVL] = "75",
	[TW_TUNABLE_KEEPALIVE_PROBES] = "9",
	[TW_TUNABLE_TIMESTAMPS] = "1",
	[TW_TUNABLE_RFC1337] = "0",
};

struct tw_count tw_lint_usual_sized(const struct tw_lint_facts *facts, enum tw_tunable tunable)
{
	uint64_t entries = facts->ehash_entries.value;

	if (!facts->ehash_entries.known)
		return (struct tw_count){ 0 };
	/* tcp_sk_init() in net/ipv4/tcp_ipv4.c, tcp_init() in net/ipv4/tcp.c. */
	if (tunable == TW_TUNABLE_MAX_TW_BUCKETS || tunable == TW_TUNABLE_MAX_ORPHANS)
		return (struct tw_count){ .value = entries / 2, .known = true };
	if (tunable == TW_TUNABLE_MAX_SYN_BACKLOG)
		return (struct tw_count){ .value = TW_MAX(entries / 128, UINT64_C(128)), .known = true };
	return (struct tw_count){ 0 };
}

bool tw_lint_is_ours(const struct tw_lint_facts *facts, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	const struct tw_ledger_entry *entry = &facts->ledger.entries[tunable];

	return facts->ledger_state == TW_LINT_LEDGER_READ && entry->owner == TW_OWNER_OURS &&
	       tw_tunable_equal(tunable, &entry->written, value);
}

bool tw_lint_concerns(const char *path)
{
	enum tw_tunable tunable;

	return strncmp(path, "net/ipv4/tcp_", strlen("net/ipv4/tcp_")) == 0 ||
	       strncmp(path, "net/ipv4/ip_local_", strlen("net/ipv4/ip_local_")) == 0 ||
	       tw_tunable_from_key(path, strlen(path), &tunable);
}

/* What the files would set. */
static bool planned(const struct tw_lint_facts *facts, enum tw_tunable tunable,
		    const struct tw_sysctl_setting **ret_setting, struct tw_tunable_value *ret)
{
	const struct tw_sysctl_setting *setting = tw_sysctl_plan_find(facts->plan, tw_tunable_info(tunable)->path);

	if (!setting || tw_tunable_parse(tunable, setting->value, strlen(setting->value), ret) < 0)
		return false;
	*ret_setting = setting;
	return true;
}

unsigned tw_lint_places(const struct tw_lint_facts *facts, enum tw_tunable tunable, struct tw_lint_place ret[2])
{
	const struct tw_live_value *live = &facts->sysctls[tunable];
	const struct tw_sysctl_setting *setting;
	struct tw_tunable_value value;
	unsigned count = 0;
	bool same = false;

	if (planned(facts, tunable, &setting, &value)) {
		same = live->known && tw_tunable_equal(tunable, &value, &live->value);
		ret[count++] = (struct tw_lint_place){
			.tunable = tunable,
			.value = value,
			.setting = setting,
			.live_too = same,
		};
	}
	if (live->known && !same && !tw_lint_is_ours(facts, tunable, &live->value))
		ret[count++] = (struct tw_lint_place){ .tunable = tunable, .value = live->value };
	return count;
}

bool tw_lint_beside(const struct tw_lint_facts *facts, const struct tw_lint_place *place, enum tw_tunable tunable,
		    struct tw_tunable_value *ret)
{
	const struct tw_sysctl_setting *setting;

	if (place->setting && planned(facts, tunable, &setting, ret))
		return true;
	if (!facts->sysctls[tunable].known)
		return false;
	*ret = facts->sysctls[tunable].value;
	return true;
}

/* ---- findings */

/* Goes on where the words of a finding end. */
static void __attribute__((format(printf, 3, 0)))
go_on(char *words, size_t capacity, const char *format, va_list arguments)
{
	size_t length = strlen(words);
	struct tw_text text;

	tw_text_init(&text, words + length, capacity - length);
	tw_text_addv(&text, format, arguments);
}

void tw_lint_add_finding(struct tw_lint_finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	go_on(finding->finding, sizeof(finding->finding), format, arguments);
	va_end(arguments);
}

void tw_lint_add_advice(struct tw_lint_finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	go_on(finding->advice, sizeof(finding->advice), format, arguments);
	va_end(arguments);
}

void tw_lint_set_consequence(struct tw_lint_finding *finding, const char *words)
{
	(void)tw_text_copy(finding->consequence, sizeof(finding->consequence), words);
}

struct tw_lint_finding *tw_lint_tell(struct tw_lint_report *report, const struct tw_lint_check *check,
				     const struct tw_sysctl_setting *setting, const char *path, const char *value,
				     const char *format, ...)
{
	struct tw_lint_finding *made = &report->findings[report->count];
	struct tw_text where;
	va_list arguments;

	if (report->count < TW_LINT_FINDINGS_MAX)
		report->count++;
	else
		report->beyond++;
	memset(made, 0, sizeof(*made));
	made->id = check->id;
	made->severity = check->severity;
	tw_text_init(&where, made->where, sizeof(made->where));
	if (setting)
		tw_text_addf(&where, "%s:%u", setting->file, setting->line);
	else
		tw_text_add(&where, "live");
	(void)tw_text_copy(made->key, sizeof(made->key), path);
	tw_sysctl_key_display(made->key);
	(void)tw_text_copy(made->value, sizeof(made->value), value ? value : "");
	tw_lint_set_consequence(made, check->consequence ? check->consequence : "");
	va_start(arguments, format);
	go_on(made->finding, sizeof(made->finding), format, arguments);
	va_end(arguments);
	return made;
}

void tw_lint_add_mend(struct tw_lint_finding *finding, const struct tw_sysctl_setting *setting, const char *wanted)
{
	if (setting)
		tw_lint_add_advice(finding, "delete line %u of %s%s", setting->line, setting->file,
				   wanted ? ", then: " : "");
	if (wanted && strpbrk(wanted, " \t"))
		tw_lint_add_advice(finding, "sysctl -w %s='%s'", finding->key, wanted);
	else if (wanted)
		tw_lint_add_advice(finding, "sysctl -w %s=%s", finding->key, wanted);
}

void tw_lint_add_usual(struct tw_lint_finding *finding, const struct tw_lint_facts *facts,
		       const struct tw_lint_place *place)
{
	struct tw_count sized = tw_lint_usual_sized(facts, place->tunable);
	const char *wanted = usual[place->tunable];
	char bytes[TW_TUNABLE_VALUE_MAX];
	struct tw_text text;

	if (sized.known) {
		tw_text_init(&text, bytes, sizeof(bytes));
		tw_text_addf(&text, "%" PRIu64, sized.value);
		wanted = bytes;
	}
	tw_lint_add_mend(finding, place->setting, !place->setting || place->live_too ? wanted : NULL);
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

static void add_member(struct tw_text *json, const char *name, const char *value)
{
	tw_json_key(json, name);
	if (value[0] != '\0')
		tw_json_string(json, value);
	else
		tw_json_literal(json, "null");
}

static void add_finding(struct tw_text *json, const struct tw_lint_finding *finding)
{
	tw_json_begin(json, '{');
	add_member(json, "id", finding->id);
	add_member(json, "severity", tw_severity_name(finding->severity));
	add_member(json, "key", finding->key);
	add_member(json, "value", finding->value);
	add_member(json, "where", finding->where);
	add_member(json, "finding", finding->finding);
	add_member(json, "consequence", finding->consequence);
	add_member(json, "advice", finding->advice);
	tw_json_end(json, '}');
}

void tw_lint_report_add_json(const struct tw_lint_report *report, struct tw_text *text)
{

	tw_json_begin(text, '[');
	for (unsigned i = 0; i < report->count; i++)
		add_finding(text, &report->findings[i]);
	tw_json_end(text, ']');
	tw_text_add_char(text, '\n');
}
