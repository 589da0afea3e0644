/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes a full range quick to look through; which port is taken, net-ports.c says, with this or without. */
#include "oracle/net.h"

#include <stdlib.h>

struct net_crowd *net_crowd_of(const struct net *net, const struct net_socket *socket)
{
	struct net_crowd *crowd =
		net->crowds[net_mix(socket->local, 0, socket->remote, socket->remote_port) % NET_PERTURB];

	return crowd && crowd->local == socket->local && crowd->remote == socket->remote &&
			       crowd->remote_port == socket->remote_port
		       ? crowd
		       : NULL;
}

void net_crowd_join(struct net_crowd *crowd, const struct net_socket *socket)
{
	crowd->with_device += socket->device != 0;
	tw_port_set_add(&crowd->ports, socket->local_port);
}

void net_crowd_make(struct net *net, const struct net_socket *socket)
{
	struct net_crowd **slot =
		&net->crowds[net_mix(socket->local, 0, socket->remote, socket->remote_port) % NET_PERTURB];

	if (*slot)
		return;
	*slot = calloc(1, sizeof(**slot));
	if (!*slot)
		abort();
	(*slot)->local = socket->local;
	(*slot)->remote = socket->remote;
	(*slot)->remote_port = socket->remote_port;
	for (unsigned i = 0; i < net->socket_count; i++)
		if (net->sockets[i]->chain_link && net_crowd_of(net, net->sockets[i]) == *slot)
			net_crowd_join(*slot, net->sockets[i]);
}
