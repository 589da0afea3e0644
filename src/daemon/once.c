/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fd.h"
#include "base/setns-source.h"
#include "base/text.h"
#include "daemon/daemon.h"
#include "measure/diag/diag.h"
#include "measure/kernel-source.h"
#include "measure/proc/netns-source.h"
#include "measure/scan.h"
#include "tell/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* The tables are bounded (100 rows each), so is what is printed of one namespace. */
#define TW_PAGE_MAX (256 * 1024)

#define HEAD "{\"namespaces\":["
#define TAIL "]}\n"

struct once {
	const struct tw_settings *settings;
	bool json;
	struct tw_hash_key key; /* the process's secret */
	struct tw_scan_order order;
	struct tw_source *host; /* NULL until it is looked at */
	unsigned printed;
};

static int print(struct once *once, const char *namespace, const struct tw_sample *sample)
{
	TW_CLEANUP_FREE char *bytes = malloc(TW_PAGE_MAX);
	struct tw_text page;

	if (!bytes)
		return -ENOMEM;
	tw_text_init(&page, bytes, TW_PAGE_MAX);
	if (once->json) {
		tw_text_add(&page, once->printed > 0 ? "," : HEAD);
		tw_snapshot_add_json(&page, namespace, sample, once->settings->top, NULL);
	} else {
		tw_text_add(&page, once->printed > 0 ? "\n" : "");
		tw_snapshot_add_text(&page, namespace, sample, once->settings->top);
	}
	once->printed++;
	return fputs(bytes, stdout) == EOF ? tw_errno() : 0;
}

/* NULL: the namespace that the thread is in. */
static int look(struct once *once, const char *namespace, const struct tw_netns *netns, struct tw_source **source)
{
	TW_CLEANUP_SCAN_PAST struct tw_scan_past past = { 0 };
	TW_CLEANUP_FREE struct tw_sample *sample = calloc(1, sizeof(*sample));
	int r;

	if (!sample)
		return -ENOMEM;
	r = tw_kernel_source_new(netns, once->host, source);
	if (r < 0)
		return r;
	once->order.at_usec = tw_clock_read(CLOCK_MONOTONIC);
	r = tw_scan_once(*source, &once->key, &once->order, &past, sample);
	return r < 0 ? r : print(once, namespace, sample);
}

static int visit(struct once *once, const struct tw_netns_source *found, const struct tw_netns_found *row, int home_fd)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *source = NULL;
	TW_CLEANUP_CLOSE int fd = -1;
	int r = tw_netns_source_open(found, row, &fd);

	return r < 0 ? r : look(once, row->namespace.name, &(struct tw_netns){ fd, home_fd }, &source);
}

/* One that is gone by now is passed over; one that cannot be looked at is said, and the others are looked at. */
static int look_at_others(struct once *once)
{
	const struct tw_namespace_list *list = &once->settings->namespaces;
	TW_CLEANUP_NETNS_SOURCE struct tw_netns_source *found = NULL;
	TW_CLEANUP_CLOSE int home_fd = -1;
	uint64_t home;
	int r = tw_netns_open(TW_NETNS_HERE, &home_fd, &home), first = 0;

	if (r >= 0)
		r = tw_netns_source_new(&tw_netns_paths, &found);
	if (r < 0)
		return r;
	tw_netns_source_begin(found, tw_namespace_list_is_open(list));
	while ((r = tw_netns_source_step(found)) > 0)
		;
	for (unsigned i = 0; r >= 0 && i < tw_netns_source_found(found)->count; i++) {
		const struct tw_netns_found *row = &tw_netns_source_found(found)->rows[i];
		int error = tw_namespace_list_has(list, row->namespace.name) ? visit(once, found, row, home_fd) : 0;

		if (error == 0 || error == -ENOENT || error == -ESTALE)
			continue;
		fprintf(stderr, "timewaitd: network namespace %s: %s\n", row->namespace.name,
			tw_diag_error_text(error));
		first = first < 0 ? first : error;
	}
	return r < 0 ? r : first;
}

int tw_once(const struct tw_settings *settings, bool json)
{
	TW_CLEANUP_KERNEL_SOURCE struct tw_source *host = NULL;
	struct once once = { .settings = settings, .json = json };
	int r = 0;

	if (getrandom(&once.key, sizeof(once.key), 0) != (ssize_t)sizeof(once.key))
		return tw_errno();
	once.order.bound_known = tw_kernel_source_tells_bound();
	/* Of all: nobody waits for it but who wants to know. */
	once.order.ask_most = UINT32_MAX;
	if (tw_namespace_list_has(&settings->namespaces, TW_NAMESPACE_HOST)) {
		r = look(&once, TW_NAMESPACE_HOST, NULL, &host);
		once.host = host;
	}
	if (r >= 0 && tw_namespace_list_is_wide(&settings->namespaces))
		r = look_at_others(&once);
	if (json && (r >= 0 || once.printed > 0))
		fputs(once.printed > 0 ? TAIL : HEAD TAIL, stdout);
	if (fflush(stdout) == EOF && r >= 0)
		r = tw_errno();
	return r;
}
