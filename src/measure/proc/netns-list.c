/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/netns-list.h"

#include "base/macros.h"
#include "base/text.h"
#include "measure/proc/cgroup-unit.h"

#include <errno.h>
#include <string.h>

#define ROOM_MIN 16u

void tw_netns_list_done(struct tw_netns_list *list)
{
	free(list->rows);
	*list = (struct tw_netns_list){ 0 };
}

void tw_netns_list_clear(struct tw_netns_list *list)
{
	list->count = list->beyond = 0;
}

/* Where the inode is, or would be. */
static unsigned place_of(const struct tw_netns_list *list, uint64_t inode)
{
	unsigned low = 0, high = list->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (list->rows[middle].namespace.id < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct tw_netns_found *tw_netns_list_find(const struct tw_netns_list *list, uint64_t inode)
{
	unsigned at = place_of(list, inode);

	return at < list->count && list->rows[at].namespace.id == inode ? &list->rows[at] : NULL;
}

/* Returns 0, -ENOSPC or -ENOMEM. */
static int insert(struct tw_netns_list *list, const struct tw_netns_found *row)
{
	unsigned at = place_of(list, row->namespace.id);

	if (list->count == TW_NETNS_MAX) {
		list->beyond++;
		return -ENOSPC;
	}
	if (list->count == list->room) {
		unsigned room = TW_MAX(ROOM_MIN, 2 * list->room);
		struct tw_netns_found *rows = realloc(list->rows, room * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		list->rows = rows;
		list->room = room;
	}
	memmove(&list->rows[at + 1], &list->rows[at], (list->count - at) * sizeof(*list->rows));
	list->rows[at] = *row;
	list->count++;
	return 0;
}

static void call(struct tw_netns_found *found, const char *name)
{
	(void)tw_text_copy(found->namespace.name, sizeof(found->namespace.name), name);
	(void)tw_text_copy(found->file, sizeof(found->file), name);
}

/* Names are looked for before processes. */
int tw_netns_list_add_name(struct tw_netns_list *list, uint64_t inode, const char *name)
{
	struct tw_netns_found *found = tw_netns_list_find(list, inode);
	struct tw_netns_found row = { .namespace.id = inode, .named = true };
	int r;

	if (found) {
		if (strcmp(name, found->file) < 0)
			call(found, name);
		return 0;
	}
	call(&row, name);
	r = insert(list, &row);
	return r == -ENOSPC ? 0 : r;
}

int tw_netns_list_add_process(struct tw_netns_list *list, uint64_t inode, uint64_t pid)
{
	struct tw_netns_found *found = tw_netns_list_find(list, inode);
	struct tw_netns_found row = { .namespace.id = inode, .pid = pid };
	int r;

	if (found) {
		if (found->pid == 0)
			found->pid = pid;
		return 0;
	}
	r = insert(list, &row);
	if (r == -ENOSPC)
		return 0;
	return r < 0 ? r : 1;
}

/*
 * The path of the hierarchy that systemd manages: that of cgroup2 ("0::/path"), or of its own in version 1
 * ("1:name=systemd:/path"). See cgroups(7).
 */
static bool find_path(const char *text, size_t length, const char **ret_path, size_t *ret_length)
{
	static const char *const marks[] = { ":name=systemd:", "0::" };
	const char *cursor = text, *end = text + length;
	bool found = false;

	while (cursor < end) {
		const char *newline = memchr(cursor, '\n', (size_t)(end - cursor));
		const char *line_end = newline ? newline : end;

		for (size_t i = 0; i < TW_ARRAY_SIZE(marks); i++) {
			size_t mark_length = strlen(marks[i]);
			const char *at = memmem(cursor, (size_t)(line_end - cursor), marks[i], mark_length);

			/* The root of one hierarchy says nothing where the other one knows more. */
			if (!at || (i == 1 && at != cursor) || (found && line_end - at - (long)mark_length <= 1))
				continue;
			*ret_path = at + mark_length;
			*ret_length = (size_t)(line_end - *ret_path);
			found = true;
		}
		cursor = newline ? newline + 1 : end;
	}
	return found;
}

void tw_netns_list_entitle(struct tw_netns_list *list, uint64_t inode, const char *text, size_t length)
{
	struct tw_netns_found *found = tw_netns_list_find(list, inode);
	const char *path = NULL;
	size_t path_length = 0;

	if (!found || found->named)
		return;
	(void)tw_text_copy(found->namespace.name, sizeof(found->namespace.name), "netns");
	if (find_path(text, length, &path, &path_length) && path_length > 1)
		tw_cgroup_unit(path, path_length, found->namespace.name);
}

static bool is_taken(const struct tw_netns_list *list, unsigned at)
{
	const char *name = list->rows[at].namespace.name;

	if (strcmp(name, TW_NAMESPACE_HOST) == 0)
		return true;
	for (unsigned i = 0; i < list->count; i++) {
		const struct tw_netns_found *other = &list->rows[i];

		/* A name under /run/netns stays as it is; of two others, the lower inode's does. */
		if (i == at || strcmp(other->namespace.name, name) != 0)
			continue;
		if (other->named != list->rows[at].named ? other->named : i < at)
			return true;
	}
	return false;
}

void tw_netns_list_tell_apart(struct tw_netns_list *list)
{
	for (unsigned i = list->count; i-- > 0;)
		if (is_taken(list, i))
			tw_namespace_tell_apart(&list->rows[i].namespace);
}
