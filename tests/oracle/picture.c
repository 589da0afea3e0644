/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "oracle/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROWS_MAX 256

struct row {
	char text[160];
	unsigned of_parity[2];
};

static bool in_range(const struct net *net, uint16_t port)
{
	const int64_t *range = net->sysctls[TW_TUNABLE_PORT_RANGE];

	return port >= range[0] && port <= range[1];
}

/* A port of the range is whichever it is. */
static void add_end(const struct net *net, struct tw_text *text, uint16_t address, uint16_t port)
{
	tw_address_add(text, &net->addresses[address].address);
	if (in_range(net, port))
		tw_text_add(text, " *");
	else
		tw_text_addf(text, " %u", port);
}

static void describe(const struct net *net, const struct net_socket *socket, char ret[160])
{
	struct tw_text text;

	tw_text_init(&text, ret, 160);
	tw_text_addf(&text, "%s%s %u ", tw_state_name(socket->state), socket->mini ? " mini" : "",
		     socket->family == AF_INET ? 4 : 6);
	add_end(net, &text, socket->local, socket->local_port);
	if (socket->state != TW_STATE_LISTEN && socket->state != TW_STATE_BOUND) {
		tw_text_add(&text, " > ");
		add_end(net, &text, socket->remote, socket->remote_port);
	}
	if (socket->device != 0)
		tw_text_addf(&text, " device %u", socket->device);
	if (socket->state == TW_STATE_LISTEN)
		tw_text_addf(&text, " queue %u of %u", socket->queued, socket->backlog);
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->text, ((const struct row *)b)->text);
}

void print_sockets(const struct net *net)
{
	static struct row rows[ROWS_MAX];
	unsigned count = 0;

	for (unsigned i = 0; i < net->socket_count; i++) {
		const struct net_socket *socket = net->sockets[i];
		struct row row = { .of_parity = { 0 } };
		unsigned at = 0;

		if (socket->state == TW_STATE_BOUND && !net->kernel.tells_bound)
			continue;
		describe(net, socket, row.text);
		while (at < count && strcmp(rows[at].text, row.text) != 0)
			at++;
		if (at == count && count++ == ROWS_MAX)
			abort();
		if (at == count - 1 && strcmp(rows[at].text, row.text) != 0)
			rows[at] = row;
		rows[at].of_parity[net_parity(net, socket->local_port)]++;
	}
	qsort(rows, count, sizeof(rows[0]), compare_rows);
	for (unsigned i = 0; i < count; i++)
		printf("  %s: %u + %u\n", rows[i].text, rows[i].of_parity[0], rows[i].of_parity[1]);
	memset(rows, 0, sizeof(rows));
}

void print_counters(const struct net *net)
{
	printf("  inuse %lu, inuse6 %lu, tw %lu, established %lu", (unsigned long)net->full[0],
	       (unsigned long)net->full[1], (unsigned long)net->minis,
	       (unsigned long)(net->in_state[TW_STATE_ESTABLISHED] + net->in_state[TW_STATE_CLOSE_WAIT]));
	for (unsigned i = 0; i < TW_COUNTER_COUNT; i++)
		if (net->counters[i] > 0)
			printf(", %s %lu", tw_counter_name((enum tw_counter)i), (unsigned long)net->counters[i]);
	printf("\n");
}
