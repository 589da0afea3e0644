/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "act/ledger.h"
#include "ctl/lint/sysctl-plan.h"
#include "model/flow.h"
#include "model/ports.h"
#include "model/sample.h"
#include "model/tunable.h"

#include <stdbool.h>
#include <stdint.h>

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

/* All that the checks look at. What is not known is marked so, and finds nothing. */
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
