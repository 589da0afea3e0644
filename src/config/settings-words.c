/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keys and the actions of a rule are both read by: neither file may need the other for it. */
#include "config/settings-reader.h"

#include "base/parse.h"

#include <stdarg.h>
#include <string.h>

bool tw_refuse(struct tw_text *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	tw_text_addv(why, format, arguments);
	va_end(arguments);
	return false;
}

void tw_text_add_choice(struct tw_text *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tw_text_addf(text, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", words[i]);
}

void tw_text_add_near(struct tw_text *text, const char *word, const char *const *words, size_t count)
{
	const char *near = tw_near(word, words, count);

	if (near)
		tw_text_addf(text, "; did you mean '%s'?", near);
}

bool tw_refuse_word(struct tw_text *why, const char *word, size_t length, const char *const *words, size_t count)
{
	char copy[TW_SETTINGS_LINE_MAX];

	(void)tw_text_copy_bytes(copy, sizeof(copy), word, length);
	tw_text_addf(why, ", found '%s'", copy);
	tw_text_add_near(why, copy, words, count);
	return false;
}

bool tw_read_span(const char *text, size_t length, usec_t low, usec_t high, usec_t *ret_usec, struct tw_text *why,
		  const char *expected)
{
	char low_text[TW_DURATION_TEXT_MAX], high_text[TW_DURATION_TEXT_MAX];
	usec_t span_usec;

	if (text && tw_duration_parse(text, length, &span_usec) == 0 && span_usec >= low && span_usec <= high) {
		*ret_usec = span_usec;
		return true;
	}
	return tw_refuse(why, "%s from %s to %s", expected, tw_duration_format(low_text, low),
			 tw_duration_format(high_text, high));
}

_Static_assert(TW_UNIT_MAX >= TW_SETTINGS_LINE_MAX, "each name that fits into a line fits into its field");

bool tw_parse_unit(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	/* As systemd names its units (systemd.unit(5)): what is escaped in them keeps its backslash. */
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
	bool is_name = value[strspn(value, allowed)] == '\0';
	const char *dot = strrchr(value, '.');

	if (is_name && dot && dot > value && dot[1])
		return tw_text_copy(field, TW_UNIT_MAX, value);
	tw_text_add(why, "expected the whole name of a systemd unit such as web.service");
	if (is_name && !dot)
		tw_text_addf(why, "; did you mean '%s.service'?", value);
	return false;
}

bool tw_parse_destination(const struct tw_key_row *row TW_UNUSED, void *field, const char *value, struct tw_text *why)
{
	struct tw_scope *scope = field;
	struct tw_address address;
	uint16_t port;

	/* No connection leads to the unspecified address: the kernel makes it the loopback's. */
	if (tw_endpoint_parse(value, strlen(value), &address, &port) < 0 || tw_address_is_any(&address))
		return tw_refuse(why, "expected an address, with a port or without one, such as 10.0.0.2:443 or "
				      "[2001:db8::2]:443");
	scope->destination = address;
	scope->destination_port = port;
	scope->has_destination = true;
	return true;
}
