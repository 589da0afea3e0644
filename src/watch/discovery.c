/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch/discovery.h"

#include "measure/proc/netns-source.h"

#include <errno.h>
#include <stdlib.h>

struct tw_kernel_discovery {
	struct tw_discovery base; /* first: the face is the object */
	struct tw_namespace_edges_ground ground;
	struct tw_netns_source *source;
};

static struct tw_kernel_discovery *of(struct tw_discovery *base)
{
	return (struct tw_kernel_discovery *)base;
}

static void look(struct tw_discovery *base, bool processes)
{
	tw_netns_source_begin(of(base)->source, processes);
}

static int step(struct tw_discovery *base)
{
	return tw_netns_source_step(of(base)->source);
}

static const struct tw_namespace *found(struct tw_discovery *base, unsigned index, bool *ret_named)
{
	const struct tw_netns_list *list = tw_netns_source_found(of(base)->source);

	if (index >= list->count)
		return NULL;
	*ret_named = list->rows[index].named;
	return &list->rows[index].namespace;
}

static bool denied(struct tw_discovery *base)
{
	return tw_netns_source_is_denied(of(base)->source);
}

static int open_one(struct tw_discovery *base, unsigned index, struct tw_watch_edges *ret)
{
	const struct tw_netns_found *row = &tw_netns_source_found(of(base)->source)->rows[index];
	struct tw_namespace_edges *edges;
	int fd, r = tw_netns_source_open(of(base)->source, row, &fd);

	if (r >= 0)
		r = tw_namespace_edges_new(&of(base)->ground, &row->namespace, fd, &edges);
	if (r < 0)
		return r;
	*ret = tw_namespace_edges_for_watch(edges);
	return 0;
}

static void close_one(struct tw_discovery *base TW_UNUSED, const struct tw_watch_edges *edges)
{
	(void)tw_namespace_edges_free(edges->context);
}

int tw_kernel_discovery_new(const struct tw_namespace_edges_ground *ground, struct tw_kernel_discovery **ret)
{
	TW_CLEANUP(tw_kernel_discovery_freep)
	struct tw_kernel_discovery *discovery = calloc(1, sizeof(*discovery));
	int r;

	if (!discovery)
		return -ENOMEM;
	discovery->base = (struct tw_discovery){
		.look = look,
		.step = step,
		.found = found,
		.denied = denied,
		.open = open_one,
		.close = close_one,
	};
	discovery->ground = *ground;
	r = tw_netns_source_new(&tw_netns_paths, &discovery->source);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(discovery);
	return 0;
}

struct tw_kernel_discovery *tw_kernel_discovery_free(struct tw_kernel_discovery *discovery)
{
	if (discovery) {
		discovery->source = tw_netns_source_free(discovery->source);
		free(discovery);
	}
	return NULL;
}

struct tw_discovery *tw_kernel_discovery_base(struct tw_kernel_discovery *discovery)
{
	return &discovery->base;
}
