/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/face.h"

#include "base/macros.h"
#include "fake/fake-dump.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define FACE_OF(pointer, member) ((struct face *)(void *)((char *)(pointer)-offsetof(struct face, member)))
/* Bytes of a TIME-WAIT and such do not matter here: what all of TCP may take, in pages, is far away. */
#define MEMORY_PAGES 500000

/* ---- measuring */

static bool is_offered(const struct net *net, enum tw_tunable tunable)
{
	if (tunable == TW_TUNABLE_TW_REUSE_DELAY)
		return !net->kernel.delays_by_the_second;
	return tunable != TW_TUNABLE_TW_TIMEOUT && tunable != TW_TUNABLE_TW_RECYCLE;
}

static uint32_t reserved_in_range(const struct net *net)
{
	uint32_t count = 0;

	for (int64_t port = net->sysctls[TW_TUNABLE_PORT_RANGE][0]; port <= net->sysctls[TW_TUNABLE_PORT_RANGE][1];
	     port++)
		count += tw_port_set_has(&net->reserved, (uint16_t)port);
	return count;
}

static int gauge(struct tw_source *base, struct tw_gauge *ret)
{
	const struct net *net = FACE_OF(base, source)->net;

	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		ret->counters[i] = (struct tw_count){ net->counters[i], true };
	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++) {
		ret->sysctls[i].known = is_offered(net, (enum tw_tunable)i);
		ret->sysctls[i].value.numbers[0] = net->sysctls[i][0];
		ret->sysctls[i].value.numbers[1] = net->sysctls[i][1];
	}
	ret->tcp_inuse = net->full[0];
	ret->tcp6_inuse = net->full[1];
	ret->time_wait = net->minis;
	ret->alloc = net->full[0] + net->full[1];
	ret->established = net->in_state[TW_STATE_ESTABLISHED] + net->in_state[TW_STATE_CLOSE_WAIT];
	ret->segments = net->segments;
	ret->memory_limit_pages = ret->memory_bound_pages = (struct tw_count){ MEMORY_PAGES, true };
	ret->reserved_ports = reserved_in_range(net);
	return 0;
}

static void refresh(struct tw_source *base TW_UNUSED)
{
}

static int port_range(struct tw_source *base, struct tw_port_set *ret)
{
	const struct net *net = FACE_OF(base, source)->net;

	tw_port_set_clear(ret);
	tw_port_set_add_range(ret, (uint16_t)net->sysctls[TW_TUNABLE_PORT_RANGE][0],
			      (uint16_t)net->sysctls[TW_TUNABLE_PORT_RANGE][1]);
	tw_port_set_subtract(ret, &net->reserved);
	return 0;
}

static int dump_begin(struct tw_source *base, const struct tw_diag_query *query, uint32_t *ret_sequence)
{
	struct face *face = FACE_OF(base, source);

	face->query = *query;
	for (unsigned i = 0; i < TW_STATE_COUNT; i++)
		face->asked_for[i] = (query->states & tw_state_kernel_bit((enum tw_state)i)) != 0 &&
				     (i != TW_STATE_BOUND || face->net->kernel.tells_bound);
	face->at = 0;
	*ret_sequence = ++face->sequence;
	return 0;
}

static bool is_asked_for(const struct face *face, const struct net_socket *socket)
{
	return face->asked_for[socket->state] &&
	       (face->query.family == AF_UNSPEC || socket->family == face->query.family);
}

static uint32_t since_ms(const struct net *net, usec_t at_usec)
{
	return (uint32_t)((net->now_usec - at_usec) / TW_USEC_PER_MSEC);
}

static struct tw_idle idle_of(const struct net *net, const struct net_socket *socket)
{
	enum tw_timestamps timestamps = socket->timestamps ? TW_TIMESTAMPS_YES : TW_TIMESTAMPS_NO;

	return (struct tw_idle){ since_ms(net, socket->sent_usec),
				 since_ms(net, TW_MAX(socket->since_usec, socket->sent_usec)), timestamps };
}

static struct tw_flow flow_of(const struct net *net, const struct net_socket *socket)
{
	bool listens = socket->state == TW_STATE_LISTEN;

	return (struct tw_flow){
		.state = socket->state,
		.mini = socket->mini,
		.has_cgroup = !socket->mini && socket->cgroup_id != 0,
		.family = socket->family,
		.local = { net->addresses[socket->local].address, socket->local_port },
		.remote = { net->addresses[socket->remote].address, socket->remote_port },
		.device = socket->device,
		.expires_ms = socket->timers ? (uint32_t)((socket->ends_usec - net->now_usec) / TW_USEC_PER_MSEC) : 0,
		.receive_queue = listens ? socket->queued : 0,
		.send_queue = listens ? socket->backlog : socket->unsent,
		.inode = socket->held,
		.cookie = socket->cookie,
		.cgroup_id = socket->cgroup_id,
	};
}

static int dump_next(struct tw_source *base, const void **ret_datagram, size_t *ret_length)
{
	struct face *face = FACE_OF(base, source);
	struct tw_fake_writer writer = { face->datagram, sizeof(face->datagram), 0, face->sequence };
	int32_t status = 0;

	for (; face->at < face->net->socket_count; face->at++) {
		const struct net_socket *socket = face->net->sockets[face->at];
		struct tw_flow flow;

		if (!is_asked_for(face, socket))
			continue;
		flow = flow_of(face->net, socket);
		if (face->query.extensions & TW_DIAG_INFO)
			flow.idle = idle_of(face->net, socket);
		if (!tw_fake_write_flow(&writer, &face->query, &flow))
			break;
	}
	if (writer.length == 0)
		tw_fake_write(&writer, NLMSG_DONE, &status, sizeof(status));
	*ret_datagram = face->datagram;
	*ret_length = writer.length;
	return 0;
}

static struct net_socket *find(const struct net *net, uint64_t cookie)
{
	for (unsigned i = 0; i < net->socket_count; i++)
		if (net->sockets[i]->cookie == cookie)
			return net->sockets[i];
	return NULL;
}

static int idle(struct tw_source *base, const struct tw_flow *flow, struct tw_idle *ret)
{
	const struct net *net = FACE_OF(base, source)->net;
	const struct net_socket *socket = find(net, flow->cookie);

	if (!socket || socket->mini)
		return -ENOENT;
	*ret = idle_of(net, socket);
	return 0;
}

static int exclusive(struct tw_source *base, const uint16_t *ports, unsigned count, bool *ret_exclusive)
{
	const struct face *face = FACE_OF(base, source);

	if (!face->tells_exclusive)
		return -EOPNOTSUPP;
	for (unsigned i = 0; i < count; i++)
		ret_exclusive[i] = net_is_exclusive(face->net, ports[i]);
	return 0;
}

static int unit(struct tw_source *base, uint64_t cgroup_id, char ret[TW_UNIT_MAX])
{
	const struct face *face = FACE_OF(base, source);

	if (cgroup_id == 0 || cgroup_id > face->unit_count)
		return -ENOENT;
	(void)tw_text_copy(ret, TW_UNIT_MAX, face->units[cgroup_id - 1]);
	return 0;
}

uint64_t face_cgroup(struct face *face, const char *unit)
{
	for (unsigned i = 0; i < face->unit_count; i++)
		if (strcmp(face->units[i], unit) == 0)
			return i + 1;
	(void)tw_text_copy(face->units[face->unit_count % FACE_UNITS_MAX], TW_UNIT_MAX, unit);
	return ++face->unit_count;
}

/* ---- acting */

static int read_sysctl(struct tw_sysctl_sink *sink, enum tw_tunable tunable, struct tw_tunable_value *ret)
{
	const struct net *net = FACE_OF(sink, sysctl)->net;

	if (!is_offered(net, tunable))
		return -ENOENT;
	ret->numbers[0] = net->sysctls[tunable][0];
	ret->numbers[1] = net->sysctls[tunable][1];
	return 0;
}

static int write_sysctl(struct tw_sysctl_sink *sink, enum tw_tunable tunable, const struct tw_tunable_value *value)
{
	struct face *face = FACE_OF(sink, sysctl);

	if (!is_offered(face->net, tunable))
		return -ENOENT;
	face->writes++;
	face->net->sysctls[tunable][0] = value->numbers[0];
	face->net->sysctls[tunable][1] = value->numbers[1];
	return 0;
}

static int end(struct tw_socket_sink *sink, const struct tw_candidate *rows, unsigned count, int ret_answers[])
{
	struct net *net = FACE_OF(sink, socket)->net;

	for (unsigned i = 0; i < count; i++) {
		struct net_socket *socket = find(net, rows[i].id.cookie);

		ret_answers[i] = socket ? 0 : -ENOENT;
		if (socket)
			net_destroy(net, socket);
	}
	return 0;
}

void face_init(struct face *face, struct net *net)
{
	memset(face, 0, sizeof(*face));
	face->net = net;
	face->tells_exclusive = true;
	face->source = (struct tw_source){
		.gauge = gauge,
		.refresh = refresh,
		.port_range = port_range,
		.scan_begin = refresh,
		.dump_begin = dump_begin,
		.dump_next = dump_next,
		.idle = idle,
		.exclusive = exclusive,
		.unit = unit,
	};
	face->sysctl = (struct tw_sysctl_sink){
		.read = read_sysctl,
		.write = write_sysctl,
	};
	face->socket = (struct tw_socket_sink){ .end = end };
}
