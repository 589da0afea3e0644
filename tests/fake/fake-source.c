/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-source.h"

#include "base/macros.h"
#include "fake-dump.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TIME_WAIT_MS 60000

/* Whether the fault strikes now; each call is an occasion. */
static bool strikes(struct tw_fake_source *fake, enum tw_fake_fault fault)
{
	struct tw_fake_plan *plan = &fake->plans[fault];

	if (plan->times == 0)
		return false;
	if (plan->after > 0) {
		plan->after--;
		return false;
	}
	if (plan->times != UINT32_MAX)
		plan->times--;
	return true;
}

static struct tw_fake_source *of(struct tw_source *base)
{
	return (struct tw_fake_source *)base;
}

static int gauge(struct tw_source *base, struct tw_gauge *ret)
{
	struct tw_fake_source *fake = of(base);

	fake->gauges++;
	if (strikes(fake, TW_FAKE_GAUGE))
		return fake->plans[TW_FAKE_GAUGE].error;
	*ret = fake->gauge;
	ret->at_usec = 0;
	return 0;
}

static int activity(struct tw_source *base, bool deep, struct tw_activity *ret)
{
	struct tw_fake_source *fake = of(base);

	fake->activity_reads++;
	fake->deep_activity_reads += deep;
	*ret = (struct tw_activity){
		.tcp_inuse = fake->gauge.tcp_inuse,
		.tcp6_inuse = fake->gauge.tcp6_inuse,
		.time_wait = fake->gauge.time_wait,
		.segments = { .value = deep ? fake->gauge.segments : 0, .known = deep },
	};
	return 0;
}

static void rest(struct tw_source *base)
{
	of(base)->rests++;
}

void tw_fake_source_beat(struct tw_fake_source *fake)
{
	fake->base.activity = activity;
	fake->base.rest = rest;
}

static int port_range(struct tw_source *base, struct tw_port_set *ret)
{
	struct tw_fake_source *fake = of(base);

	fake->port_ranges++;
	if (strikes(fake, TW_FAKE_PORT_RANGE))
		return fake->plans[TW_FAKE_PORT_RANGE].error;
	*ret = fake->range;
	return 0;
}

/* Its gauges are always whole. */
static void refresh(struct tw_source *base)
{
	of(base)->refreshes++;
}

static void scan_begin(struct tw_source *base)
{
	of(base)->scans++;
}

static bool is_there(const struct tw_fake_source *fake, uint64_t cookie)
{
	for (size_t i = 0; i < fake->flow_count; i++)
		if (fake->flows[i].cookie == cookie)
			return true;
	return false;
}

struct tw_idle tw_fake_source_idle(const struct tw_fake_source *fake, uint64_t cookie)
{
	for (unsigned i = 0; i < fake->age_count; i++)
		if (fake->ages[i].cookie == cookie)
			return fake->ages[i].idle;
	return (struct tw_idle){ .data_sent_ms = UINT32_MAX };
}

static int idle(struct tw_source *base, const struct tw_flow *flow, struct tw_idle *ret)
{
	struct tw_fake_source *fake = of(base);

	fake->ages_asked++;
	if (strikes(fake, TW_FAKE_AGE))
		return fake->plans[TW_FAKE_AGE].error;
	if (!is_there(fake, flow->cookie))
		return -ENOENT;
	*ret = tw_fake_source_idle(fake, flow->cookie);
	return 0;
}

static int unit(struct tw_source *base, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	struct tw_fake_source *fake = of(base);

	fake->units_asked++;
	if (strikes(fake, TW_FAKE_UNIT))
		return fake->plans[TW_FAKE_UNIT].error;
	for (unsigned i = 0; i < fake->unit_count; i++)
		if (fake->units[i].cgroup_id == cgroup_id) {
			(void)tw_text_copy(ret, TW_UNIT_MAX, fake->units[i].name);
			return 0;
		}
	return -ENOENT;
}

static int exclusive(struct tw_source *base, const uint16_t *ports, unsigned count, bool *ret_exclusive)
{
	struct tw_fake_source *fake = of(base);

	if (!fake->tells_exclusive)
		return -EOPNOTSUPP;
	if (strikes(fake, TW_FAKE_EXCLUSIVE))
		return fake->plans[TW_FAKE_EXCLUSIVE].error;
	fake->ports_asked += count;
	for (unsigned i = 0; i < count; i++)
		ret_exclusive[i] = tw_port_set_has(&fake->exclusive, ports[i]);
	return 0;
}

static int dump_begin(struct tw_source *base, const struct tw_diag_query *query, uint32_t *ret_sequence)
{
	struct tw_fake_source *fake = of(base);

	fake->queries[fake->dumps++ % TW_ARRAY_SIZE(fake->queries)] = *query;
	if (strikes(fake, TW_FAKE_DUMP_BEGIN))
		return fake->plans[TW_FAKE_DUMP_BEGIN].error;
	fake->query = *query;
	fake->at = 0;
	fake->silent = strikes(fake, TW_FAKE_SILENT);
	*ret_sequence = ++fake->sequence;
	return 0;
}

static bool is_asked_for(const struct tw_fake_source *fake, const struct tw_flow *flow)
{
	if (flow->state == TW_STATE_BOUND && !fake->tells_bound)
		return false;
	if (fake->query.family != AF_UNSPEC && flow->family != fake->query.family)
		return false;
	return (fake->query.states & tw_state_kernel_bit(flow->state)) != 0;
}

static void write_rows(struct tw_fake_source *fake, struct tw_fake_writer *writer)
{
	unsigned rows = TW_MIN(fake->rows_per_datagram, (unsigned)TW_FAKE_ROWS_MAX);

	for (; rows > 0 && fake->at < fake->flow_count; fake->at++) {
		struct tw_flow flow = fake->flows[fake->at];

		if (fake->silent || !is_asked_for(fake, &flow))
			continue;
		flow.idle = tw_fake_source_idle(fake, flow.cookie);
		if (!tw_fake_write_flow(writer, &fake->query, &flow))
			return;
		rows--;
	}
}

/* The last datagram holds NLMSG_DONE alone, or one that went wrong in its place. */
static size_t write_datagram(struct tw_fake_source *fake)
{
	struct tw_fake_writer writer = { fake->datagram, sizeof(fake->datagram), 0, fake->sequence };
	int32_t status = 0;

	if (strikes(fake, TW_FAKE_ERROR)) {
		status = fake->plans[TW_FAKE_ERROR].error;
		tw_fake_write(&writer, NLMSG_ERROR, &status, sizeof(status));
		return writer.length;
	}
	if (strikes(fake, TW_FAKE_DONE))
		status = fake->plans[TW_FAKE_DONE].error;
	else
		write_rows(fake, &writer);
	if (writer.length == 0)
		tw_fake_write(&writer, NLMSG_DONE, &status, sizeof(status));
	return writer.length;
}

static int dump_next(struct tw_source *base, const void **ret_datagram, size_t *ret_length)
{
	struct tw_fake_source *fake = of(base);
	struct nlmsghdr *header = (struct nlmsghdr *)fake->datagram;
	size_t length;

	fake->datagrams++;
	if (strikes(fake, TW_FAKE_DUMP_NEXT))
		return fake->plans[TW_FAKE_DUMP_NEXT].error;
	length = write_datagram(fake);
	if (strikes(fake, TW_FAKE_INTERRUPTED))
		header->nlmsg_flags |= NLM_F_DUMP_INTR;
	if (strikes(fake, TW_FAKE_SEQUENCE))
		header->nlmsg_seq--;
	if (strikes(fake, TW_FAKE_TRUNCATED))
		length -= 4;
	*ret_datagram = fake->datagram;
	*ret_length = length;
	return 0;
}

static void set_sysctl(struct tw_fake_source *fake, enum tw_tunable tunable, int64_t first, int64_t second)
{
	fake->gauge.sysctls[tunable] = (struct tw_live_value){ .value.numbers = { first, second }, .known = true };
}

void tw_fake_source_init(struct tw_fake_source *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->base = (struct tw_source){
		.gauge = gauge,
		.port_range = port_range,
		.refresh = refresh,
		.scan_begin = scan_begin,
		.dump_begin = dump_begin,
		.dump_next = dump_next,
		.idle = idle,
		.exclusive = exclusive,
		.unit = unit,
	};
	fake->rows_per_datagram = TW_FAKE_ROWS_MAX;
	fake->tells_bound = true;
	tw_port_set_add_range(&fake->range, 32768, 60999);
	set_sysctl(fake, TW_TUNABLE_PORT_RANGE, 32768, 60999);
	set_sysctl(fake, TW_TUNABLE_TW_REUSE, 2, 0);
	set_sysctl(fake, TW_TUNABLE_MAX_TW_BUCKETS, 131072, 0);
	set_sysctl(fake, TW_TUNABLE_FIN_TIMEOUT, 60, 0);
	set_sysctl(fake, TW_TUNABLE_TIMESTAMPS, 1, 0);
	fake->gauge.memory_bound_pages = (struct tw_count){ 500000, true };
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		fake->gauge.counters[i].known = true;
}

void tw_fake_source_done(struct tw_fake_source *fake)
{
	free(fake->flows);
	fake->flows = NULL;
	fake->flow_count = fake->flow_room = 0;
}

void tw_fake_source_add(struct tw_fake_source *fake, const struct tw_flow *flow)
{
	if (fake->flow_count == fake->flow_room) {
		fake->flow_room = TW_MAX(64u, 2 * fake->flow_room);
		fake->flows = realloc(fake->flows, fake->flow_room * sizeof(*fake->flows));
		if (!fake->flows)
			abort();
	}
	fake->flows[fake->flow_count] = *flow;
	if (flow->cookie == 0)
		fake->flows[fake->flow_count].cookie = ++fake->last_cookie;
	fake->flow_count++;
}

void tw_fake_source_add_many(struct tw_fake_source *fake, enum tw_state state, uint8_t host, uint16_t port,
			     uint16_t first_port, unsigned count, uint32_t age_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct tw_flow flow = {
			.state = state,
			.mini = state == TW_STATE_TIME_WAIT,
			.family = AF_INET,
			.local = { .address = tw_address_from_ipv4("\x0a\x00\x00\x01"),
				   .port = (uint16_t)(first_port + i) },
			.remote = { .address = tw_address_from_ipv4((uint8_t[4]){ 10, 0, 1, host }), .port = port },
			.expires_ms = state == TW_STATE_TIME_WAIT && age_ms < TIME_WAIT_MS ? TIME_WAIT_MS - age_ms : 0,
		};

		tw_fake_source_add(fake, &flow);
	}
	fake->gauge.counters[TW_COUNTER_ACTIVE_OPEN].value += count;
}

void tw_fake_source_add_listener(struct tw_fake_source *fake, uint16_t port)
{
	struct tw_flow flow = {
		.state = TW_STATE_LISTEN,
		.family = AF_INET,
		.local = { .address = tw_address_from_ipv4("\0\0\0\0"), .port = port },
		.remote = { .address = tw_address_from_ipv4("\0\0\0\0") },
		.send_queue = 511,
	};

	tw_fake_source_add(fake, &flow);
}

void tw_fake_source_set_idle(struct tw_fake_source *fake, uint64_t cookie, struct tw_idle idle)
{
	for (unsigned i = 0; i < fake->age_count; i++)
		if (fake->ages[i].cookie == cookie) {
			fake->ages[i].idle = idle;
			return;
		}
	if (fake->age_count == TW_FAKE_AGES_MAX)
		abort();
	fake->ages[fake->age_count++] = (struct tw_fake_age){ cookie, idle };
}

void tw_fake_source_name_unit(struct tw_fake_source *fake, uint64_t cgroup_id, const char *name)
{
	if (fake->unit_count == TW_FAKE_UNITS_MAX)
		abort();
	fake->units[fake->unit_count++] = (struct tw_fake_unit){ cgroup_id, name };
}

void tw_fake_source_clear(struct tw_fake_source *fake)
{
	fake->flow_count = 0;
}

void tw_fake_source_clear_state(struct tw_fake_source *fake, enum tw_state state)
{
	size_t kept = 0;

	for (size_t i = 0; i < fake->flow_count; i++)
		if (fake->flows[i].state != state)
			fake->flows[kept++] = fake->flows[i];
	fake->flow_count = kept;
}

/* Bound-but-unconnected sockets and request sockets are in none of sockstat's counts. */
void tw_fake_source_settle(struct tw_fake_source *fake)
{
	struct tw_gauge *to = &fake->gauge;

	to->tcp_inuse = to->tcp6_inuse = to->time_wait = to->established = 0;
	for (size_t i = 0; i < fake->flow_count; i++) {
		const struct tw_flow *flow = &fake->flows[i];

		if (flow->mini)
			to->time_wait++;
		else if (flow->state != TW_STATE_BOUND && flow->state != TW_STATE_SYN_RECV)
			*(flow->family == AF_INET ? &to->tcp_inuse : &to->tcp6_inuse) += 1;
		to->established += flow->state == TW_STATE_ESTABLISHED || flow->state == TW_STATE_CLOSE_WAIT;
	}
	to->alloc = to->tcp_inuse + to->tcp6_inuse;
}

void tw_fake_source_fail(struct tw_fake_source *fake, enum tw_fake_fault fault, unsigned after, unsigned times,
			 int error)
{
	fake->plans[fault] = (struct tw_fake_plan){ .after = after, .times = times, .error = error };
}
