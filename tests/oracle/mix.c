/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs a seed has: apart from world.c, which plays them. */
#include "base/macros.h"
#include "oracle/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define NEVER_USEC (UINT64_MAX / 2)
/* The first of the range, as Linux has it by default; seeds have shorter ones, for speed. */
#define LOW 32768
/* How long a port is in TIME-WAIT, s. */
#define WAITS 60
#define TROUBLES_MAX 3

/* What a seed is drawn from. */
struct draw {
	struct world *world;
	uint64_t chance;
	unsigned ports; /* of the range */
	unsigned hosts, units;
};

static uint32_t chance(struct draw *draw, uint32_t most)
{
	draw->chance ^= draw->chance << 13;
	draw->chance ^= draw->chance >> 7;
	draw->chance ^= draw->chance << 17;
	return (uint32_t)((draw->chance >> 32) * most >> 32);
}

/* Both inclusive. */
static unsigned between(struct draw *draw, unsigned low, unsigned high)
{
	return low + chance(draw, high - low + 1);
}

static bool one_in(struct draw *draw, unsigned so_many)
{
	return chance(draw, so_many) == 0;
}

static usec_t minutes(struct draw *draw, unsigned low, unsigned high)
{
	return between(draw, low * 60, high * 60) * TW_USEC_PER_SEC;
}

static struct tw_address ipv6_host(unsigned host)
{
	return (struct tw_address){ { 0xfd, 0, 0, 1, [14] = (uint8_t)(host >> 8), [15] = (uint8_t)host } };
}

static uint16_t far_host(struct draw *draw, unsigned count, bool ipv6)
{
	uint16_t first = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned host = draw->hosts++;
		uint8_t bytes[4] = { 10, 1, (uint8_t)(host / 250), (uint8_t)(host % 250 + 1) };
		struct tw_address address = ipv6 ? ipv6_host(host) : tw_address_from_ipv4(bytes);
		uint16_t made = net_address(draw->world->net, &address, false);

		first = i == 0 ? made : first;
	}
	return first;
}

/*
 * Of IPv6. Who binds such a socket to any address before connect() needs ports that no IPv4 socket has either. No
 * socket tells that it was so, and nobody does it here: that is not seen.
 */
static bool is_ipv6(const struct draw *draw, const struct program *program)
{
	return draw->world->net->addresses[program->address].family == AF_INET6;
}

static struct program *add(struct draw *draw, const char *what)
{
	struct program *made;
	char unit[48];

	(void)snprintf(unit, sizeof(unit), "%s-%u.service", what, ++draw->units);
	made = world_add(draw->world, unit);
	made->timestamps = true;
	made->until_usec = NEVER_USEC;
	made->begin_usec = draw->world->net->now_usec;
	made->address = far_host(draw, 1, one_in(draw, 5));
	made->address_count = made->port_count = 1;
	made->port = (uint16_t)between(draw, 1000, 20000);
	made->life_usec = between(draw, 5, 200) * TW_USEC_PER_MSEC;
	made->backlog = 511;
	return made;
}

/* So many connections that `percent` of the ports are in use for `seconds` each. */
static usec_t pace(const struct draw *draw, unsigned percent, unsigned seconds)
{
	return TW_MAX((usec_t)seconds * TW_USEC_PER_SEC * 100 / ((usec_t)draw->ports * TW_MAX(percent, 1u)),
		      (usec_t)TW_USEC_PER_MSEC);
}

/* ---- programs that harm nobody */

static void add_requests(struct draw *draw)
{
	struct program *made = add(draw, "requests");

	made->interval_usec = pace(draw, between(draw, 3, 28), WAITS);
	if (one_in(draw, 3))
		made->ending = ENDING_FAR;
}

static void add_pool(struct draw *draw)
{
	struct program *made = add(draw, "pool");

	made->kind = PROGRAM_POOL;
	made->size = draw->ports * between(draw, 5, 50) / 100;
	made->interval_usec = between(draw, 20, 200) * TW_USEC_PER_MSEC;
	made->life_usec = NEVER_USEC;
	if (one_in(draw, 3) && made->size < draw->ports / 6)
		made->restart_usec = minutes(draw, 5, 12);
}

/* To twenty clients of other machines. */
static void make_server(struct draw *draw, struct program *made)
{
	made->kind = PROGRAM_SERVER;
	made->address = draw->world->net->source;
	made->sources[0] = far_host(draw, 20, false);
	made->address_count = 20;
	made->port = (uint16_t)(80 + draw->units);
}

static void add_server(struct draw *draw)
{
	struct program *made = add(draw, "web");

	make_server(draw, made);
	made->interval_usec = between(draw, 20, 300) * TW_USEC_PER_MSEC;
	made->ending = one_in(draw, 2) ? ENDING_NEAR : ENDING_FAR;
	if (one_in(draw, 4)) {
		made->ending = ENDING_HALF;
		made->life_usec = between(draw, 100, 200) * TW_USEC_PER_SEC;
		made->interval_usec = between(draw, 300, 800) * TW_USEC_PER_MSEC;
	}
}

static void add_crawler(struct draw *draw)
{
	struct program *made = add(draw, "crawler");

	made->address_count = between(draw, 50, 300);
	made->address = far_host(draw, made->address_count, one_in(draw, 5));
	made->port = 443;
	made->interval_usec = pace(draw, between(draw, 10, 120), WAITS);
}

static void add_checks(struct draw *draw)
{
	struct program *made = add(draw, "checks");

	made->interval_usec = between(draw, 300, 3000) * TW_USEC_PER_MSEC;
	made->port_count = between(draw, 1, 6);
	made->path = one_in(draw, 4) ? NET_REFUSES : NET_ANSWERS;
}

static void add_scan(struct draw *draw)
{
	struct program *made = add(draw, "scan");

	made->path = NET_REFUSES;
	made->port = 1;
	made->port_count = 20000;
	made->interval_usec = between(draw, 50, 500) * TW_USEC_PER_MSEC;
}

static void add_burst(struct draw *draw)
{
	struct program *made = add(draw, "cron");

	made->on_usec = between(draw, 3, 20) * TW_USEC_PER_SEC;
	made->off_usec = minutes(draw, 2, 6);
	made->interval_usec = pace(draw, between(draw, 5, 30), (unsigned)(made->on_usec / TW_USEC_PER_SEC));
}

static void add_binder(struct draw *draw)
{
	struct program *made = add(draw, "agent");

	made->address = far_host(draw, 1, false);
	made->bind = true;
	made->reuse_address = one_in(draw, 2);
	made->interval_usec = pace(draw, between(draw, 1, 6), WAITS);
}

static void add_health(struct draw *draw)
{
	static void (*const adds[])(struct draw * draw) = {
		add_requests, add_requests, add_pool, add_server, add_server,
		add_crawler,  add_checks,   add_scan, add_burst,
	};
	bool has_binder = one_in(draw, 4);

	for (unsigned i = between(draw, 3, 5); i > 0; i--)
		adds[chance(draw, TW_ARRAY_SIZE(adds))](draw);
	/* All the time, whatever the others do. */
	add_requests(draw);
	add_server(draw);
	add_checks(draw);
	if (has_binder)
		add_binder(draw);
}

/* ---- and those that do */

static struct program *add_trouble(struct draw *draw, const char *what, unsigned low, unsigned high)
{
	struct program *made = add(draw, what);

	made->begin_usec += minutes(draw, 2, 14);
	made->until_usec = made->begin_usec + minutes(draw, 4, 14);
	made->interval_usec = pace(draw, between(draw, low, high), WAITS);
	return made;
}

static void trouble_time_wait(struct draw *draw)
{
	(void)add_trouble(draw, "shop", 130, 400);
}

static void trouble_no_timestamps(struct draw *draw)
{
	add_trouble(draw, "legacy", 130, 400)->timestamps = false;
}

static void trouble_silent(struct draw *draw)
{
	struct program *made = add_trouble(draw, "waiting", 100, 100);
	unsigned seconds = between(draw, 10, 60);

	made->path = NET_SILENT;
	made->life_usec = seconds * TW_USEC_PER_SEC;
	made->interval_usec = pace(draw, between(draw, 150, 250), seconds);
}

static void trouble_pool(struct draw *draw)
{
	struct program *made = add_trouble(draw, "database", 100, 100);

	made->kind = PROGRAM_POOL;
	made->size = 5;
	made->growth_usec = TW_MAX(minutes(draw, 1, 4) / draw->ports, 1);
	made->life_usec = NEVER_USEC;
	made->interval_usec = made->growth_usec;
}

static void trouble_leak(struct draw *draw)
{
	struct program *made = add_trouble(draw, "leaking", 100, 100);

	made->ending = ENDING_LEAK;
	made->interval_usec = pace(draw, 130, between(draw, 60, 300));
}

static void trouble_orphans(struct draw *draw)
{
	add_trouble(draw, "careless", 130, 300)->ending = ENDING_ORPHAN;
}

static void trouble_bound_first(struct draw *draw)
{
	struct program *made = add_trouble(draw, "binding", 140, 300), *victim;

	made->bind = true;
	made->reuse_address = one_in(draw, 2);
	if (one_in(draw, 2) || is_ipv6(draw, made)) {
		made->source_count = 1;
		made->sources[0] = net_source_towards(draw->world->net, made->address);
	}
	victim = add(draw, "victim");
	victim->interval_usec = pace(draw, between(draw, 3, 15), WAITS);
}

static void trouble_two_sources(struct draw *draw)
{
	struct program *made = add_trouble(draw, "proxy", 260, 600);

	made->address = far_host(draw, 1, false);
	made->late = true;
	made->source_count = 2;
	made->sources[0] = draw->world->net->source;
	made->sources[1] = net_address_of(draw->world->net, "10.0.0.2", true);
}

static void trouble_slow(struct draw *draw)
{
	struct program *made = add_trouble(draw, "slow", 100, 100);

	make_server(draw, made);
	made->backlog = between(draw, 20, 128);
	made->interval_usec = between(draw, 10, 50) * TW_USEC_PER_MSEC;
	made->accept_usec = made->interval_usec * between(draw, 15, 30) / 10;
	made->ending = ENDING_FAR;
}

static void trouble_buckets(struct draw *draw)
{
	struct program *made = add_trouble(draw, "busy", 100, 100);

	make_server(draw, made);
	made->ending = ENDING_NEAR;
	/* The healthy ones need no more than some two ranges. */
	draw->world->net->sysctls[TW_TUNABLE_MAX_TW_BUCKETS][0] = 4 * draw->ports;
	made->interval_usec = pace(draw, between(draw, 600, 900), WAITS);
}

static void trouble_burst(struct draw *draw)
{
	struct program *made = add_trouble(draw, "batch", 100, 100);

	made->on_usec = between(draw, 10, 30) * TW_USEC_PER_SEC;
	made->off_usec = between(draw, 60, 180) * TW_USEC_PER_SEC;
	made->interval_usec = pace(draw, between(draw, 140, 250), (unsigned)(made->on_usec / TW_USEC_PER_SEC));
}

static void draw_trouble(struct draw *draw)
{
	static void (*const troubles[])(struct draw * draw) = {
		trouble_time_wait,   trouble_time_wait, trouble_no_timestamps, trouble_silent,
		trouble_pool,	     trouble_leak,	trouble_orphans,       trouble_bound_first,
		trouble_two_sources, trouble_slow,	trouble_buckets,       trouble_burst,
	};
	unsigned count = one_in(draw, 3) ? 0 : between(draw, 1, TROUBLES_MAX);

	for (; count > 0; count--)
		troubles[chance(draw, TW_ARRAY_SIZE(troubles))](draw);
}

static void draw_admin(struct draw *draw)
{
	struct world *world = draw->world;

	world->net->sysctls[TW_TUNABLE_TW_REUSE][0] = one_in(draw, 4) ? between(draw, 0, 2) : 2;
	if (one_in(draw, 5))
		world->reload_usec = world->net->now_usec + minutes(draw, 2, 25);
	if (one_in(draw, 5))
		world->kill_usec = world->net->now_usec + minutes(draw, 2, 25);
	if (!one_in(draw, 8))
		return;
	world->admin_usec = world->net->now_usec + minutes(draw, 2, 25);
	world->admin_tunable = TW_TUNABLE_TW_REUSE;
	world->admin_value = between(draw, 0, 2);
}

void world_draw(struct world *world)
{
	struct draw draw = { .world = world, .chance = (world->mix.seed + 1) * UINT64_C(0xd1342543de82ef95) | 1 };
	int64_t *range = world->net->sysctls[TW_TUNABLE_PORT_RANGE];

	for (unsigned i = 0; i < 8; i++)
		(void)chance(&draw, 2);
	draw.ports = 2 * between(&draw, 150, 500);
	range[0] = LOW;
	range[1] = LOW + draw.ports - 1;
	world->net->source = net_address_of(world->net, "10.0.0.1", true);
	world->net->source6 = net_address_of(world->net, "fd00::1", true);
	add_health(&draw);
	draw_trouble(&draw);
	draw_admin(&draw);
}

/* ---- and what came of it, for a person */

static double seconds(usec_t span_usec)
{
	return (double)span_usec / TW_USEC_PER_SEC;
}

void world_tell_program(const struct world *world, unsigned program, FILE *file)
{
	static const char *const endings[] = {
		[ENDING_NEAR] = "closes first",
		[ENDING_FAR] = "closes last",
		[ENDING_ORPHAN] = "closes, and the peer never does",
		[ENDING_LEAK] = "never closes",
		[ENDING_HALF] = "is half-closed by the peer",
		[ENDING_RESET] = "resets",
	};
	static const char *const paths[] = {
		[NET_ANSWERS] = "", [NET_REFUSES] = ", refused", [NET_SILENT] = ", unanswered"
	};
	const struct program *it = world->programs[program];

	fprintf(file, "    %s: ", it->unit);
	if (it->kind == PROGRAM_POOL)
		fprintf(file, "a pool of %u", it->size);
	else
		fprintf(file, "%.2f a second, %.2f s each", it->interval_usec ? 1 / seconds(it->interval_usec) : 0,
			seconds(it->life_usec));
	if (it->growth_usec > 0)
		fprintf(file, ", growing by %.2f a second", 1 / seconds(it->growth_usec));
	fprintf(file, "; %s%s%s%s%s", endings[it->ending], paths[it->path], it->bind ? ", binds first" : "",
		it->timestamps ? "" : ", no timestamps", it->kind == PROGRAM_SERVER ? ", a server" : "");
	if (it->until_usec < NEVER_USEC)
		fprintf(file, "; from %.0f to %.0f s", seconds(it->begin_usec) - 1000, seconds(it->until_usec) - 1000);
	if (it->on_usec > 0)
		fprintf(file, "; %.0f s on, %.0f s off", seconds(it->on_usec), seconds(it->off_usec));
	fprintf(file, "\n");
}
