/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/lint/lint-check.h"

#include "base/parse.h"
#include "ctl/lint/lint-place.h"

#include <inttypes.h>
#include <string.h>

#define MEMORY_PATH "net/ipv4/tcp_mem"
#define MEMORY_KEY "net.ipv4.tcp_mem"
/* The kernel itself gives TCP about a tenth of the memory (tcp_init_mem()); a tenth of that starves it. */
#define MEMORY_PART_LOW 100

/* Three numbers and nothing else. */
static bool parse_three(const char *text, int64_t ret[3])
{
	const char *end = text + strlen(text), *word;
	unsigned count = 0;
	size_t length;

	while (tw_parse_word(&text, end, &word, &length))
		if (count == 3 || tw_parse_i64(word, length, &ret[count++]) < 0)
			return false;
	return count == 3;
}

static void tell(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		 const struct tw_sysctl_setting *setting, const int64_t mem[3], struct tw_lint_report *report)
{
	struct tw_lint_finding *made = tw_lint_report_add(report, check->id, check->severity);
	struct tw_text finding = tw_lint_text(made->finding, sizeof(made->finding));
	struct tw_text advice = tw_lint_text(made->advice, sizeof(made->advice));
	int64_t limit = (int64_t)TW_MAX(facts->memory_pages.value / 16, UINT64_C(128));
	char value[TW_LINT_VALUE_MAX];
	struct tw_text text = tw_lint_text(value, sizeof(value));

	tw_text_addf(&text, "%" PRId64 " %" PRId64 " %" PRId64, mem[0], mem[1], mem[2]);
	tw_lint_fill(made, MEMORY_PATH, value, setting);
	tw_text_addf(&finding, MEMORY_KEY " = %s; the machine has %" PRIu64 " pages", value, facts->memory_pages.value);
	(void)tw_text_copy(made->consequence, sizeof(made->consequence), check->consequence);
	/* tcp_init_mem() in net/ipv4/tcp.c. */
	text = tw_lint_text(value, sizeof(value));
	tw_text_addf(&text, "%" PRId64 " %" PRId64 " %" PRId64, limit / 4 * 3, limit, limit / 4 * 6);
	tw_lint_say_mend(&advice, setting, MEMORY_KEY, facts->tcp_mem_known ? value : NULL);
}

static void run(const struct tw_lint_check *check, const struct tw_lint_facts *facts, struct tw_lint_report *report,
		bool (*wrong)(const int64_t mem[3], int64_t pages))
{
	const struct tw_sysctl_setting *setting = tw_sysctl_plan_find(facts->plan, MEMORY_PATH);
	int64_t mem[3], pages = (int64_t)(facts->memory_pages.value & INT64_MAX);
	bool planned = setting && parse_three(setting->value, mem);

	if (!facts->memory_pages.known)
		return;
	if (planned && wrong(mem, pages))
		tell(check, facts, setting, mem, report);
	if (facts->tcp_mem_known && wrong(facts->tcp_mem, pages) &&
	    !(planned && memcmp(mem, facts->tcp_mem, sizeof(mem)) == 0))
		tell(check, facts, NULL, facts->tcp_mem, report);
}

static bool is_low(const int64_t mem[3], int64_t pages)
{
	return mem[2] < pages / MEMORY_PART_LOW;
}

static bool is_high(const int64_t mem[3], int64_t pages)
{
	return mem[2] > pages;
}

void tw_lint_run_memory_low(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			    struct tw_lint_report *report)
{
	run(check, facts, report, is_low);
}

void tw_lint_run_memory_high(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			     struct tw_lint_report *report)
{
	run(check, facts, report, is_high);
}
