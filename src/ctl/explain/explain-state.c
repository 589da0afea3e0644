/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-words.h"

#include "base/macros.h"

static const struct tw_explain_words states[] = {
	[TW_STATE_LISTEN] = {
		.means = "A socket that waits for connections. It has two queues: half-open connections (SYN-RECV) wait for "
			 "the client's acknowledgement, complete ones wait for the program's accept().",
		.costs = "One descriptor and one local port. That port is never picked for an outgoing connection, so it is not "
			 "among the usable ones.",
		.helps = "Where its accept queue fills: a program that accepts faster, and a longer backlog in its listen() with "
			 "net.core.somaxconn at least as large, for the kernel cuts the backlog to it.",
		.vain = "net.core.somaxconn does nothing for a listener that runs already: it counts at the next listen(). No "
			"length of a queue makes up for a program that is too slow all the time.",
	},
	[TW_STATE_SYN_SENT] = {
		.means = "A connection that this side is opening: its SYN is sent, the answer is missing.",
		.costs = "One descriptor and one local port towards the destination, and a program that waits: about two minutes "
			 "at the kernel's default of 6 repetitions (net.ipv4.tcp_syn_retries), unless it has a time limit of its own.",
		.helps = "An answer. Many of them mean that the peer is gone or overloaded, or that a packet filter drops the SYN "
			 "without a word. A time limit in the program bounds the wait.",
		.vain = "Everything that is about TIME-WAIT: nothing has been closed here yet. A wider port range only lets more of "
			"them wait.",
	},
	[TW_STATE_SYN_RECV] = {
		.means = "A connection that a client is opening: its SYN was answered with SYN+ACK, its own ACK is missing. The "
			 "kernel keeps only a small request for it, no full socket.",
		.costs = "Little memory, no descriptor and no port of its own, but a place in its listener's queue of half-open "
			 "connections.",
		.helps = "When that queue is full, net.ipv4.tcp_syncookies=1 answers without a place in it. "
			 "net.ipv4.tcp_max_syn_backlog makes it longer, together with the listener's backlog and net.core.somaxconn. A "
			 "lower net.ipv4.tcp_synack_retries lets those go sooner whose client never answers.",
		.vain = "Everything that is about closing. And where the accept queue is full, half-open connections stay because "
			"complete ones find no place: then the program has to accept faster.",
	},
	[TW_STATE_ESTABLISHED] = {
		.means = "An open connection.",
		.costs = "One descriptor and its buffers. An outgoing one also holds a local port towards its destination for as "
			 "long as it lives; an incoming one hangs on its listener's port.",
		.helps = "Where open connections hold the ports of one destination: a pool, so that fewer are used for longer; a "
			 "wider net.ipv4.ip_local_port_range; another source or destination address. Where idle peers are gone: "
			 "SO_KEEPALIVE in the program, and net.ipv4.tcp_keepalive_time.",
		.vain = "net.ipv4.tcp_tw_reuse: it takes over ports in TIME-WAIT, never those of open connections. The kernel's "
			"counter CurrEstab counts CLOSE-WAIT too, so it cannot tell open connections from leaked ones.",
	},
	[TW_STATE_FIN_WAIT_1] = {
		.means = "Closed by this side: its FIN is sent, or stands behind data that is not sent yet, and the peer has not "
			 "acknowledged it.",
		.costs = "The data that is not delivered stays in kernel memory. Once the program has let go of the descriptor the "
			 "socket is an orphan, and counts towards net.ipv4.tcp_max_orphans.",
		.helps = "A peer that answers. For peers that have vanished, a lower net.ipv4.tcp_orphan_retries gives up sooner (0 "
			 "stands for 8).",
		.vain = "net.ipv4.tcp_fin_timeout: its time begins in FIN-WAIT-2, when the FIN is acknowledged.",
	},
	[TW_STATE_FIN_WAIT_2] = {
		.means = "Closed by this side, and acknowledged; the peer has yet to close its own. While a program still holds the "
			 "descriptor (a shutdown() of one direction) this has no limit in time. Once none does, the kernel keeps "
			 "the rest as a mini-socket for net.ipv4.tcp_fin_timeout.",
		.costs = "As a mini-socket little more than nothing; the kernel's sockstat then counts it as `tw`, together with "
			 "TIME-WAIT. On the connecting side its port too, which net.ipv4.tcp_tw_reuse never takes over in this state.",
		.helps = "A peer that closes. For the orphaned ones a lower net.ipv4.tcp_fin_timeout: this, and nothing else, is "
			 "what that sysctl does.",
		.vain = "net.ipv4.tcp_fin_timeout does nothing for a socket that a program still holds, nor for TIME-WAIT.",
	},
	[TW_STATE_CLOSE_WAIT] = {
		.means = "The peer has closed, the program here was told so (its read returned 0), and has not closed its own side. "
			 "While it still sends that is as it should be: the peer may have closed its half alone.",
		.costs = "A descriptor and buffers, on the connecting side a port too, for as long as the program forgets: the kernel "
			 "has no time limit for this state. In the end the program runs out of descriptors (EMFILE).",
		.helps = "A repair of the program: it has to call close(). Its systemd unit is named where it is known; a restart "
			 "helps until the next leak. timewaitd can end such sockets by age (destroy = close-wait ...), which frees the "
			 "kernel's half; the descriptor stays leaked.",
		.vain = "Any sysctl: none closes a socket in the program's place. net.ipv4.tcp_fin_timeout and all that is about "
			"TIME-WAIT concern sockets that this side closed.",
	},
	[TW_STATE_LAST_ACK] = {
		.means = "The peer closed first, then this side did: its FIN is sent, the last acknowledgement is missing.",
		.costs = "A moment, as a rule. Until then it is an orphan, mostly, with the data that is not delivered, and counts towards "
			 "net.ipv4.tcp_max_orphans.",
		.helps = "A peer that answers. For peers that have vanished, a lower net.ipv4.tcp_orphan_retries gives up sooner.",
		.vain = "net.ipv4.tcp_fin_timeout, which is about FIN-WAIT-2. No TIME-WAIT follows here: the peer closed first, and "
			"has it on its side.",
	},
	[TW_STATE_CLOSING] = {
		.means = "Both sides closed at the same time: their FINs crossed on the way, and the acknowledgement of this side's "
			 "is missing. TIME-WAIT follows, on both sides.",
		.costs = "A moment, as a rule; an orphan until then, mostly. More than a few are rare.",
		.helps = "A peer that answers. For peers that have vanished, a lower net.ipv4.tcp_orphan_retries gives up sooner.",
		.vain = "net.ipv4.tcp_fin_timeout, which is about FIN-WAIT-2.",
	},
	[TW_STATE_TIME_WAIT] = {
		.means = "Closed by this side first: who closes first keeps TIME-WAIT, on Linux for 60 s (2 MSL). It has two "
			 "reasons. If the last ACK is lost, the peer's FIN comes again, and the ACK must be repeated rather than "
			 "answered by a reset. And segments of the old connection that are still on their way must have died before the "
			 "same four-tuple of addresses and ports serves a new one.",
		.costs = "About 256 bytes of memory each. On the accepting side that is all: such sockets hang on their listener's "
			 "port and use none of their own. On the connecting side each one holds its local port towards that one "
			 "destination, and those can run out.",
		.helps = "On the accepting side nothing is needed; a client that comes again with the same four-tuple normally gets "
			 "it at once. On the connecting side, where the ports towards one destination run short: a pool of connections "
			 "that stay open; net.ipv4.tcp_tw_reuse=1 with timestamps at both ends, which makes a port usable again after "
			 "about a second; a wider net.ipv4.ip_local_port_range; another source or destination address. Or let the "
			 "other side close first: then it has the TIME-WAIT.",
		.vain = "net.ipv4.tcp_fin_timeout does not shorten it: the 60 s are compiled into the kernel, and that sysctl is about "
			"orphaned FIN-WAIT-2. net.ipv4.tcp_tw_recycle is gone since Linux 4.12, for it dropped clients behind NAT. "
			"A lower net.ipv4.tcp_max_tw_buckets evicts nothing, and lets later connections close without this "
			"protection. net.ipv4.tcp_rfc1337 can only make it last.",
	},
	[TW_STATE_BOUND] = {
		.means = "A socket that bind() has given a port, and that is neither connected nor listening.",
		.costs = "A descriptor and its port, which is then missing towards every destination. Many tools do not show it.",
		.helps = "A program that connects without bind(), or sets IP_BIND_ADDRESS_NO_PORT before it: then the port is "
			 "chosen at connect(), and shared between destinations. And one that closes what it does not use.",
		.vain = "net.ipv4.tcp_tw_reuse: nothing here is in TIME-WAIT, and a port that bind() chose passes it by.",
	},
};
_Static_assert(TW_ARRAY_SIZE(states) == TW_STATE_COUNT, "each state has its words");

const struct tw_explain_words *tw_explain_state_words(enum tw_state state)
{
	return &states[state];
}
