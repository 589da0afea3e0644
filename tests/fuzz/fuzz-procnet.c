/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text at all, read as each of the files that it might be. */
#include "measure/proc/cgroup-unit.h"
#include "measure/proc/procnet.h"
#include "model/ports.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ports(const char *text, size_t size)
{
	struct tw_port_set set;
	uint16_t low, high;

	if (tw_procnet_parse_port_range(text, size, &low, &high) == 0 && low > high)
		abort();
	if (tw_port_set_parse(text, size, &set) == 0 && tw_port_set_size(&set) > 65536)
		abort();
}

static void check_cgroup(const char *text, size_t size)
{
	char path[PATH_MAX], unit[TW_UNIT_MAX];

	if (tw_cgroup_find_mount(text, size, path) == 0 && !memchr(path, '\0', sizeof(path)))
		abort();
	tw_cgroup_unit(text, size, unit);
	if (!memchr(unit, '\0', sizeof(unit)))
		abort();
}

/* A layout that is kept changes nothing of what is read by it; of one that another text has taught, so much is not
 * said. */
static void check_tables(const char *text, size_t size)
{
	static struct tw_proc_layout old_snmp, old_netstat;
	struct tw_proc_layout snmp = { 0 }, netstat = { 0 };
	struct tw_count fresh[TW_COUNTER_COUNT] = { 0 }, kept[TW_COUNTER_COUNT] = { 0 };
	struct tw_procnet_snmp first = { 0 }, again = { 0 };

	(void)tw_procnet_parse_snmp(text, size, &snmp, fresh, &first);
	(void)tw_procnet_parse_netstat(text, size, &netstat, fresh);
	(void)tw_procnet_parse_snmp(text, size, &snmp, kept, &again);
	(void)tw_procnet_parse_netstat(text, size, &netstat, kept);
	if (memcmp(&first, &again, sizeof(first)) != 0 || memcmp(fresh, kept, sizeof(fresh)) != 0)
		abort();
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		if (!fresh[i].known && fresh[i].value != 0)
			abort();
	(void)tw_procnet_parse_snmp(text, size, &old_snmp, kept, &again);
	(void)tw_procnet_parse_netstat(text, size, &old_netstat, kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct tw_procnet_sockstat sockstat;
	uint64_t number;

	(void)tw_procnet_parse_sockstat(text, size, &sockstat);
	(void)tw_procnet_parse_sockstat6(text, size, &number);
	check_tables(text, size);
	(void)tw_procnet_parse_tcp_mem(text, size, &number);
	(void)tw_procnet_parse_number(text, size, &number);
	check_ports(text, size);
	check_cgroup(text, size);
	return 0;
}
