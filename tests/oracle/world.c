/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/world.h"

#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Where the shipped rule is raised. */
#define NEAR_PERCENT 45
#define LOOK_USEC (2 * TW_USEC_PER_SEC)
#define NEVER_USEC (UINT64_MAX / 2)

const char *world_cause_name(enum world_cause cause)
{
	static const char *const names[CAUSE_COUNT] = {
		"nothing",	 "TIME-WAIT",	"ESTABLISHED", "SYN-SENT",	   "orphaned FIN-WAIT-2", "CLOSE-WAIT",
		"another state", "bound first", "bound",       "the accept queue", "tcp_max_tw_buckets",
	};

	return names[cause];
}

struct world *world_new(const struct mix *mix)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		abort();
	world->mix = *mix;
	world->forced = TW_TUNABLE_COUNT;
	world->net = net_new(mix->seed, net_kernel_of("6.18"));
	/* A time of 0 means "never". */
	net_advance(world->net, 1000 * TW_USEC_PER_SEC);
	world_draw(world);
	/* They never come to begin. */
	for (unsigned i = 0; i < world->program_count; i++)
		if (mix->without >> i & 1)
			world->programs[i]->begin_usec = NEVER_USEC;
	return world;
}

void world_force(struct world *world, enum tw_tunable tunable, int64_t value)
{
	world->forced = tunable;
	world->net->sysctls[tunable][0] = value;
}

struct world *world_free(struct world *world)
{
	if (!world)
		return NULL;
	for (unsigned i = 0; i < world->program_count; i++)
		free(world->programs[i]);
	world->net = net_free(world->net);
	free(world->watcher);
	free(world);
	return NULL;
}

struct program *world_add(struct world *world, const char *unit)
{
	struct program *made = calloc(1, sizeof(*made));

	if (!made || world->program_count == WORLD_PROGRAMS_MAX)
		abort();
	(void)tw_text_copy(made->unit, sizeof(made->unit), unit);
	made->cgroup_id = world->program_count + 1;
	world->programs[world->program_count++] = made;
	return made;
}

/* ---- who is in the way */

static enum world_cause cause_of(const struct net *net, const struct net_socket *holder, bool binds)
{
	/* Of a binder's own port, too, it is what bind() has made of it. */
	if (binds ? holder->bound : net_is_exclusive(net, holder->local_port))
		return holder->state == TW_STATE_BOUND || holder->state == TW_STATE_LISTEN ? CAUSE_BOUND
											   : CAUSE_BOUND_FIRST;
	switch ((int)holder->state) {
	case TW_STATE_TIME_WAIT:
		return CAUSE_TIME_WAIT;
	case TW_STATE_ESTABLISHED:
		return CAUSE_ESTABLISHED;
	case TW_STATE_SYN_SENT:
		return CAUSE_SYN_SENT;
	case TW_STATE_CLOSE_WAIT:
		return CAUSE_CLOSE_WAIT;
	case TW_STATE_FIN_WAIT_2:
		return holder->mini ? CAUSE_ORPHANED : CAUSE_OTHER;
	}
	return CAUSE_OTHER;
}

static struct net_socket as_asked(const struct world *world, const struct program *program)
{
	struct net_socket socket = {
		.reuse_address = program->reuse_address,
		.remote = program->address,
		.remote_port = program->port,
		.local = net_source_towards(world->net, program->address),
	};

	if (program->source_count > 0)
		socket.local = program->sources[0];
	else if (program->bind)
		socket.local = world->net->addresses[program->address].family == AF_INET6 ? NET_ANY6 : NET_ANY;

	return socket;
}

static bool binds(const struct program *program)
{
	return program->bind && !program->late;
}

/* Of a port that several hold each of their causes counts: none of them would be enough alone. */
static void count_causes(struct world *world, const struct net_socket *socket, bool by_bind, uint16_t port,
			 const struct net_socket *holder, unsigned causes[CAUSE_COUNT])
{
	unsigned found = 0;

	for (; holder; holder = by_bind ? net_next_in_the_way(world->net, socket, port, holder) : NULL)
		found |= 1u << cause_of(world->net, holder, by_bind);
	for (unsigned i = 0; i < CAUSE_COUNT; i++)
		causes[i] += found >> i & 1;
}

/* How many of the usable ports it cannot have. */
static unsigned blocked(struct world *world, const struct net_socket *socket, bool by_bind, unsigned *ret_usable,
			unsigned causes[CAUSE_COUNT])
{
	const int64_t *range = world->net->sysctls[TW_TUNABLE_PORT_RANGE];
	unsigned count = 0, usable = 0;

	for (int64_t port = range[0]; port <= range[1]; port++) {
		const struct net_socket *holder;

		if (tw_port_set_has(&world->net->reserved, (uint16_t)port))
			continue;
		usable++;
		if (!net_is_blocked(world->net, socket, by_bind, (uint16_t)port, &holder))
			continue;
		count++;
		if (causes)
			count_causes(world, socket, by_bind, (uint16_t)port, holder, causes);
	}
	*ret_usable = usable;
	return count;
}

/* Whose sockets are most of this cause. */
static uint64_t culprit(struct world *world, const struct net_socket *socket, bool by_bind, enum world_cause cause)
{
	const int64_t *range = world->net->sysctls[TW_TUNABLE_PORT_RANGE];
	unsigned counts[WORLD_PROGRAMS_MAX + 1] = { 0 };
	uint64_t most = 0;

	for (int64_t port = range[0]; port <= range[1]; port++) {
		const struct net_socket *holder;

		if (net_is_blocked(world->net, socket, by_bind, (uint16_t)port, &holder) &&
		    cause_of(world->net, holder, by_bind) == cause && holder->cgroup_id <= WORLD_PROGRAMS_MAX)
			counts[holder->cgroup_id]++;
	}
	for (uint64_t i = 1; i <= WORLD_PROGRAMS_MAX; i++)
		if (counts[i] > counts[most])
			most = i;
	return most;
}

static struct world_shortage *shortage_of(struct world *world, const struct program_failure *failure,
					  enum world_cause cause)
{
	const struct program *program = world->programs[failure->program];
	bool for_all = cause == CAUSE_BOUND || cause == CAUSE_BOUND_FIRST;
	struct world_shortage *made;

	for (unsigned i = world->shortage_count; i-- > 0;) {
		struct world_shortage *shortage = &world->shortages[i];

		if (shortage->program == failure->program && shortage->cause == cause &&
		    (for_all || shortage->remote == failure->socket.remote) &&
		    failure->at_usec - shortage->last_usec < WORLD_GAP_USEC)
			return shortage;
	}
	if (world->shortage_count == WORLD_SHORTAGES_MAX)
		abort();
	made = &world->shortages[world->shortage_count++];
	*made = (struct world_shortage){
		.program = failure->program,
		.cause = cause,
		.causes = 1u << cause,
		.by_bind = cause < CAUSE_QUEUE && binds(program),
		.unseen = cause < CAUSE_QUEUE && binds(program) && program->connected == 0,
		.local = failure->source,
		.remote = failure->socket.remote,
		.port = failure->socket.remote_port,
		.first_usec = failure->at_usec,
		.near_usec = cause < CAUSE_QUEUE ? world->near_usec[failure->program] : 0,
	};
	return made;
}

static enum world_cause blame(struct world *world, const struct program_failure *failure, unsigned *ret_causes)
{
	bool by_bind = binds(world->programs[failure->program]);
	unsigned causes[CAUSE_COUNT] = { 0 };
	enum world_cause most = CAUSE_NOTHING;
	unsigned usable;

	*ret_causes = 0;
	if (failure->error == -EAGAIN)
		return CAUSE_QUEUE;
	(void)blocked(world, &failure->socket, by_bind, &usable, causes);
	for (unsigned i = 1; i < CAUSE_COUNT; i++)
		if (causes[i] > causes[most])
			most = (enum world_cause)i;
	for (unsigned i = 1; i < CAUSE_COUNT; i++)
		if (causes[i] > 0 && causes[i] * 3 >= causes[most] * 2)
			*ret_causes |= 1u << i;
	return most;
}

static void note(struct world *world, const struct program_failure *failure)
{
	/* While it lasts its cause is not looked for anew each time: that would be a walk over all ports. */
	struct world_shortage *shortage = NULL;

	for (unsigned i = world->shortage_count; i-- > 0 && !shortage;)
		if (world->shortages[i].program == failure->program &&
		    world->shortages[i].remote == failure->socket.remote &&
		    failure->at_usec - world->shortages[i].last_usec < 10 * TW_USEC_PER_SEC)
			shortage = &world->shortages[i];
	if (!shortage) {
		unsigned causes;
		enum world_cause cause = blame(world, failure, &causes);

		shortage = shortage_of(world, failure, cause);
		if (!shortage)
			return;
		shortage->causes |= causes;
		if (shortage->failures == 0 && cause < CAUSE_QUEUE)
			shortage->cgroup_id =
				culprit(world, &failure->socket, binds(world->programs[failure->program]), cause);
	}
	shortage->failures++;
	shortage->last_usec = failure->at_usec;
}

/* Overflow of tcp_max_tw_buckets fails nobody's connect(): it is a shortage of its own. */
static void note_buckets(struct world *world, uint64_t *before)
{
	uint64_t now = world->net->counters[TW_COUNTER_TIME_WAIT_OVERFLOW];
	struct program_failure failure = { .at_usec = world->net->now_usec };
	struct world_shortage *shortage;

	if (now == *before)
		return;
	shortage = shortage_of(world, &failure, CAUSE_BUCKETS);
	if (shortage) {
		shortage->failures += (unsigned)(now - *before);
		shortage->last_usec = failure.at_usec;
	}
	*before = now;
}

/* Where fewer ports are held by anybody, nobody is short of them. */
static bool is_near(const struct world *world)
{
	const int64_t *range = world->net->sysctls[TW_TUNABLE_PORT_RANGE];
	uint64_t width = (uint64_t)(range[1] - range[0] + 1), reserved = tw_port_set_size(&world->net->reserved);

	return world->net->ports_held * 100 >= (width - TW_MIN(width, reserved)) * NEAR_PERCENT;
}

static void look(struct world *world)
{
	bool near = is_near(world);

	for (unsigned i = 0; i < world->program_count; i++) {
		const struct program *program = world->programs[i];
		struct net_socket socket = as_asked(world, program);
		unsigned usable = 1, count;

		/* Nor is anybody who has not asked for one yet. */
		if (program->kind == PROGRAM_SERVER || program->opened == 0)
			continue;
		count = near ? blocked(world, &socket, binds(program), &usable, NULL) : 0;
		if (count * 100 < usable * NEAR_PERCENT)
			world->near_usec[i] = 0;
		else if (world->near_usec[i] == 0)
			world->near_usec[i] = world->net->now_usec;
	}
}

/* ---- play */

static void administer(struct world *world)
{
	struct net *net = world->net;

	if (world->admin_usec > 0 && world->admin_tunable != world->forced && net->now_usec >= world->admin_usec) {
		world->admin_usec = 0;
		/* To write what is there already leaves no trace. */
		if (net->sysctls[world->admin_tunable][0] != world->admin_value)
			world->before[world->admin_tunable] = world->admin_value;
		net->sysctls[world->admin_tunable][0] = world->admin_value;
	}
	if (!world->watcher)
		return;
	if (world->reload_usec > 0 && net->now_usec >= world->reload_usec) {
		world->reload_usec = 0;
		watcher_reload(world->watcher, tw_settings_new());
	}
	if (world->kill_usec > 0 && net->now_usec >= world->kill_usec) {
		world->kill_usec = 0;
		world->killed_usec = net->now_usec;
		watcher_kill(world->watcher);
		watcher_start(world->watcher);
	}
}

static usec_t next_due(const struct world *world, unsigned *ret_program)
{
	usec_t next_usec = NEVER_USEC;

	for (unsigned i = 0; i < world->program_count; i++) {
		usec_t due_usec = program_next(world->programs[i]);

		if (due_usec < next_usec) {
			next_usec = due_usec;
			*ret_program = i;
		}
	}
	return next_usec;
}

static void step(struct world *world, unsigned program)
{
	struct program_failure failure;

	if (!program_step(world->programs[program], world->net, &failure))
		return;
	failure.program = program;
	note(world, &failure);
}

void world_play(struct world *world, bool watched)
{
	struct net *net = world->net;
	usec_t end_usec = net->now_usec + WORLD_SPAN_USEC, look_usec = net->now_usec, second_usec = net->now_usec;
	uint64_t overflows = 0;

	for (unsigned i = 0; i < TW_TUNABLE_COUNT; i++)
		world->before[i] = net->sysctls[i][0];
	for (unsigned i = 0; i < world->program_count; i++)
		program_begin(world->programs[i], world->mix.seed * 64 + i);
	if (watched) {
		world->watcher = malloc(sizeof(*world->watcher));
		if (!world->watcher)
			abort();
		watcher_init(world->watcher, net);
		for (unsigned i = 0; i < world->program_count; i++)
			(void)face_cgroup(&world->watcher->face, world->programs[i]->unit);
		watcher_start(world->watcher);
	}
	while (net->now_usec < end_usec) {
		unsigned program = 0;
		usec_t due_usec = next_due(world, &program);
		usec_t tick_usec = world->watcher ? world->watcher->next_usec : NEVER_USEC;

		net_advance(net, TW_MIN(TW_MIN(due_usec, tick_usec), second_usec));
		if (net->now_usec == second_usec) {
			second_usec += TW_USEC_PER_SEC;
			administer(world);
			note_buckets(world, &overflows);
		}
		if (world->looks && net->now_usec >= look_usec) {
			look_usec += LOOK_USEC;
			look(world);
		}
		if (net->now_usec == due_usec)
			step(world, program);
		if (world->watcher && net->now_usec >= world->watcher->next_usec)
			watcher_tick(world->watcher);
	}
	if (world->watcher)
		watcher_stop(world->watcher);
}
