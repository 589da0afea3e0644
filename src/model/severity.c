/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/severity.h"

#include "base/macros.h"
#include "base/parse.h"

static const struct {
	const char *name;
	int priority; /* LOG_INFO to LOG_CRIT of syslog(3) */
} severities[] = {
	[TW_SEVERITY_INFO] = { "info", 6 },	    [TW_SEVERITY_NOTICE] = { "notice", 5 },
	[TW_SEVERITY_WARNING] = { "warning", 4 },   [TW_SEVERITY_ERROR] = { "error", 3 },
	[TW_SEVERITY_CRITICAL] = { "critical", 2 },
};
_Static_assert(TW_ARRAY_SIZE(severities) == TW_SEVERITY_COUNT, "each severity has its row");

const char *tw_severity_name(enum tw_severity severity)
{
	return severities[severity].name;
}

int tw_severity_priority(enum tw_severity severity)
{
	return severities[severity].priority;
}

bool tw_severity_from_name(const char *name, size_t length, enum tw_severity *ret)
{
	for (size_t i = 0; i < TW_ARRAY_SIZE(severities); i++) {
		if (tw_parse_is(name, length, severities[i].name)) {
			*ret = (enum tw_severity)i;
			return true;
		}
	}
	return false;
}
