/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "ctl/lint/lint-check.h"
#include "ctl/lint/sysctl-plan.h"

/* What could not be read is told to people as they go: `path` may be NULL, `error` is a negative errno. */
typedef void tw_lint_complain(const char *path, int error);

/*
 * Reads the files that set sysctls at boot, below `root` ("/" for this machine), in systemd-sysctl(8)'s order;
 * /etc/sysctl.conf where it is linked to there, else as unread, or last on a machine without systemd. Links are
 * followed as if `root` were the root. What cannot be read is complained about and left out. Returns 0, or -errno where
 * `root` cannot be opened or there is no memory; *ret_refused is whether anything was left out.
 */
int tw_lint_read_files(const char *root, struct tw_sysctl_plan *plan, tw_lint_complain *complain, bool *ret_refused);

/*
 * Reads the kernel: sysctls, listeners and ledger, for the network namespace that the process is in, and what it holds
 * for the keys of the plan. `facts` is all zero before; its plan is left to the caller. Returns 0, -ENOENT where the
 * kernel lacks tcp_diag, or -errno.
 */
int tw_lint_read_kernel(struct tw_sysctl_plan *plan, const char *state_directory, struct tw_lint_facts *facts);
