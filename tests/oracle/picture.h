/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "oracle/net.h"

/* What is in the simulated kernel, as play.py prints it of the real one: apart from the words of a script. */

/* All sockets by state and ends; of each kind, how many have the parity of the range's low bound and the other. */
void print_sockets(const struct net *net);
/* What sockstat, snmp and netstat count. */
void print_counters(const struct net *net);

static inline unsigned net_parity(const struct net *net, uint16_t port)
{
	return (port - (unsigned)net->sysctls[TW_TUNABLE_PORT_RANGE][0]) % 2;
}
