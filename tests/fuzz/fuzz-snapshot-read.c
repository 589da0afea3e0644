/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/live/raised-text.h"
#include "ctl/live/status-text.h"
#include "ctl/live/top-model.h"
#include "exporter/page-text.h"
#include "remote/snapshot-read.h"

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

/* A label: a name, and a text that ends where it ends. Returns what is behind it. */
static const char *require_label(const char *at)
{
	at += strspn(at, "abcdefghijklmnopqrstuvwxyz");
	require(at[0] == '=' && at[1] == '"');
	for (at += 2; *at != '"'; at++) {
		require((unsigned char)*at >= 0x20);
		if (*at == '\\')
			require(*++at == '"' || *at == '\\' || *at == 'n');
	}
	return at + 1;
}

/* Every line is a comment, or a name with labels and a number. */
static void require_metrics(const struct tw_view *view, enum tw_format format)
{
	static char bytes[1 << 20];
	struct tw_metrics metrics = { .view = view, .top = 10, .top_other = 3 };
	struct tw_text text;

	tw_text_init(&text, bytes, sizeof(bytes));
	tw_metrics_add(&text, format, &metrics);
	require(!text.cut && text.bytes[text.length - 1] == '\n');
	for (const char *at = bytes; *at != '\0'; at = strchr(at, '\n') + 1) {
		if (*at == '#')
			continue;
		require(strncmp(at, "timewaitd_", 10) == 0);
		at += strspn(at, "abcdefghijklmnopqrstuvwxyz_");
		if (*at == '{') {
			do
				at = require_label(at + 1);
			while (*at == ',');
			require(*at++ == '}');
		}
		require(*at++ == ' ');
		at += strncmp(at, "NaN", 3) == 0 ? 3 : strspn(at, "-0123456789.");
		require(*at == '\n');
	}
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
	require_metrics(view, size % 2 ? TW_FORMAT_TEXT : TW_FORMAT_OPEN_METRICS);
	tw_top_update(&top, view);
	return 0;
}
