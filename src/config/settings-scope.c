/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-scope.h"

#include "base/parse.h"
#include "config/settings-draft.h"
#include "model/flow.h"

#include <string.h>

/* As systemd names its units (systemd.unit(5)): what is escaped in them keeps its backslash. */
static bool is_unit_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";

	return name[strspn(name, allowed)] == '\0';
}

_Static_assert(TW_UNIT_MAX >= TW_SETTINGS_LINE_MAX, "each name that fits into a line fits into its field");

bool tw_scope_parse_unit(struct tw_scope *scope, const char *value, struct tw_text *why)
{
	const char *dot = strrchr(value, '.');

	if (is_unit_name(value) && dot && dot > value && dot[1])
		return tw_text_copy(scope->unit, sizeof(scope->unit), value);
	tw_text_add(why, "expected the whole name of a systemd unit such as web.service");
	if (is_unit_name(value) && !dot)
		tw_text_addf(why, "; did you mean '%s.service'?", value);
	return false;
}

bool tw_scope_parse_destination(struct tw_scope *scope, const char *value, struct tw_text *why)
{
	struct tw_address address;
	uint16_t port;

	/* No connection leads to the unspecified address: the kernel makes it the loopback's. */
	if (tw_endpoint_parse(value, strlen(value), &address, &port) == 0 && !tw_address_is_any(&address)) {
		scope->destination = address;
		scope->destination_port = port;
		scope->has_destination = true;
		return true;
	}
	tw_text_add(why, "expected an address, with a port or without one, such as 10.0.0.2:443 or [2001:db8::2]:443");
	return false;
}

/* "*:80". */
static bool parse_any_address(const char *value, uint16_t *ret_port)
{
	size_t length = strlen(value);
	uint64_t port;

	if (length < 3 || value[0] != '*' || value[1] != ':' || tw_parse_u64(value + 2, length - 2, &port) < 0 ||
	    port == 0 || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

bool tw_scope_parse_listener(struct tw_scope *scope, const char *value, struct tw_text *why)
{
	struct tw_address address = { 0 };
	uint16_t port = 0;

	if (!parse_any_address(value, &port) &&
	    (tw_endpoint_parse(value, strlen(value), &address, &port) < 0 || port == 0)) {
		tw_text_add(why, "expected ADDRESS:PORT or *:PORT, such as 10.0.0.1:80, [2001:db8::1]:80 or *:80");
		return false;
	}
	/* One way to say any: 0.0.0.0 is the same. */
	scope->listener = tw_address_is_any(&address) ? (struct tw_address){ 0 } : address;
	scope->listener_port = port;
	scope->has_listener = true;
	return true;
}
