/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* In rising order; the values are this project's own, tw_severity_priority() gives syslog's. */
enum tw_severity {
	TW_SEVERITY_INFO,
	TW_SEVERITY_NOTICE,
	TW_SEVERITY_WARNING,
	TW_SEVERITY_ERROR,
	TW_SEVERITY_CRITICAL,
	TW_SEVERITY_COUNT,
};

const char *tw_severity_name(enum tw_severity severity);
/* The PRIORITY of syslog(3) and the journal: 6 (info) to 2 (critical). */
int tw_severity_priority(enum tw_severity severity);
bool tw_severity_from_name(const char *name, size_t length, enum tw_severity *ret);
