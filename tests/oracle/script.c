/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays a script of scripts/ in the simulated kernel and prints what came of it, as play.py does with real sockets: the
 * two have to print the same. `script RELEASE FILE`. The words of a script are explained in scripts/README.md.
 */
#include "base/macros.h"
#include "oracle/net.h"
#include "oracle/picture.h"
#include "oracle/words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GROUPS_MAX 32
#define ENDS_MAX 4096
/* What is farther has passed something by. */
#define PACE_MAX 16
#define LISTENERS_MAX 512

struct group {
	char name[32];
	unsigned count;
	struct net_socket *near[ENDS_MAX], *far[ENDS_MAX];
};

struct stage {
	struct net *net;
	unsigned release;
	struct group *groups[GROUPS_MAX];
	unsigned group_count;
	struct net_socket *listeners[LISTENERS_MAX];
	bool slow[LISTENERS_MAX];
	unsigned listener_count;
	struct words words; /* of the line */
};

static struct group *group(struct stage *stage, const char *name)
{
	struct group *made;

	for (unsigned i = 0; i < stage->group_count; i++)
		if (strcmp(stage->groups[i]->name, name) == 0)
			return stage->groups[i];
	made = calloc(1, sizeof(*made));
	if (!made || stage->group_count == GROUPS_MAX)
		abort();
	(void)snprintf(made->name, sizeof(made->name), "%s", name);
	stage->groups[stage->group_count++] = made;
	return made;
}

static uint16_t address_of(struct stage *stage, const char *text)
{
	if (strcmp(text, "*") == 0)
		return NET_ANY;
	if (strcmp(text, "::") == 0)
		return NET_ANY6;
	return net_address_of(stage->net, text, true);
}

static uint16_t split(struct stage *stage, const char *text, uint16_t *ret_port)
{
	char address[64];
	const char *colon = strrchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(address))
		words_fail("no ADDRESS:PORT", text);
	memcpy(address, text, (size_t)(colon - text));
	address[colon - text] = '\0';
	*ret_port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return address_of(stage, address);
}

static uint8_t family_of(const struct stage *stage, uint16_t address)
{
	return stage->net->addresses[address].family;
}

static const char *error_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = { { EADDRNOTAVAIL, "EADDRNOTAVAIL" },
		      { EADDRINUSE, "EADDRINUSE" },
		      { ECONNREFUSED, "ECONNREFUSED" },
		      { EINPROGRESS, "no answer" } };

	for (unsigned i = 0; i < TW_ARRAY_SIZE(names); i++)
		if (names[i].error == -error)
			return names[i].name;
	return "another error";
}

/* ---- what a script does */

static struct net_socket *new_socket(struct stage *stage, uint8_t family)
{
	struct net_socket *made = net_socket(stage->net, family);
	const char *within = words_option(&stage->words, "within");

	made->reuse_address = words_option(&stage->words, "reuse") != NULL;
	made->late = words_option(&stage->words, "late") != NULL;
	made->device = words_option(&stage->words, "device") != NULL;
	if (within) {
		made->range_low = (uint16_t)strtoul(within, NULL, 10);
		made->range_high = (uint16_t)strtoul(strchr(within, '-') + 1, NULL, 10);
	}
	return made;
}

/* Of a program's own choice, the next each time; 0: it leaves that to bind(). */
static uint16_t port_of(const struct stage *stage, unsigned number)
{
	unsigned port = words_option_number(&stage->words, "port", 0);

	return (uint16_t)(port > 0 ? port + number * words_option_number(&stage->words, "every", 1) : 0);
}

static int bind_as_asked(struct stage *stage, struct net_socket *socket, unsigned number)
{
	const char *source = words_option(&stage->words, "source");
	uint16_t port = port_of(stage, number);
	uint16_t address = source ? address_of(stage, source) : socket->family == AF_INET6 ? NET_ANY6 : NET_ANY;

	if (!words_option(&stage->words, "bind") && !socket->late && port == 0)
		return 0;
	return net_bind(stage->net, socket, address, port);
}

static struct net_socket *accept_one(struct stage *stage)
{
	for (unsigned i = 0; i < stage->listener_count; i++)
		if (stage->listeners[i]->in_table && !stage->slow[i] && stage->listeners[i]->queued > 0)
			return net_accept(stage->listeners[i]);
	return NULL;
}

static int open_one(struct stage *stage, struct group *to, const char *where, unsigned number)
{
	uint16_t port, address = split(stage, where, &port);
	uint8_t family = words_option(&stage->words, "mapped") ? AF_INET6 : family_of(stage, address);
	struct net_socket *near = new_socket(stage, family);
	int r = bind_as_asked(stage, near, number);

	if (r == 0)
		r = net_connect(stage->net, near, address, port, NET_ANSWERS, true);
	if (r < 0 && r != -EINPROGRESS) {
		net_close(stage->net, near);
		return r;
	}
	if (to->count == ENDS_MAX)
		abort();
	to->near[to->count] = near;
	to->far[to->count++] = r == 0 ? accept_one(stage) : NULL;
	return r;
}

/* GROUP COUNT: so many, one after the other. */
static void repeat(struct stage *stage, int (*one)(struct stage *stage, struct group *to, unsigned number),
		   const char *what)
{
	struct group *to = group(stage, words_at(&stage->words, 1));
	unsigned good = 0, bad = 0;
	int error = 0;

	for (long i = 0; i < words_number(&stage->words, 2); i++) {
		int r = one(stage, to, (unsigned)i);

		good += r == 0;
		bad += r < 0;
		error = r < 0 ? r : error;
	}
	printf("%s: %u %s", to->name, good, what);
	if (bad > 0)
		printf(", %u %s", bad, error_name(error));
	printf("\n");
}

static int open_next(struct stage *stage, struct group *to, unsigned number)
{
	return open_one(stage, to, words_at(&stage->words, 3), number);
}

static void do_open(struct stage *stage)
{
	repeat(stage, open_next, "opened");
}

static void do_left(struct stage *stage)
{
	struct group *to = group(stage, "left");
	unsigned of_parity[2] = { 0 }, count = 0;
	int r;

	while ((r = open_one(stage, to, words_at(&stage->words, 1), count)) == 0) {
		of_parity[net_parity(stage->net, to->near[to->count - 1]->local_port)]++;
		count++;
	}
	printf("left to %s: %u (%u + %u), then %s\n", words_at(&stage->words, 1), count, of_parity[0], of_parity[1],
	       error_name(r));
}

/* How far each is behind the one before, on average, where that passed nothing by: as connect() goes round its half. */
static void do_pace(struct stage *stage)
{
	const struct group *of = group(stage, words_at(&stage->words, 1));
	const int64_t *range = stage->net->sysctls[TW_TUNABLE_PORT_RANGE];
	unsigned width = (unsigned)(range[1] - range[0] + 1), sum = 0, count = 0;

	for (unsigned i = 1; i < of->count; i++) {
		unsigned step = (of->near[i]->local_port + width - of->near[i - 1]->local_port) % width;

		if (step > PACE_MAX)
			continue;
		sum += step;
		count++;
	}
	printf("pace of %s: %.0f\n", of->name, (double)sum / count);
}

static int bound_next(struct stage *stage, struct group *to, unsigned number)
{
	const char *source = words_option(&stage->words, "source");
	struct net_socket *made = new_socket(stage, source ? family_of(stage, address_of(stage, source)) : AF_INET);
	int r = net_bind(stage->net, made, source ? address_of(stage, source) : NET_ANY, port_of(stage, number));

	if (r == 0 && words_option(&stage->words, "listen"))
		r = net_listen(stage->net, made, 16);
	if (r < 0)
		net_close(stage->net, made);
	else
		to->near[to->count++] = made;
	return r;
}

static void do_bound(struct stage *stage)
{
	repeat(stage, bound_next, "bound");
}

static void do_listen(struct stage *stage)
{
	uint16_t port, address = split(stage, words_at(&stage->words, 1), &port);
	struct net_socket *made = net_socket(stage->net, family_of(stage, address));
	int r;

	made->reuse_address = true;
	r = net_bind(stage->net, made, address, port);
	if (r == 0)
		r = net_listen(stage->net, made, words_option_number(&stage->words, "backlog", 4096));
	if (r < 0) {
		printf("listen %s: %s\n", words_at(&stage->words, 1), error_name(r));
		net_close(stage->net, made);
		return;
	}
	stage->slow[stage->listener_count] = words_option(&stage->words, "slow") != NULL;
	stage->listeners[stage->listener_count++] = made;
}

/* Closes the listener; what it has accepted stays. */
static void do_unlisten(struct stage *stage)
{
	uint16_t port, address = split(stage, words_at(&stage->words, 1), &port);

	for (unsigned i = 0; i < stage->listener_count; i++)
		if (stage->listeners[i] && stage->listeners[i]->local == address &&
		    stage->listeners[i]->local_port == port) {
			net_close(stage->net, stage->listeners[i]);
			stage->listeners[i] = stage->listeners[--stage->listener_count];
			stage->slow[i] = stage->slow[stage->listener_count];
			return;
		}
	words_fail("nothing listens on", words_at(&stage->words, 1));
}

/* close, reset, shutdown: GROUP near|far [COUNT] */
static void do_end(struct stage *stage)
{
	struct group *of = group(stage, words_at(&stage->words, 1));
	struct net_socket **ends = strcmp(words_at(&stage->words, 2), "far") == 0 ? of->far : of->near;
	unsigned most = stage->words.count > 3 ? (unsigned)words_number(&stage->words, 3) : ENDS_MAX;

	for (unsigned i = 0; i < of->count && most > 0; i++) {
		if (!ends[i])
			continue;
		most--;
		if (strcmp(words_at(&stage->words, 0), "shutdown") == 0) {
			net_shutdown(stage->net, ends[i]);
			continue;
		}
		if (strcmp(words_at(&stage->words, 0), "close") == 0)
			net_close(stage->net, ends[i]);
		else
			net_reset(stage->net, ends[i]);
		ends[i] = NULL;
	}
}

/* Counters move while SYN is sent again. */
static void do_states(struct stage *stage)
{
	printf("states\n");
	print_sockets(stage->net);
}

static void do_show(struct stage *stage)
{
	printf("show\n");
	print_sockets(stage->net);
	print_counters(stage->net);
}

static void do_sysctl(struct stage *stage)
{
	enum tw_tunable tunable;
	char key[96];

	(void)snprintf(key, sizeof(key), "%s%s", strncmp(words_at(&stage->words, 1), "net.", 4) == 0 ? "" : "net.ipv4.",
		       words_at(&stage->words, 1));
	if (!tw_tunable_from_key(key, strlen(key), &tunable))
		words_fail("no such sysctl", key);
	stage->net->sysctls[tunable][0] = words_number(&stage->words, 2);
}

static void do_range(struct stage *stage)
{
	stage->net->sysctls[TW_TUNABLE_PORT_RANGE][0] = words_number(&stage->words, 1);
	stage->net->sysctls[TW_TUNABLE_PORT_RANGE][1] = words_number(&stage->words, 2);
}

static void do_reserve(struct stage *stage)
{
	tw_port_set_add_range(&stage->net->reserved, (uint16_t)words_number(&stage->words, 1),
			      (uint16_t)words_number(&stage->words, 2));
}

static void do_wait(struct stage *stage)
{
	net_advance(stage->net, stage->net->now_usec + (usec_t)words_number(&stage->words, 1) * TW_USEC_PER_MSEC);
}

/* Not for this kernel. */
static void do_needs(struct stage *stage)
{
	unsigned major = 0, minor = 0;

	if (sscanf(words_at(&stage->words, 1), "%u.%u", &major, &minor) != 2)
		words_fail("no version", words_at(&stage->words, 1));
	if (stage->release >= major * 100 + minor)
		return;
	printf("needs Linux %s\n", words_at(&stage->words, 1));
	exit(0);
}

/* For those who play it with real sockets. */
static void do_nothing(struct stage *stage TW_UNUSED)
{
}

static void play_line(struct stage *stage)
{
	static const struct {
		const char *name;
		void (*act)(struct stage *stage);
	} verbs[] = { { "needs", do_needs },   { "range", do_range },	{ "reserve", do_reserve },
		      { "sysctl", do_sysctl }, { "listen", do_listen }, { "unlisten", do_unlisten },
		      { "open", do_open },     { "bound", do_bound },	{ "close", do_end },
		      { "shutdown", do_end },  { "reset", do_end },	{ "wait", do_wait },
		      { "show", do_show },     { "left", do_left },	{ "states", do_states },
		      { "long", do_nothing },  { "alone", do_nothing }, { "pace", do_pace } };

	for (unsigned i = 0; i < TW_ARRAY_SIZE(verbs); i++)
		if (strcmp(stage->words.all[0], verbs[i].name) == 0) {
			verbs[i].act(stage);
			return;
		}
	words_fail("no such word", stage->words.all[0]);
}

int main(int argc, char **argv)
{
	static struct stage stage;
	unsigned major = 0, minor = 0;
	char line[256];
	FILE *file = argc == 3 ? fopen(argv[2], "re") : NULL;

	if (!file || sscanf(argv[1], "%u.%u", &major, &minor) != 2)
		words_fail("usage", "script RELEASE FILE");
	stage.net = net_new(1, net_kernel_of(argv[1]));
	stage.release = major * 100 + minor;
	while (fgets(line, sizeof(line), file))
		if (words_split(&stage.words, line) > 0)
			play_line(&stage);
	(void)fclose(file);
	return 0;
}
