/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for timewaitd on a bus: answers GetSnapshot() with what stands in a file at that moment, keeps the mode,
 * refuses what is called "denied", and tells each call by a line. Usage: onbus ADDRESS FILE. Ends with its bus.
 */
#include "remote/bus-source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define SNAPSHOT_MAX (1024 * 1024)

static const char *snapshot_path;
static char mode[16] = "enforce";

/* FILE.SUFFIX says what a method answers; returns its length, or -1 where there is none. */
static ssize_t read_beside(const char *suffix, char *bytes, size_t capacity)
{
	char path[4096];
	size_t length;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s%s", snapshot_path, suffix);
	file = fopen(path, "re");
	if (!file)
		return -1;
	length = fread(bytes, 1, capacity - 1, file);
	(void)fclose(file);
	bytes[length] = '\0';
	return (ssize_t)length;
}

static int told(const char *method)
{
	char bytes[16];

	printf("%s\n", method);
	(void)fflush(stdout);
	return read_beside(".denied", bytes, sizeof(bytes)) >= 0;
}

static int refuse(sd_bus_error *error)
{
	return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "Access to org.timewaitd1.Manager not permitted.");
}

static int emit(sd_bus *bus, const char *event, const char *message)
{
	return sd_bus_emit_signal(bus, "/org/timewaitd1", "org.timewaitd1.Manager", "Event", "ssss", event, "host",
				  "port-exhaustion", message);
}

static int on_snapshot(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	static char bytes[SNAPSHOT_MAX];

	(void)userdata;
	if (read_beside("", bytes, sizeof(bytes)) < 0)
		return sd_bus_error_set_errno(error, ENOENT);
	return sd_bus_reply_method_return(message, "s", bytes);
}

/* FILE.errors has the configuration's errors, a line each. */
static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	static char bytes[4096];
	sd_bus_message *answer = NULL;
	int r;

	(void)userdata;
	if (told("reload"))
		return refuse(error);
	if (read_beside(".errors", bytes, sizeof(bytes)) < 0)
		bytes[0] = '\0';
	r = sd_bus_message_new_method_return(message, &answer);
	if (r >= 0)
		r = sd_bus_message_open_container(answer, 'a', "s");
	for (char *line = strtok(bytes, "\n"); r >= 0 && line; line = strtok(NULL, "\n"))
		r = sd_bus_message_append(answer, "s", line);
	if (r >= 0)
		r = sd_bus_message_close_container(answer);
	if (r >= 0)
		r = sd_bus_send(NULL, answer, NULL);
	(void)sd_bus_message_unref(answer);
	return r;
}

static int on_restore(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	if (told("restore"))
		return refuse(error);
	return sd_bus_reply_method_return(message, "u", 2u);
}

static int on_set_mode(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *wanted;
	int r = sd_bus_message_read(message, "s", &wanted);

	(void)userdata;
	if (r < 0)
		return r;
	if (told("mode"))
		return refuse(error);
	(void)snprintf(mode, sizeof(mode), "%s", wanted);
	r = emit(sd_bus_message_get_bus(message), "adjusted", "The mode is \033[31manother.");
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int get_mode(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
		    void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", mode);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("GetSnapshot", "", "s", on_snapshot, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Reload", "", "as", on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Restore", "", "u", on_restore, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetMode", "s", "", on_set_mode, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Mode", "s", get_mode, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_SIGNAL("Event", "ssss", 0),
	SD_BUS_VTABLE_END,
};

static int serve(const char *address)
{
	sd_bus *bus = NULL;
	int r = tw_remote_open_bus(address, &bus);

	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, TW_REMOTE_PATH, TW_REMOTE_INTERFACE, vtable, NULL);
	if (r >= 0)
		r = sd_bus_request_name(bus, TW_REMOTE_NAME, 0);
	if (r >= 0)
		(void)told("ready");
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	(void)sd_bus_unref(bus);
	return r;
}

int main(int argc, char *argv[])
{
	int r;

	if (argc != 3)
		return 2;
	snapshot_path = argv[2];
	r = serve(argv[1]);
	fprintf(stderr, "onbus: %s\n", strerror(-r));
	return EXIT_FAILURE;
}
