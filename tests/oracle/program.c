/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/program.h"

#include "base/macros.h"

#include <errno.h>
#include <sys/socket.h>

#define NEVER_USEC (UINT64_MAX / 2)
/* Who is half-closed goes on sending, so much so often; of some of them the last of it is never acknowledged. */
#define SENDS_EACH_USEC (20 * TW_USEC_PER_SEC)
#define SENDS_BYTES 1448u

static uint32_t chance(struct program *program, uint32_t most)
{
	program->chance ^= program->chance << 13;
	program->chance ^= program->chance >> 7;
	program->chance ^= program->chance << 17;
	return (uint32_t)((program->chance >> 32) * most >> 32);
}

/* Half to one and a half of it. */
static usec_t about(struct program *program, usec_t span_usec)
{
	return span_usec / 2 + span_usec * chance(program, 1024) / 1024;
}

void program_begin(struct program *program, uint64_t seed)
{
	program->chance = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned i = 0; i < 8; i++)
		(void)chance(program, 2);
	program->next_usec = program->begin_usec + about(program, program->interval_usec);
	program->accept_next_usec = program->accept_usec ? program->begin_usec : NEVER_USEC;
	program->restart_next_usec = program->restart_usec ? program->begin_usec + program->restart_usec : NEVER_USEC;
}

usec_t program_next(const struct program *program)
{
	usec_t next_usec = TW_MIN(program->next_usec, TW_MIN(program->accept_next_usec, program->restart_next_usec));

	return program->count > 0 ? TW_MIN(next_usec, program->line[program->first].ends_usec) : next_usec;
}

static void put(struct program *program, struct net_socket *socket, usec_t ends_usec, unsigned stage)
{
	unsigned at = program->count;

	if (program->count == PROGRAM_LINE_MAX)
		abort();
	/* Nearly always the last. */
	for (; at > 0; at--) {
		unsigned before = (program->first + at - 1) % PROGRAM_LINE_MAX;

		if (program->line[before].ends_usec <= ends_usec)
			break;
		program->line[(before + 1) % PROGRAM_LINE_MAX] = program->line[before];
	}
	at = (program->first + at) % PROGRAM_LINE_MAX;
	program->line[at].ends_usec = ends_usec;
	program->line[at].socket = socket;
	program->line[at].stage = stage;
	program->count++;
}

/* ---- how connections end */

static void end_one(struct program *program, struct net *net, struct net_socket *socket, unsigned stage)
{
	switch (program->ending) {
	case ENDING_NEAR:
		net_close(net, socket);
		/* The other end answers at once: the socket is the kernel's by now. */
		net_hang_up(net, socket);
		return;
	case ENDING_FAR:
		net_hang_up(net, socket);
		net_close(net, socket);
		return;
	case ENDING_ORPHAN:
		net_close(net, socket);
		return;
	case ENDING_LEAK:
		net_hang_up(net, socket);
		put(program, socket, NEVER_USEC, 1);
		return;
	case ENDING_HALF:
		if (stage == 0) {
			net_hang_up(net, socket);
		} else if (tw_usec_since(net->now_usec, socket->since_usec) >= program->life_usec) {
			net_close(net, socket);
			return;
		} else {
			net_send(net, socket, socket->cookie % 4 == 0 ? SENDS_BYTES : 0);
		}
		put(program, socket, net->now_usec + SENDS_EACH_USEC, stage + 1);
		return;
	case ENDING_RESET:
		net_reset(net, socket);
		return;
	}
}

static void end_due(struct program *program, struct net *net)
{
	while (program->count > 0 && program->line[program->first].ends_usec <= net->now_usec) {
		struct net_socket *socket = program->line[program->first].socket;
		unsigned stage = program->line[program->first].stage;

		program->first = (program->first + 1) % PROGRAM_LINE_MAX;
		program->count--;
		end_one(program, net, socket, stage);
	}
}

/* A deploy: everything it has is closed. What it leaks goes with the process. */
static void restart(struct program *program, struct net *net)
{
	for (; program->count > 0; program->count--) {
		struct net_socket *socket = program->line[program->first].socket;

		program->first = (program->first + 1) % PROGRAM_LINE_MAX;
		net_close(net, socket);
		net_hang_up(net, socket);
	}
	program->restart_next_usec = net->now_usec + program->restart_usec;
}

/* ---- how they begin */

static bool is_working(const struct program *program, usec_t now_usec)
{
	if (now_usec < program->begin_usec || now_usec >= program->until_usec)
		return false;
	return program->on_usec == 0 ||
	       (now_usec - program->begin_usec) % (program->on_usec + program->off_usec) < program->on_usec;
}

static struct net_socket *ask(struct program *program, struct net *net, uint16_t address)
{
	struct net_socket *made = net_socket(net, net->addresses[address].family);

	made->cgroup_id = program->cgroup_id;
	made->reuse_address = program->reuse_address;
	made->late = program->late;
	return made;
}

static bool connect_one(struct program *program, struct net *net, struct program_failure *ret_failure)
{
	uint16_t address = (uint16_t)(program->address +
				      (program->address_count > 1 ? chance(program, program->address_count) : 0));
	uint16_t port =
		(uint16_t)(program->port + (program->port_count > 1 ? chance(program, program->port_count) : 0));
	struct net_socket *made = ask(program, net, address);
	uint16_t local = made->family == AF_INET6 ? NET_ANY6 : NET_ANY;
	int r = 0;

	program->opened++;
	if (program->source_count > 0)
		local = program->sources[program->opened % program->source_count];
	if (program->bind || program->late)
		r = net_bind(net, made, local, 0);
	if (r == 0)
		r = net_connect(net, made, address, port, program->path, program->timestamps);
	if (r == 0 || r == -EINPROGRESS) {
		program->connected++;
		put(program, made,
		    program->life_usec >= NEVER_USEC ? NEVER_USEC : net->now_usec + about(program, program->life_usec),
		    0);
		return false;
	}
	if (r != -EADDRNOTAVAIL && r != -EADDRINUSE) {
		net_close(net, made);
		return false;
	}
	*ret_failure = (struct program_failure){ .at_usec = net->now_usec, .error = r, .socket = *made };
	ret_failure->socket.remote = address;
	ret_failure->socket.remote_port = port;
	ret_failure->source = net->addresses[local].any ? net_source_towards(net, address) : local;
	ret_failure->socket.local = program->bind ? local : ret_failure->source;
	net_close(net, made);
	return true;
}

static void accept_all(struct program *program, struct net *net, unsigned most)
{
	struct net_socket *child;

	while (most-- > 0 && (child = net_accept(program->listener))) {
		if (!child->in_table) {
			net_close(net, child);
			continue;
		}
		put(program, child,
		    net->now_usec + (program->ending == ENDING_HALF ? 0 : about(program, program->life_usec)), 0);
	}
}

static bool arrive(struct program *program, struct net *net, struct program_failure *ret_failure)
{
	uint16_t port = (uint16_t)(1024 + chance(program, 64000));
	uint64_t before = net->counters[TW_COUNTER_LISTEN_OVERFLOW];

	if (!program->listener) {
		program->listener = ask(program, net, program->address);
		if (net_bind(net, program->listener, program->address, program->port) < 0 ||
		    net_listen(net, program->listener, program->backlog) < 0)
			return false;
		if (program->accept_usec > 0)
			program->accept_next_usec = net->now_usec;
	}
	(void)net_arrive(net, program->listener,
			 (uint16_t)(program->sources[0] + chance(program, program->address_count)), port);
	if (program->accept_usec == 0)
		accept_all(program, net, UINT32_MAX);
	if (net->counters[TW_COUNTER_LISTEN_OVERFLOW] == before)
		return false;
	*ret_failure =
		(struct program_failure){ .at_usec = net->now_usec, .error = -EAGAIN, .socket = *program->listener };
	return true;
}

static unsigned pool_size(const struct program *program, usec_t now_usec)
{
	if (program->growth_usec == 0)
		return program->size;
	return program->size + (unsigned)((now_usec - program->begin_usec) / program->growth_usec);
}

static bool open_one(struct program *program, struct net *net, struct program_failure *ret_failure)
{
	if (program->kind == PROGRAM_SERVER)
		return arrive(program, net, ret_failure);
	if (program->kind == PROGRAM_POOL && program->count >= pool_size(program, net->now_usec))
		return false;
	return connect_one(program, net, ret_failure);
}

bool program_step(struct program *program, struct net *net, struct program_failure *ret_failure)
{
	bool failed = false;

	end_due(program, net);
	if (program->restart_next_usec <= net->now_usec)
		restart(program, net);
	if (program->accept_next_usec <= net->now_usec) {
		program->accept_next_usec = net->now_usec + program->accept_usec;
		if (program->listener)
			accept_all(program, net, 1);
	}
	if (program->next_usec <= net->now_usec) {
		program->next_usec = net->now_usec + about(program, program->interval_usec);
		if (program->until_usec <= net->now_usec)
			program->next_usec = NEVER_USEC;
		else if (is_working(program, net->now_usec))
			failed = open_one(program, net, ret_failure);
		/* Who is turned away waits a little longer. */
		if (failed)
			program->next_usec += 4 * program->interval_usec;
	}
	return failed;
}
