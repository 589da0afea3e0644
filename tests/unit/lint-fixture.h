/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/lint/lint-check.h"
#include "ctl/lint/sysctl-conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A machine as two texts in the language of sysctl.d: its files, and its kernel. */

static struct tw_lint_facts facts;
static struct tw_sysctl_plan *plan, *kernel;
static struct tw_lint_report report;

static struct tw_sysctl_plan *plan_of(const char *file, const char *text)
{
	struct tw_sysctl_plan *made = tw_sysctl_plan_new();

	assert_non_null(made);
	assert_int_equal(tw_sysctl_plan_add(made, file, false, text, strlen(text)), 0);
	return made;
}

static void take_live(const char *path, const char *value)
{
	size_t length = strlen(value);
	enum tw_tunable tunable;

	if (tw_tunable_from_key(path, strlen(path), &tunable)) {
		facts.sysctls[tunable].known = true;
		assert_int_equal(tw_tunable_parse(tunable, value, length, &facts.sysctls[tunable].value), 0);
	} else if (strcmp(path, "net/ipv4/ip_local_reserved_ports") == 0) {
		facts.reserved_known = true;
		assert_int_equal(tw_port_set_parse(value, length, &facts.reserved), 0);
	} else if (strcmp(path, "net/ipv4/tcp_mem") == 0) {
		facts.tcp_mem_known =
			sscanf(value, "%ld %ld %ld", &facts.tcp_mem[0], &facts.tcp_mem[1], &facts.tcp_mem[2]) == 3;
	} else if (strcmp(path, "net/ipv4/tcp_ehash_entries") == 0) {
		facts.ehash_entries = (struct tw_count){ strtoull(value, NULL, 10), true };
	}
}

/* `kernel_text` NULL: nothing is known of the kernel. A key that it lacks is one that the kernel lacks. */
static void set_up(const char *files, const char *kernel_text)
{
	memset(&facts, 0, sizeof(facts));
	plan = plan_of("a.conf", files);
	kernel = plan_of("kernel", kernel_text ? kernel_text : "");
	facts.plan = plan;
	facts.live = facts.first_namespace = kernel_text != NULL;
	for (size_t i = 0; i < kernel->setting_count; i++)
		take_live(kernel->settings[i].key, kernel->settings[i].value);
	for (size_t i = 0; kernel_text && i < plan->setting_count; i++) {
		struct tw_sysctl_setting *setting = &plan->settings[i];
		const struct tw_sysctl_setting *live = tw_sysctl_plan_find(kernel, setting->key);

		if (live)
			setting->live = strdup(live->value);
		setting->absent = !live && strncmp(setting->key, "net/ipv4/", 9) == 0;
	}
	assert_int_equal(tw_lint_report_init(&report), 0);
}

static void tear_down(void)
{
	tw_lint_report_done(&report);
	plan = tw_sysctl_plan_free(plan);
	kernel = tw_sysctl_plan_free(kernel);
}

static void add_listener(uint8_t last, uint16_t port, uint32_t backlog, const char *unit)
{
	struct tw_lint_listener *made = &facts.listeners[facts.listener_count++];

	made->address.address = tw_address_from_ipv4((const uint8_t[]){ 10, 0, 0, last });
	made->address.port = port;
	made->backlog = backlog;
	(void)tw_text_copy(made->unit, sizeof(made->unit), unit);
}

static void own(enum tw_tunable tunable, int64_t written)
{
	struct tw_ledger_entry *entry = &facts.ledger.entries[tunable];

	facts.ledger_state = TW_LINT_LEDGER_READ;
	entry->owner = TW_OWNER_OURS;
	entry->written.numbers[0] = written;
	(void)tw_text_copy(entry->rule, sizeof(entry->rule), "port-exhaustion");
}

/* "ID@WHERE ID@WHERE", in the order of the checks; every finding has all of its words. */
static const char *found(void)
{
	static char bytes[4096];
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_lint_run(&facts, NULL, 0, &report);
	for (unsigned i = 0; i < report.count; i++) {
		const struct tw_lint_finding *finding = &report.findings[i];

		assert_non_null(tw_lint_check_find(finding->id));
		assert_true(finding->finding[0] != '\0');
		assert_true(finding->consequence[0] != '\0');
		assert_true(finding->advice[0] != '\0');
		tw_text_addf(&text, "%s%s@%s", i > 0 ? " " : "", finding->id, finding->where);
	}
	return bytes;
}
