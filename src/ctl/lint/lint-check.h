/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/lint/lint-facts.h"
#include "ctl/lint/lint-report.h"

#include <stddef.h>

/* Where a tunable has a value: in the line that decides about it at boot, or in the kernel. */
struct tw_lint_place {
	enum tw_tunable tunable;
	struct tw_tunable_value value;
	const struct tw_sysctl_setting *setting; /* NULL: in the kernel */
	bool live_too;				 /* the kernel holds the value of the line */
};

struct tw_lint_check {
	const char *id; /* stable: people silence it by this name */
	enum tw_severity severity;
	const char *consequence; /* one sentence; NULL: run() says it */
	const char *advice;	 /* what to do beside putting the usual value back, or NULL */
	bool advice_alone;	 /* not beside, but instead */
	/* Finds what there is. */
	void (*run)(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		    struct tw_lint_report *report);
	/* Of a check of one tunable's value, which is run() wherever it has one: why it is wrong, or NULL where it is
	 * not. */
	enum tw_tunable tunable;
	const char *(*wrong)(const struct tw_lint_facts *facts, const struct tw_lint_place *place);
};

/* All checks, in the order of the manual. In lint-check.c. */
const struct tw_lint_check *tw_lint_checks(size_t *ret_count);

/* The check with this id, or NULL. */
const struct tw_lint_check *tw_lint_check_find(const char *id);

/* Runs all checks but those ignored. Findings come in the order of the checks. */
void tw_lint_run(const struct tw_lint_facts *facts, const char *const *ignored, size_t ignored_count,
		 struct tw_lint_report *report);

/* ---- what checks are made of */

/* The check of one tunable's value. */
void tw_lint_run_value(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report);

/* In lint-files.c: what stands in the files. */
void tw_lint_run_recycle(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			 struct tw_lint_report *report);
void tw_lint_run_vendor(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report);
void tw_lint_run_ipv6(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		      struct tw_lint_report *report);
void tw_lint_run_absent(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report);
void tw_lint_run_invalid(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			 struct tw_lint_report *report);
void tw_lint_run_overridden(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			    struct tw_lint_report *report);
void tw_lint_run_unread(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report);
void tw_lint_run_mistakes(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			  struct tw_lint_report *report);

/* In lint-drift.c: the files against the kernel. */
void tw_lint_run_drift(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		       struct tw_lint_report *report);
void tw_lint_run_ours(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
		      struct tw_lint_report *report);

/* In lint-ports.c: ports and listeners. */
void tw_lint_run_narrow(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			struct tw_lint_report *report);
void tw_lint_run_reserved(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			  struct tw_lint_report *report);
void tw_lint_run_listeners(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			   struct tw_lint_report *report);
void tw_lint_run_backlog(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			 struct tw_lint_report *report);

/* In lint-memory.c: net.ipv4.tcp_mem. */
void tw_lint_run_memory_low(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			    struct tw_lint_report *report);
void tw_lint_run_memory_high(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			     struct tw_lint_report *report);
