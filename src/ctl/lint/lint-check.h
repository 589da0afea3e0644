/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "base/macros.h"
#include "base/text.h"
#include "ctl/lint/sysctl-plan.h"
#include "model/flow.h"
#include "model/port-model.h"
#include "model/sample.h"
#include "model/settings.h"
#include "model/tunable.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- lists of ports, as sysctls have them */

/*
 * Longest ip_local_reserved_ports that the kernel takes in one write, with a NUL in the place of the newline: the rest
 * of what is longer than PAGE_SIZE - 1 would be another list (proc_do_large_bitmap() in kernel/sysctl.c).
 */
#define TW_PORT_SET_TEXT_MAX 4095

/* As the kernel writes it, without a newline: "8080,9000-9010"; nothing for no port. */
void tw_port_set_add_text(const struct tw_port_set *set, struct tw_text *text);
bool tw_port_set_equal(const struct tw_port_set *a, const struct tw_port_set *b);
void tw_port_set_unite(struct tw_port_set *set, const struct tw_port_set *other);

/* ---- what checks look at */

/* Listening sockets that are looked at; what is beyond is left out. */
#define TW_LINT_LISTENERS_MAX 1024

struct tw_lint_listener {
	struct tw_endpoint address;
	uint32_t backlog;
	uint64_t cgroup_id;	/* 0: not known */
	char unit[TW_UNIT_MAX]; /* "" where it is not known */
};

enum tw_lint_ledger {
	TW_LINT_LEDGER_NONE,	/* timewaitd has changed nothing here */
	TW_LINT_LEDGER_READ,	/* of this boot and this network namespace */
	TW_LINT_LEDGER_REFUSED, /* there is one that this user may not read */
};

/* What is not known is marked so, and finds nothing. */
struct tw_lint_facts {
	const struct tw_sysctl_plan *plan; /* borrows */
	bool live;			   /* of the running kernel, so all below may be known */
	bool first_namespace;		   /* where the files are applied at boot */
	struct tw_live_value sysctls[TW_TUNABLE_COUNT];
	struct tw_count ehash_entries;	  /* tcp_ehash_entries: the kernel's defaults hang on it */
	struct tw_count listen_overflows; /* since boot */
	struct tw_count memory_pages;	  /* of the machine */
	bool tcp_mem_known;
	int64_t tcp_mem[3];
	bool reserved_known;
	struct tw_port_set reserved;
	enum tw_lint_ledger ledger_state;
	struct tw_ledger ledger;
	unsigned listener_count;
	struct tw_lint_listener listeners[TW_LINT_LISTENERS_MAX];
};

/* Where a tunable has a value: in the line that decides about it at boot, or in the kernel. */
struct tw_lint_place {
	enum tw_tunable tunable;
	struct tw_tunable_value value;
	const struct tw_sysctl_setting *setting; /* NULL: in the kernel */
	bool live_too;				 /* the kernel holds the value of the line */
};

/* The places of a tunable, the line first. What timewaitd has written is not among them. Returns how many: 0 to 2. */
unsigned tw_lint_places(const struct tw_lint_facts *facts, enum tw_tunable tunable, struct tw_lint_place ret[2]);

/*
 * What another tunable has beside the place: in the files where that is a line, in the kernel where the files say
 * nothing. False where it is not known.
 */
bool tw_lint_beside(const struct tw_lint_facts *facts, const struct tw_lint_place *place, enum tw_tunable tunable,
		    struct tw_tunable_value *ret);

/* Whether timewaitd wrote the value that the kernel has now. */
bool tw_lint_is_ours(const struct tw_lint_facts *facts, enum tw_tunable tunable, const struct tw_tunable_value *value);

/* Whether a path below /proc/sys is what this program knows about: TCP, local ports, the accept queue. */
bool tw_lint_concerns(const char *path);

/* What the kernel sets by itself where that hangs on the size of its table of connections. */
struct tw_count tw_lint_usual_sized(const struct tw_lint_facts *facts, enum tw_tunable tunable);

/* ---- what is found */

/* More than anybody mends in one go. */
#define TW_LINT_FINDINGS_MAX 256

#define TW_LINT_KEY_MAX 128
#define TW_LINT_VALUE_MAX 128
#define TW_LINT_WORDS_MAX 768

/* One thing that was found. Every text ends in NUL, and may hold any byte that stands in a file. */
struct tw_lint_finding {
	const char *id; /* static */
	enum tw_severity severity;
	char key[TW_LINT_KEY_MAX];	     /* "net.ipv4.tcp_fin_timeout"; "" where it is about none */
	char value[TW_LINT_VALUE_MAX];	     /* as found; "" where there is none */
	char where[PATH_MAX + 16];	     /* "FILE:LINE" or "live" */
	char finding[TW_LINT_WORDS_MAX];     /* what is so */
	char consequence[TW_LINT_WORDS_MAX]; /* one sentence */
	char advice[2 * TW_LINT_WORDS_MAX];  /* a command, or an edit */
};

struct tw_lint_report {
	struct tw_lint_finding *findings; /* one more than TW_LINT_FINDINGS_MAX: what is beyond is written there */
	unsigned count;
	unsigned beyond;
};

/* Empty. Returns 0 or -ENOMEM. */
int tw_lint_report_init(struct tw_lint_report *report);
void tw_lint_report_done(struct tw_lint_report *report);
#define TW_CLEANUP_LINT_REPORT TW_CLEANUP(tw_lint_report_done)

struct tw_lint_check;

/*
 * A new finding of the check, with its consequence; never NULL. `path` is below /proc/sys; `value` NULL: none;
 * `setting` NULL: in the kernel. What is so is said by the format.
 */
struct tw_lint_finding *tw_lint_tell(struct tw_lint_report *report, const struct tw_lint_check *check,
				     const struct tw_sysctl_setting *setting, const char *path, const char *value,
				     const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Goes on saying what is so, and how to mend it. */
void tw_lint_add_finding(struct tw_lint_finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void tw_lint_add_advice(struct tw_lint_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tw_lint_set_consequence(struct tw_lint_finding *finding, const char *words);

/* How to be rid of a line, and how to have the value `wanted` now; either may be left out (NULL). */
void tw_lint_add_mend(struct tw_lint_finding *finding, const struct tw_sysctl_setting *setting, const char *wanted);

/* The same of a place: with what the kernel sets by itself, where the kernel too has the value and that is known. */
void tw_lint_add_usual(struct tw_lint_finding *finding, const struct tw_lint_facts *facts,
		       const struct tw_lint_place *place);

/*
 * One finding as lines for a person: WHERE: SEVERITY: what is so [ID], then the consequence, wrapped at `width`, and
 * how to mend it. Control bytes become '?'.
 */
void tw_lint_finding_add_text(const struct tw_lint_finding *finding, unsigned width, struct tw_text *text);

/* All findings as one JSON array, and a newline. */
void tw_lint_report_add_json(const struct tw_lint_report *report, struct tw_text *text);

/* ---- checks */

typedef void tw_lint_run_check(const struct tw_lint_check *check, const struct tw_lint_facts *facts,
			       struct tw_lint_report *report);

struct tw_lint_check {
	const char *id; /* stable: people silence it by this name */
	enum tw_severity severity;
	const char *consequence; /* one sentence; NULL: run() says it */
	const char *advice;	 /* what to do beside putting the usual value back, or NULL */
	bool advice_alone;	 /* not beside, but instead */
	tw_lint_run_check *run;	 /* finds what there is; NULL: `wrong` says it of each value */
	/* Of one tunable's value, wherever it has one: why it is wrong, or NULL where it is not. */
	enum tw_tunable tunable;
	const char *(*wrong)(const struct tw_lint_facts *facts, const struct tw_lint_place *place);
};

/* All checks, in the order of the manual. */
const struct tw_lint_check *tw_lint_checks(size_t *ret_count);

/* The check with this id, or NULL. */
const struct tw_lint_check *tw_lint_check_find(const char *id);

/* Runs all checks but those ignored. Findings come in the order of the checks. */
void tw_lint_run(const struct tw_lint_facts *facts, const char *const *ignored, size_t ignored_count,
		 struct tw_lint_report *report);

/* In lint-files.c: what stands in the files. */
tw_lint_run_check tw_lint_run_recycle, tw_lint_run_vendor, tw_lint_run_ipv6, tw_lint_run_absent, tw_lint_run_invalid,
	tw_lint_run_overridden, tw_lint_run_unread, tw_lint_run_mistakes;

/* In lint-live.c: the kernel, the files against it, ports and listeners. */
tw_lint_run_check tw_lint_run_drift, tw_lint_run_ours, tw_lint_run_narrow, tw_lint_run_reserved, tw_lint_run_listeners,
	tw_lint_run_backlog;
