/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/activity-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "measure/proc/procnet.h"

#include <fcntl.h>

/* snmp of Linux 6.18 is 1.2 KiB; with numbers of 20 digits each it would be 3. */
#define ACTIVITY_TEXT_MAX 4096

static int open_file(const char *path, bool optional, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && !(optional && errno == ENOENT))
		return tw_errno();
	*ret_fd = fd;
	return 0;
}

int tw_activity_source_open(struct tw_activity_source *source)
{
	TW_CLEANUP(tw_activity_source_close) struct tw_activity_source made = TW_ACTIVITY_SOURCE_NONE;
	int r = open_file("/proc/thread-self/net/sockstat", false, &made.sockstat_fd);

	if (r >= 0)
		r = open_file("/proc/thread-self/net/sockstat6", true, &made.sockstat6_fd);
	if (r >= 0)
		r = open_file("/proc/thread-self/net/snmp", false, &made.snmp_fd);
	if (r < 0)
		return r;
	*source = made;
	made = TW_ACTIVITY_SOURCE_NONE;
	return 0;
}

void tw_activity_source_close(struct tw_activity_source *source)
{
	source->sockstat_fd = tw_close(source->sockstat_fd);
	source->sockstat6_fd = tw_close(source->sockstat6_fd);
	source->snmp_fd = tw_close(source->snmp_fd);
}

static int read_sockstat(const struct tw_activity_source *source, char text[ACTIVITY_TEXT_MAX],
			 struct tw_activity *activity)
{
	struct tw_procnet_sockstat sockstat;
	long n = tw_file_reread(source->sockstat_fd, text, ACTIVITY_TEXT_MAX);
	int r;

	if (n < 0)
		return (int)n;
	r = tw_procnet_parse_sockstat(text, (size_t)n, &sockstat);
	if (r < 0)
		return r;
	activity->tcp_inuse = sockstat.inuse;
	activity->time_wait = sockstat.time_wait;
	return 0;
}

/* As in the gauge: what is not understood is 0. */
static int read_sockstat6(const struct tw_activity_source *source, char text[ACTIVITY_TEXT_MAX],
			  struct tw_activity *activity)
{
	long n = source->sockstat6_fd < 0 ? 0 : tw_file_reread(source->sockstat6_fd, text, ACTIVITY_TEXT_MAX);

	if (n > 0)
		(void)tw_procnet_parse_sockstat6(text, (size_t)n, &activity->tcp6_inuse);
	return n < 0 ? (int)n : 0;
}

static int read_snmp(struct tw_activity_source *source, char text[ACTIVITY_TEXT_MAX], struct tw_activity *activity)
{
	struct tw_count counters[TW_COUNTER_COUNT] = { 0 };
	struct tw_procnet_snmp snmp = { 0 };
	long n = tw_file_reread(source->snmp_fd, text, ACTIVITY_TEXT_MAX);

	if (n < 0)
		return (int)n;
	(void)tw_procnet_parse_snmp(text, (size_t)n, &source->snmp, counters, &snmp);
	activity->segments = (struct tw_count){ .value = snmp.segments, .known = true };
	return 0;
}

int tw_activity_source_read(struct tw_activity_source *source, bool deep, struct tw_activity *ret)
{
	char text[ACTIVITY_TEXT_MAX];
	struct tw_activity activity = { 0 };
	int r = read_sockstat(source, text, &activity);

	if (r >= 0)
		r = read_sockstat6(source, text, &activity);
	if (r >= 0 && deep)
		r = read_snmp(source, text, &activity);
	if (r >= 0)
		*ret = activity;
	return r;
}
