/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/proc/ports-source.h"

#include "base/fd.h"
#include "base/file-source.h"
#include "measure/proc/procnet.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_PATH "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED_PATH "/proc/sys/net/ipv4/ip_local_reserved_ports"
/* Two numbers of five digits. */
#define RANGE_TEXT_MAX 32
/* Every second port as a number of five digits and a comma is 192 KiB. */
#define RESERVED_MIN 1024
#define RESERVED_MAX (256 * 1024)

struct tw_ports_source {
	int range_fd;
	int reserved_fd; /* -1 where the kernel has no such file */

	/* The reserved ports as they were read last, so that they are parsed only when they have changed. */
	char *text, *fresh;
	size_t length, capacity;
	struct tw_port_set reserved;

	/* What came of both, for the same reason. */
	bool known;
	uint16_t low, high;
	uint32_t inside; /* reserved ports of the range */
	struct tw_port_set usable;
};

int tw_ports_source_new(struct tw_ports_source **ret)
{
	TW_CLEANUP(tw_ports_source_freep) struct tw_ports_source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	source->range_fd = source->reserved_fd = -1;
	source->capacity = RESERVED_MIN;
	source->text = malloc(source->capacity);
	source->fresh = malloc(source->capacity);
	if (!source->text || !source->fresh)
		return -ENOMEM;
	source->range_fd = open(RANGE_PATH, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->range_fd < 0)
		return tw_errno();
	source->reserved_fd = open(RESERVED_PATH, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (source->reserved_fd < 0 && errno != ENOENT)
		return tw_errno();
	*ret = TW_TAKE_PTR(source);
	return 0;
}

struct tw_ports_source *tw_ports_source_free(struct tw_ports_source *source)
{
	if (source) {
		(void)tw_close(source->range_fd);
		(void)tw_close(source->reserved_fd);
		free(source->text);
		free(source->fresh);
		free(source);
	}
	return NULL;
}

/* Twice the room for the reserved ports; what was read into it before is forgotten. */
static int grow_reserved(struct tw_ports_source *source)
{
	size_t capacity = 2 * source->capacity;
	char *text, *fresh;

	if (capacity > RESERVED_MAX)
		return -EFBIG;
	text = realloc(source->text, capacity);
	if (text)
		source->text = text;
	fresh = realloc(source->fresh, capacity);
	if (fresh)
		source->fresh = fresh;
	if (!text || !fresh)
		return -ENOMEM;
	source->capacity = capacity;
	return 0;
}

/* Returns 1 where the reserved ports have changed, 0 where not, or -errno. */
static int refresh_reserved(struct tw_ports_source *source)
{
	int fd = source->reserved_fd;
	long n;
	char *swap;
	int r;

	if (fd < 0)
		return 0;
	while ((n = tw_file_reread(fd, source->fresh, source->capacity)) == -EFBIG) {
		r = grow_reserved(source);
		if (r < 0)
			return r;
	}
	if (n < 0)
		return (int)n;
	if ((size_t)n == source->length && memcmp(source->text, source->fresh, (size_t)n) == 0)
		return 0;
	r = tw_port_set_parse(source->fresh, (size_t)n, &source->reserved);
	if (r < 0)
		return r;
	swap = source->text;
	source->text = source->fresh;
	source->fresh = swap;
	source->length = (size_t)n;
	return 1;
}

/* Brings all of it up to date. */
static int refresh(struct tw_ports_source *source)
{
	char text[RANGE_TEXT_MAX];
	long n = tw_file_reread(source->range_fd, text, sizeof(text));
	uint16_t low, high;
	int changed, r;

	if (n < 0)
		return (int)n;
	r = tw_procnet_parse_port_range(text, (size_t)n, &low, &high);
	if (r < 0)
		return r;
	changed = refresh_reserved(source);
	if (changed < 0)
		return changed;
	if (source->known && changed == 0 && low == source->low && high == source->high)
		return 0;
	tw_port_set_clear(&source->usable);
	tw_port_set_add_range(&source->usable, low, high);
	tw_port_set_subtract(&source->usable, &source->reserved);
	source->low = low;
	source->high = high;
	source->inside = high - low + 1u - tw_port_set_size(&source->usable);
	source->known = true;
	return 0;
}

int tw_ports_source_range(struct tw_ports_source *source, struct tw_port_range *ret)
{
	int r = refresh(source);

	if (r < 0)
		return r;
	*ret = (struct tw_port_range){ source->low, source->high, source->inside };
	return 0;
}

int tw_ports_source_usable(struct tw_ports_source *source, struct tw_port_set *ret)
{
	int r = refresh(source);

	if (r < 0)
		return r;
	*ret = source->usable;
	return 0;
}
