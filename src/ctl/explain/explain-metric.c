/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-words.h"

#include "base/macros.h"

#define MORE_PORTS                                                                                                   \
	"a pool of connections that stay open; a wider net.ipv4.ip_local_port_range; another source or destination " \
	"address"

static const struct tw_explain_words metrics[] = {
	[TW_METRIC_PORT_USE] = {
		.means = "The share of the local ports that connect() cannot take towards the busiest destination. A destination "
			 "is a source address, a destination address and its port: each has all the ports of "
			 "net.ipv4.ip_local_port_range for itself but those that are reserved, listened on, or taken by bind(). What "
			 "is in TIME-WAIT counts unless net.ipv4.tcp_tw_reuse lets connect() take it over.",
		.costs = "connect() tries the ports of one parity first: from half of them on it takes about 100 times as long, more or "
			 "less by the machine and the width of the range, and at 100% it fails (EADDRNOTAVAIL).",
		.helps = "Where TIME-WAIT holds the ports: net.ipv4.tcp_tw_reuse=1, with timestamps at both ends. Where a program "
			 "took them by bind() before connect(): IP_BIND_ADDRESS_NO_PORT there, or no bind(); others have free "
			 "ports still if they bind() to an address of their own. Else: " MORE_PORTS ".",
		.vain = "net.ipv4.tcp_fin_timeout does not shorten TIME-WAIT. More net.ipv4.tcp_max_tw_buckets make no port. Where "
			"open connections hold the ports, net.ipv4.tcp_tw_reuse finds nothing to take over.",
	},
	[TW_METRIC_PORT_ETA] = {
		.means = "How long until the ports towards one destination run out at their present growth. It takes two surveys "
			 "with some time between them, so a single look does not have it; there is none where nothing grows.",
		.costs = "When it comes to 0, connect() to that destination fails (EADDRNOTAVAIL); it is slow long before.",
		.helps = "The same as for port-use: net.ipv4.tcp_tw_reuse=1 where TIME-WAIT holds the ports; " MORE_PORTS ".",
		.vain = "Waiting for TIME-WAIT to end, where ports fill faster than 60 s give them back.",
	},
	[TW_METRIC_TIME_WAIT_BUCKETS] = {
		.means = "Sockets in TIME-WAIT, orphaned FIN-WAIT-2 among them, as a share of net.ipv4.tcp_max_tw_buckets.",
		.costs = "Nothing below 100%. Beyond it the kernel closes without TIME-WAIT: a late segment can meet a new "
			 "connection, and a lost last ACK ends in a reset.",
		.helps = "A higher net.ipv4.tcp_max_tw_buckets, about 256 bytes of memory each.",
		.vain = "A lower one: it evicts nothing, and only takes the protection away sooner. It frees no ports either.",
	},
	[TW_METRIC_ORPHANS] = {
		.means = "Sockets that no process holds any more but that still have something to deliver, as a share of "
			 "net.ipv4.tcp_max_orphans, on the whole machine. TIME-WAIT is not among them.",
		.costs = "Memory that cannot be swapped, up to 64 KiB each. The kernel begins to reset them well before 100%: for "
			 "a busy peer an orphan counts up to four times.",
		.helps = "A lower net.ipv4.tcp_orphan_retries, so that peers that have vanished are given up sooner; a higher "
			 "net.ipv4.tcp_max_orphans where there is memory for it.",
		.vain = "Everything that is about TIME-WAIT.",
	},
	[TW_METRIC_TCP_MEMORY] = {
		.means = "Memory in the buffers of TCP sockets, as a share of the upper limit in net.ipv4.tcp_mem, on the whole "
			 "machine.",
		.costs = "Near 100% the kernel drops segments and aborts connections (see memory-abort).",
		.helps = "Finding who does not read: sockets with full receive queues, CLOSE-WAIT with unread data. More memory, "
			 "and with it a higher net.ipv4.tcp_mem.",
		.vain = "Fewer TIME-WAIT: they have no buffers.",
	},
	[TW_METRIC_ACCEPT_QUEUE] = {
		.means = "Complete connections that wait for accept() at the fullest listener, as a share of its backlog.",
		.costs = "Clients wait. When the queue is full, their last ACK is dropped and they wait for a repetition: a second "
			 "and more.",
		.helps = "A program that accepts faster: more workers, less work between two accept(). For bursts a longer "
			 "backlog in its listen(), with net.core.somaxconn at least as large.",
		.vain = "net.core.somaxconn alone: the program must ask for as much in listen(), and listen anew. "
			"net.ipv4.tcp_syncookies and tcp_max_syn_backlog are about connections that are not complete yet.",
	},
	[TW_METRIC_CLOSE_WAIT_AGE] = {
		.means = "How long ago the peer of the oldest socket in CLOSE-WAIT closed, or data was sent to it last: what still sends "
			 "is half-closed, not leaked. From one look it is at least what the kernel remembers of the last ACK.",
		.costs = "An old one is a leak, most likely: a descriptor, and buffers, until the program ends.",
		.helps = "A repair of the program: it has to call close() when its read returns 0.",
		.vain = "Any sysctl: the kernel has no time limit for CLOSE-WAIT.",
	},
	[TW_METRIC_CLOSE_WAIT_AGED] = {
		.means = "Sockets in CLOSE-WAIT that have sent nothing for longer than the age that a rule names. Only a rule makes it "
			 "a number.",
		.costs = "Each holds a descriptor of a program that has most likely forgotten it; in the end it can open no more "
			 "(EMFILE).",
		.helps = "A repair of the program that the rule names by its unit; a restart of it until then.",
		.vain = "Any sysctl: the kernel has no time limit for CLOSE-WAIT. Ending the sockets frees the kernel's half alone.",
	},
	[TW_METRIC_TIME_WAIT_OVERFLOW] = {
		.means = "Connections a second that were closed without TIME-WAIT, for net.ipv4.tcp_max_tw_buckets is reached "
			 "(counter TCPTimeWaitOverflow, which is the kernel's only sign of it).",
		.costs = "These connections lack the protection of TIME-WAIT: a lost last ACK ends in a reset, a late segment can "
			 "meet a new connection.",
		.helps = "A higher net.ipv4.tcp_max_tw_buckets, about 256 bytes of memory each.",
		.vain = "A lower limit hides the number of TIME-WAIT and is what does the harm. net.ipv4.tcp_fin_timeout shortens "
			"none of them.",
	},
	[TW_METRIC_LISTEN_OVERFLOW] = {
		.means = "Connections a second that were dropped because an accept queue was full (counter ListenOverflows).",
		.costs = "The client waits for a repetition, a second and more, or gives up.",
		.helps = "A program that accepts faster; a longer backlog in listen(), with net.core.somaxconn at least as large.",
		.vain = "net.ipv4.tcp_max_syn_backlog and tcp_syncookies: those who were dropped had come further.",
	},
	[TW_METRIC_LISTEN_DROP] = {
		.means = "Connections a second that a listener dropped for any reason (counter ListenDrops): its accept queue or "
			 "its queue of half-open connections is full, or memory is short.",
		.costs = "The client waits for a repetition, a second and more, or gives up.",
		.helps = "If listen-overflow counts too, it is the accept queue. Else more net.ipv4.tcp_max_syn_backlog, or "
			 "net.ipv4.tcp_syncookies=1.",
		.vain = "Everything that is about TIME-WAIT.",
	},
	[TW_METRIC_SYN_COOKIES] = {
		.means = "SYN cookies sent a second (counter SyncookiesSent): a queue of half-open connections was full, and the "
			 "kernel answered without a place in it.",
		.costs = "Nothing is lost, but such a connection can come without window scaling and selective ACK, which need "
			 "timestamps then.",
		.helps = "Under real load a longer queue: net.ipv4.tcp_max_syn_backlog and the listener's backlog. Under a SYN flood "
			 "the cookies are what helps.",
		.vain = "Turning cookies off: then the same connections are dropped.",
	},
	[TW_METRIC_CONNECT_FAIL] = {
		.means = "Connections a second that ended before they were open, outgoing and incoming (counter AttemptFails): "
			 "refused by a reset, or given up without an answer.",
		.costs = "The program sees ECONNREFUSED or ETIMEDOUT.",
		.helps = "A look at the peer: whether it is there, whether it listens, whether a packet filter stands between.",
		.vain = "More ports: a connect() that found none (EADDRNOTAVAIL) is not counted here, for it never sent a SYN.",
	},
	[TW_METRIC_RESET] = {
		.means = "Open connections a second that were reset, from either end (counter EstabResets).",
		.costs = "Data that was under way is lost; the program sees ECONNRESET. No TIME-WAIT is left, for nothing was "
			 "closed in order.",
		.helps = "Finding who does it: a program that closes with unread data or SO_LINGER 0, a load balancer with a "
			 "shorter time limit than its peer's.",
		.vain = "Any sysctl: none of them decides who resets.",
	},
	[TW_METRIC_MEMORY_ABORT] = {
		.means = "Connections a second that the kernel aborted for want of memory (counter TCPAbortOnMemory): too many "
			 "orphans, or TCP's memory at its limit.",
		.costs = "Connections end by a reset, with what they still had to deliver.",
		.helps = "See orphans and tcp-memory: one of them is near its limit.",
		.vain = "Fewer TIME-WAIT: they have no buffers and are no orphans.",
	},
	[TW_METRIC_TIME_WAIT_REUSED] = {
		.means = "TIME-WAIT sockets a second whose port a new outgoing connection took over (counter TWRecycled).",
		.costs = "Nothing, with timestamps at both ends. If the last ACK was lost, the new connection opens about a second "
			 "late.",
		.helps = "It is the proof that net.ipv4.tcp_tw_reuse=1 does something here.",
		.vain = "Looking at the number in TIME-WAIT instead: reuse does not lower it.",
	},
};
_Static_assert(TW_ARRAY_SIZE(metrics) == TW_METRIC_COUNT, "each metric has its words");

const struct tw_explain_words *tw_explain_metric_words(enum tw_metric metric)
{
	return metric <= TW_METRIC_STATE_LAST ? tw_explain_state_words((enum tw_state)(metric - TW_METRIC_STATE_FIRST))
					      : &metrics[metric];
}
