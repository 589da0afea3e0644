/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as each kind of value that a file, a sysctl or a command line may hold: what is read is written as the same.
 */
#include "base/duration.h"
#include "base/parse.h"
#include "ctl/lint/lint-check.h"
#include "model/flow.h"
#include "model/port-model.h"
#include "model/tunable.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_tunables(const char *bytes, size_t size)
{
	char text[TW_TUNABLE_VALUE_MAX];

	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		enum tw_tunable tunable = (enum tw_tunable)i;
		struct tw_tunable_value value = { 0 }, again = { 0 };

		if (tw_tunable_parse(tunable, bytes, size, &value) < 0)
			continue;
		tw_tunable_format(tunable, &value, text);
		require(tw_tunable_parse(tunable, text, strlen(text), &again) == 0);
		require(tw_tunable_equal(tunable, &value, &again));
		require(tw_tunable_in_bounds(tunable, &value) == tw_tunable_in_bounds(tunable, &again));
	}
}

static void check_duration(const char *bytes, size_t size)
{
	char text[TW_DURATION_TEXT_MAX];
	usec_t usec = 42, again = 0;

	if (tw_duration_parse(bytes, size, &usec) < 0) {
		require(usec == 42);
		return;
	}
	tw_duration_format(text, usec);
	require(tw_duration_parse(text, strlen(text), &again) == 0 && again == usec);
}

static void check_endpoint(const char *bytes, size_t size)
{
	char room[TW_ENDPOINT_TEXT_MAX];
	struct tw_address address, again;
	struct tw_text text;
	uint16_t port, port_again;

	if (tw_endpoint_parse(bytes, size, &address, &port) < 0)
		return;
	tw_text_init(&text, room, sizeof(room));
	tw_endpoint_add(&text, &address, port);
	require(!text.cut);
	/* Without a port it is read as 0, and a port of 0 is none that can be written. */
	if (port == 0)
		return;
	require(tw_endpoint_parse(room, text.length, &again, &port_again) == 0);
	require(tw_address_equal(&address, &again) && port == port_again);
}

static void check_ports(const char *bytes, size_t size)
{
	static char room[TW_PORT_SET_TEXT_MAX + 1];
	static struct tw_port_set set, again;
	struct tw_text text;

	/* One number alone is a tunable's too, and a set is slow to write. */
	if (!memchr(bytes, ',', size) && !memchr(bytes, '-', size))
		return;
	if (tw_port_set_parse(bytes, size, &set) < 0)
		return;
	tw_text_init(&text, room, sizeof(room));
	tw_port_set_add_text(&set, &text);
	if (text.cut)
		return;
	require(tw_port_set_parse(room, text.length, &again) == 0 && tw_port_set_equal(&set, &again));
}

static void check_numbers(const char *bytes, size_t size)
{
	char room[32];
	struct tw_text text;
	uint64_t whole;
	int64_t number, again;
	bool truth;

	(void)tw_parse_bool(bytes, size, &truth);
	if (tw_parse_u64(bytes, size, &whole) == 0 && whole <= INT64_MAX)
		require(tw_parse_i64(bytes, size, &number) == 0 && number == (int64_t)whole);
	if (tw_parse_milli(bytes, size, &number) < 0)
		return;
	tw_text_init(&text, room, sizeof(room));
	tw_text_add_milli(&text, number);
	require(!text.cut && tw_parse_milli(room, text.length, &again) == 0 && again == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	check_tunables(bytes, size);
	check_duration(bytes, size);
	check_endpoint(bytes, size);
	check_ports(bytes, size);
	check_numbers(bytes, size);
	return 0;
}
