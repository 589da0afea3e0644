/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/cgroup-unit.h"

#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Fields of a line of mountinfo, counted from 0. The optional ones after these end with a "-". */
#define FIELD_ROOT 3
#define FIELD_MOUNT_POINT 4
#define FIELD_OPTIONS 5

/* A run of bytes. */
struct part {
	const char *bytes;
	size_t length;
};

static bool ends_in(struct part name, const char *suffix)
{
	size_t length = strlen(suffix);

	/* The suffix alone names nothing. */
	return name.length > length && memcmp(name.bytes + name.length - length, suffix, length) == 0;
}

static bool is_unit(struct part name)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap", ".slice" };

	for (size_t i = 0; i < TW_ARRAY_SIZE(suffixes); i++)
		if (ends_in(name, suffixes[i]))
			return true;
	return false;
}

/* The component that ends at `end`, slashes behind it passed over; empty at the beginning of the path. */
static struct part component_before(const char *path, const char *end)
{
	const char *start;

	while (end > path && end[-1] == '/')
		end--;
	start = end;
	while (start > path && start[-1] != '/')
		start--;
	return (struct part){ start, (size_t)(end - start) };
}

void tw_cgroup_unit(const char *path, size_t length, char ret[TW_UNIT_MAX])
{
	struct part last = component_before(path, path + length), part = last;

	while (part.length > 0 && !is_unit(part))
		part = component_before(path, part.bytes);
	if (part.length == 0)
		part = last;
	if (part.length == 0)
		part = (struct part){ "-.slice", strlen("-.slice") };
	(void)tw_text_copy_bytes(ret, TW_UNIT_MAX, part.bytes, part.length);
}

/* Whether the line is of a cgroup2; its root within that file system, and where it is mounted. */
static bool read_line(const char *cursor, const char *end, struct part *ret_root, struct part *ret_point)
{
	struct part field;
	unsigned number = 0;
	bool behind_dash = false;

	for (; tw_parse_word(&cursor, end, &field.bytes, &field.length); number++) {
		if (behind_dash)
			return tw_parse_is(field.bytes, field.length, "cgroup2");
		if (number == FIELD_ROOT)
			*ret_root = field;
		else if (number == FIELD_MOUNT_POINT)
			*ret_point = field;
		behind_dash = number > FIELD_OPTIONS && tw_parse_is(field.bytes, field.length, "-");
	}
	return false;
}

static bool is_octal(char byte)
{
	return byte >= '0' && byte <= '7';
}

/* Takes a byte from the front. What would divide fields stands there in octal: "\040" is a blank. */
static char take_byte(struct part *rest)
{
	const char *bytes = rest->bytes;
	size_t taken = 1;
	char byte = bytes[0];

	if (rest->length >= 4 && byte == '\\' && is_octal(bytes[1]) && is_octal(bytes[2]) && is_octal(bytes[3])) {
		byte = (char)((bytes[1] - '0') << 6 | (bytes[2] - '0') << 3 | (bytes[3] - '0'));
		taken = 4;
	}
	rest->bytes += taken;
	rest->length -= taken;
	return byte;
}

static int unescape(struct part rest, char ret[PATH_MAX])
{
	char path[PATH_MAX];
	size_t length = 0;

	while (rest.length > 0 && length < sizeof(path))
		path[length++] = take_byte(&rest);
	if (length == sizeof(path))
		return -ENAMETOOLONG;
	path[length] = '\0';
	memcpy(ret, path, length + 1);
	return 0;
}

int tw_cgroup_find_mount(const char *text, size_t length, char ret_path[PATH_MAX])
{
	const char *end = text + length;
	struct part found = { 0 };

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		struct part root = { 0 }, point = { 0 };

		if (read_line(text, line_end, &root, &point)) {
			bool whole = tw_parse_is(root.bytes, root.length, "/");

			if (whole || !found.bytes)
				found = point;
			if (whole)
				break;
		}
		text = newline ? newline + 1 : end;
	}
	return found.bytes ? unescape(found, ret_path) : -ENOENT;
}
