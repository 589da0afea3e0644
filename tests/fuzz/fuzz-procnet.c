/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text at all, read as each of the files that it might be. */
#include "measure/proc/cgroup-source.h"
#include "measure/proc/netns-source.h"
#include "measure/proc/procnet.h"
#include "model/port-model.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ports(const char *text, size_t size)
{
	struct tw_port_set set;

	if (tw_port_set_parse(text, size, &set) == 0 && tw_port_set_size(&set) > 65536)
		abort();
}

static void check_cgroup(const char *text, size_t size)
{
	char unit[TW_UNIT_MAX];

	tw_cgroup_unit(text, size, unit);
	if (!memchr(unit, '\0', sizeof(unit)))
		abort();
}

/* What is not known has no value, and what is refused changes nothing. */
static void check_files(const char *text, size_t size)
{
	static const struct tw_gauge nothing;
	struct tw_gauge gauge = { 0 };

	for (unsigned file = 0; file < TW_PROCNET_COUNT; file++) {
		struct tw_gauge one = { 0 };

		(void)tw_procnet_parse((enum tw_procnet)file, text, size, &gauge);
		if (tw_procnet_parse((enum tw_procnet)file, text, size, &one) < 0 &&
		    memcmp(&one, &nothing, sizeof(one)) != 0)
			abort();
	}
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		if (!gauge.counters[i].known && gauge.counters[i].value != 0)
			abort();
}

/* The name of a namespace, of a process's cgroup. */
static void check_title(const char *text, size_t size)
{
	struct tw_netns_found row = { .namespace.id = 1 };
	struct tw_netns_list list = { .rows = &row, .count = 1 };

	tw_netns_list_entitle(&list, 1, text, size);
	if (row.namespace.name[0] == '\0' || !memchr(row.namespace.name, '\0', sizeof(row.namespace.name)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	uint64_t number;

	check_files(text, size);
	check_title(text, size);
	for (unsigned count = 1; count <= 3; count += 2)
		(void)tw_procnet_parse_numbers(text, size, count, &number);
	check_ports(text, size);
	check_cgroup(text, size);
	return 0;
}
