/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/once.h"

#include "base/fd.h"
#include "base/text.h"
#include "daemon/process.h"
#include "measure/kernel-source.h"
#include "measure/look.h"
#include "tell/snapshot.h"

#include <errno.h>
#include <stdio.h>

/* The tables are bounded (100 rows each), so is the page. */
#define TW_PAGE_MAX (256 * 1024)

static void print_json(struct tw_text *page, const struct tw_sample *sample, unsigned top)
{
	struct tw_json json;

	tw_json_init(&json, page);
	tw_json_object_begin(&json);
	tw_json_key(&json, "namespaces");
	tw_json_array_begin(&json);
	tw_snapshot_add_json(&json, "host", sample, top);
	tw_json_array_end(&json);
	tw_json_object_end(&json);
	tw_text_add_char(page, '\n');
}

int tw_once(const struct tw_settings *settings, bool json)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_kernel_source *source = NULL;
	TW_CLEANUP_SCAN_PAST struct tw_scan_past past = { 0 };
	TW_CLEANUP_FREE struct tw_sample *sample = calloc(1, sizeof(*sample));
	TW_CLEANUP_FREE char *bytes = malloc(TW_PAGE_MAX);
	struct tw_look_order order = { .bound_known = tw_kernel_source_tells_bound() };
	struct tw_text page;
	int r;

	if (!sample || !bytes)
		return -ENOMEM;
	r = tw_process_secret(&order.key);
	if (r < 0)
		return r;
	r = tw_kernel_source_new(NULL, &source);
	if (r < 0)
		return r;
	order.at_usec = tw_process_now();
	r = tw_look_take(tw_kernel_source_base(source), &order, &past, sample);
	if (r < 0)
		return r;
	tw_text_init(&page, bytes, TW_PAGE_MAX);
	if (json)
		print_json(&page, sample, settings->top);
	else
		tw_snapshot_add_text(&page, "host", sample, settings->top);
	return fputs(bytes, stdout) == EOF || fflush(stdout) == EOF ? tw_errno() : 0;
}
