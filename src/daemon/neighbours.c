/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/neighbours.h"

#include "measure/netns-source.h"

#include <errno.h>
#include <stdlib.h>

struct tw_kernel_neighbours {
	struct tw_neighbours base; /* first: the face is the object */
	struct tw_site_ground ground;
	struct tw_netns_source *source;
};

static struct tw_kernel_neighbours *of(struct tw_neighbours *base)
{
	return (struct tw_kernel_neighbours *)base;
}

static void look(struct tw_neighbours *base, bool processes)
{
	tw_netns_source_begin(of(base)->source, processes);
}

static int step(struct tw_neighbours *base)
{
	return tw_netns_source_step(of(base)->source);
}

static const struct tw_namespace *found(struct tw_neighbours *base, unsigned index, bool *ret_named)
{
	const struct tw_netns_list *list = tw_netns_source_found(of(base)->source);

	if (index >= list->count)
		return NULL;
	*ret_named = list->rows[index].named;
	return &list->rows[index].namespace;
}

static bool denied(struct tw_neighbours *base)
{
	return tw_netns_source_is_denied(of(base)->source);
}

static int open_one(struct tw_neighbours *base, unsigned index, struct tw_watch_edges *ret)
{
	const struct tw_netns_found *row = &tw_netns_source_found(of(base)->source)->rows[index];
	struct tw_site *site;
	int fd, r = tw_netns_source_open(of(base)->source, row, &fd);

	if (r >= 0)
		r = tw_site_new(&of(base)->ground, &row->namespace, fd, &site);
	if (r < 0)
		return r;
	*ret = tw_site_edges(site);
	return 0;
}

static void close_one(struct tw_neighbours *base TW_UNUSED, const struct tw_watch_edges *edges)
{
	(void)tw_site_free(edges->context);
}

int tw_kernel_neighbours_new(const struct tw_site_ground *ground, struct tw_kernel_neighbours **ret)
{
	TW_CLEANUP(tw_kernel_neighbours_freep)
	struct tw_kernel_neighbours *neighbours = calloc(1, sizeof(*neighbours));
	int r;

	if (!neighbours)
		return -ENOMEM;
	neighbours->base = (struct tw_neighbours){
		.look = look,
		.step = step,
		.found = found,
		.denied = denied,
		.open = open_one,
		.close = close_one,
	};
	neighbours->ground = *ground;
	r = tw_netns_source_new(&tw_netns_paths, &neighbours->source);
	if (r < 0)
		return r;
	*ret = TW_TAKE_PTR(neighbours);
	return 0;
}

struct tw_kernel_neighbours *tw_kernel_neighbours_free(struct tw_kernel_neighbours *neighbours)
{
	if (neighbours) {
		neighbours->source = tw_netns_source_free(neighbours->source);
		free(neighbours);
	}
	return NULL;
}

struct tw_neighbours *tw_kernel_neighbours_base(struct tw_kernel_neighbours *neighbours)
{
	return &neighbours->base;
}
