/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask: asks timewaitd for its snapshot over a bus, once for each line on stdin, and tells how long the answer took.
 * Usage: ask ADDRESS. One connection for all, so that what is measured is the daemon and the bus between.
 */
#include "bench/work.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define TIMEOUT_USEC 10000000u

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "ask: %s: %s\n", what, why);
	exit(1);
}

static sd_bus *connect_to(const char *address)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, TIMEOUT_USEC);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		fail(address, strerror(-r));
	return bus;
}

static void ask(sd_bus *bus)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	struct work_clock began = work_clock_read();
	const char *snapshot = NULL;
	int r = sd_bus_call_method(bus, "org.timewaitd1", "/org/timewaitd1", "org.timewaitd1.Manager", "GetSnapshot",
				   &error, &reply, "");

	if (r < 0)
		fail("GetSnapshot", error.message ? error.message : strerror(-r));
	work_clock_print(&began, 1, "");
	r = sd_bus_message_read(reply, "s", &snapshot);
	if (r < 0 || snapshot[0] != '{')
		fail("GetSnapshot", "no snapshot");
	(void)sd_bus_message_unref(reply);
}

int main(int argc, char *argv[])
{
	char line[32];
	sd_bus *bus;

	if (argc != 2)
		fail("usage", "ask ADDRESS");
	bus = connect_to(argv[1]);
	while (fgets(line, sizeof(line), stdin))
		ask(bus);
	(void)sd_bus_flush_close_unref(bus);
	return 0;
}
