/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/raised-text.h"
#include "ctl/live/snapshot-read.h"
#include "ctl/live/status-text.h"
#include "ctl/live/top-model.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a page: from the narrowest that there is to one wider than most terminals. */
#define WIDTH_MIN 20
#define WIDTHS 80

/* A promise of the reader or of a page is broken: the fuzzer keeps the input. */
static void require(bool truth)
{
	if (!truth)
		abort();
}

static void require_plain(const char *text)
{
	for (; *text != '\0'; text++)
		require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void require_sound(const struct tw_view *view)
{
	require(view->namespace_count <= TW_NAMESPACES_MAX);
	require_plain(view->version);
	for (unsigned i = 0; i < view->namespace_count; i++) {
		const struct tw_view_namespace *of = &view->namespaces[i];

		require_plain(of->name);
		require(of->rules.count <= TW_RULES_MAX && of->destinations.count <= TW_TOP_MAX);
		for (unsigned j = 0; j < of->rules.count; j++)
			require_plain(of->rules.rows[j].finding);
	}
}

/* Memory for what is written of so many namespaces: large, so it is kept; exact, so that a write beyond it is seen. */
struct room {
	size_t capacity;
	char *bytes;
};

static void make_room(struct room *room, size_t capacity)
{
	if (room->bytes)
		return;
	room->bytes = malloc(capacity);
	require(room->bytes != NULL);
	room->capacity = capacity;
}

/* Whatever it is of, no line is longer than the width, and nothing but a newline is a control byte. */
static void require_page(const struct tw_view *view, unsigned width)
{
	struct tw_status_order order = { .view = view, .rows = 5 };
	static struct room rooms[TW_NAMESPACES_MAX + 1];
	struct room *room = &rooms[view->namespace_count];
	struct tw_text text;
	struct tw_screen screen = { .text = &text, .width = width };

	make_room(room, TW_STATUS_BYTES(view->namespace_count));
	tw_text_init(&text, room->bytes, room->capacity);
	tw_status_add(&screen, &order);
	require(!text.cut);
	for (char *line = room->bytes; *line != '\0'; line += strlen(line) + 1) {
		char *end = strchr(line, '\n');

		require(end != NULL);
		*end = '\0';
		require_plain(line);
		require(tw_columns(line) <= width);
	}
}

static void require_alerts(const struct tw_view *view)
{
	static struct room rooms[TW_NAMESPACES_MAX + 1];
	struct room *room = &rooms[view->namespace_count];
	struct tw_text text;

	make_room(room, TW_RAISED_BYTES(view->namespace_count));
	tw_text_init(&text, room->bytes, room->capacity);
	tw_raised_add_json(&text, view);
	require(!text.cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tw_top top;
	TW_CLEANUP_VIEW struct tw_view *view = NULL;
	int r = tw_snapshot_read((const char *)data, size, &view);

	require(r == 0 || r == -EBADMSG || r == -ENOMEM);
	if (r < 0)
		return 0;
	require_sound(view);
	/* One page of an input: other inputs make it wider. */
	require_page(view, WIDTH_MIN + (unsigned)(size % WIDTHS));
	require_alerts(view);
	tw_top_update(&top, view);
	return 0;
}
