/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/walk.h"

#include "base/macros.h"
#include "measure/diag/diag.h"

#include <errno.h>
#include <sys/socket.h>

/*
 * More than any honest walk tells: what the gauge counts, of which connections in SYN-RECV and bound sockets are no
 * part, several times over. A row of Linux 6.18 is some 150 bytes, 400 with TCP_INFO.
 */
#define SOCKETS_FACTOR 4
#define SOCKETS_MIN (1024 * 1024)
#define ROW_MAX 256

static const uint8_t families[] = { AF_INET, AF_INET6 };

static int begin_dump(struct tw_walk *walk, struct tw_source *source)
{
	struct tw_diag_query query = {
		.family = walk->apart ? families[walk->family] : AF_UNSPEC,
		.states = walk->states,
		.extensions = walk->extensions,
	};

	walk->answered = false;
	return source->dump_begin(source, &query, &walk->sequence);
}

static uint64_t bytes_max(const struct tw_gauge *gauge)
{
	uint64_t sockets = gauge->tcp_inuse + gauge->tcp6_inuse + gauge->time_wait + gauge->alloc;

	return (SOCKETS_MIN + SOCKETS_FACTOR * sockets) * ROW_MAX;
}

int tw_walk_begin(struct tw_walk *walk, struct tw_source *source, uint32_t states, uint8_t extensions,
		  const struct tw_gauge *gauge)
{
	walk->bytes_left = bytes_max(gauge);
	walk->states = states;
	walk->extensions = extensions;
	walk->family = 0;
	/* A kernel without its diag module turns down everything, until it is loaded. */
	walk->apart = walk->apart_works;
	return begin_dump(walk, source);
}

/* The first answer to the request for both says that the kernel does not take it, or has no diag module at all. */
static bool is_refusal(const struct tw_walk *walk, int error)
{
	return !walk->apart && !walk->answered && (error == -EINVAL || error == -EOPNOTSUPP || error == -ENOENT);
}

static int end_dump(struct tw_walk *walk, struct tw_source *source)
{
	int r;

	if (!walk->apart || ++walk->family == TW_ARRAY_SIZE(families))
		return 0;
	r = begin_dump(walk, source);
	return r < 0 ? r : 1;
}

int tw_walk_step(struct tw_walk *walk, struct tw_source *source, tw_diag_on_flow on_flow, void *context)
{
	const void *datagram;
	size_t length;
	int r = source->dump_next(source, &datagram, &length);

	if (r < 0)
		return r;
	if (length > walk->bytes_left)
		return -EPROTO;
	walk->bytes_left -= length;
	r = tw_diag_parse(datagram, length, walk->sequence, on_flow, context);
	if (r < 0 && is_refusal(walk, r)) {
		walk->apart = true;
		r = begin_dump(walk, source);
		return r < 0 ? r : 1;
	}
	if (r < 0)
		return r;
	walk->answered = true;
	walk->apart_works = walk->apart;
	return r == TW_DIAG_DONE ? end_dump(walk, source) : 1;
}
