/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/explain/explain-words.h"

#include "base/macros.h"

#define NO_KEEPALIVE "Sockets whose program did not ask for SO_KEEPALIVE, or set a value of its own. "

static const struct tw_explain_words tunables[] = {
	[TW_TUNABLE_TW_REUSE] = {
		.means = "Whether connect() may take over a local port whose socket towards the same destination is in TIME-WAIT: 0 "
			 "never, 1 always, 2 on the loopback alone (the default since 2018). It needs timestamps at both ends, by "
			 "which segments of the old connection are told from those of the new one, and a TIME-WAIT that has lasted about "
			 "a second.",
		.costs = "Part of what TIME-WAIT is for: if the last ACK of the old connection was lost, the new one opens about a "
			 "second late.",
		.helps = "Outgoing connections, where TIME-WAIT holds the ports of one destination. That it works shows in the "
			 "counter TWRecycled (metric time-wait-reused), and in connect() that no longer fails.",
		.vain = "Incoming connections: they use no port of the range. It frees no socket, so the number in TIME-WAIT does "
			"not fall. It never takes over ports of open connections or of FIN-WAIT-2, and does nothing without "
			"net.ipv4.tcp_timestamps.",
		.good_for = "letting outgoing connections take over ports held by TIME-WAIT towards the same destination",
		.not_for = "incoming connections; and it frees no socket, only the next connect() notices",
	},
	[TW_TUNABLE_TW_REUSE_DELAY] = {
		.means = "How many milliseconds TIME-WAIT must have lasted before net.ipv4.tcp_tw_reuse may take its port over; 1000 "
			 "as the kernel sets it, at most 60000. Recent kernels have it; older ones wait for about a second.",
		.costs = "Below one tick of the peer's timestamps the peer drops the new connection's segments as old.",
		.helps = "More connections a second towards one destination than its ports allow with a second of rest each.",
		.vain = "Without net.ipv4.tcp_tw_reuse it does nothing, nor does it shorten TIME-WAIT.",
		.good_for = "how many milliseconds a TIME-WAIT port rests before tcp_tw_reuse may take it over",
		.not_for = "less than one tick of the peer's timestamps: then its segments are dropped as old",
	},
	[TW_TUNABLE_MAX_TW_BUCKETS] = {
		.means = "How many sockets may be in TIME-WAIT, orphaned FIN-WAIT-2 among them. Beyond it connections are closed "
			 "without it, which shows in the counter TCPTimeWaitOverflow alone.",
		.costs = "About 256 bytes of memory for each socket that is really there; a high limit alone costs nothing.",
		.helps = "Raising it, where TCPTimeWaitOverflow grows.",
		.vain = "Lowering it: it evicts nothing and frees no port, but later connections lose the protection of TIME-WAIT. "
			"The kernel takes 0 without a word, and then there is no TIME-WAIT at all, and -1, which before Linux "
			"5.18 is the same and since then no limit.",
		.good_for = "room for TIME-WAIT, so that connections are not closed without it",
		.not_for = "freeing ports or sockets; lowering it evicts nothing and takes away the protection of TIME-WAIT",
	},
	[TW_TUNABLE_PORT_RANGE] = {
		.means = "The local ports that connect() picks from, both ends included, for IPv4 and IPv6 alike, and for UDP. Each "
			 "destination has all of them for itself.",
		.costs = "A service that starts later may find its port taken by an outgoing connection, a UDP socket or a NodePort; "
			 "net.ipv4.ip_local_reserved_ports keeps such ports out.",
		.helps = "Whenever the ports towards one destination run short, whoever holds them. It belongs into a file of "
			 "/etc/sysctl.d, with net.ipv4.ip_local_reserved_ports, before the services start: timewaitd itself does "
			 "not change it.",
		.vain = "Incoming connections: they all hang on their listener's port. One end should be even and the other odd, "
			"for the kernel deals the ports out by parity.",
		.good_for = "more local ports towards each destination, for IPv4 and IPv6 alike",
		.not_for = "incoming connections: they use their listener's port and none of the range",
	},
	[TW_TUNABLE_FIN_TIMEOUT] = {
		.means = "How many seconds an orphaned socket stays in FIN-WAIT-2: closed here, no longer held by a program, and the "
			 "peer has not closed. 60 as the kernel sets it.",
		.costs = "When it is too short, the FIN of a slow peer is answered by a reset.",
		.helps = "Many orphaned FIN-WAIT-2, because peers do not close.",
		.vain = "TIME-WAIT, although many pages say so: its 60 s are compiled into the kernel (TCP_TIMEWAIT_LEN), and have no "
			"sysctl. Nor CLOSE-WAIT, which waits for the program here.",
		.good_for = "ending orphaned FIN-WAIT-2 sockets sooner",
		.not_for = "TIME-WAIT, whose 60 s are compiled into the kernel",
	},
	[TW_TUNABLE_AUTOBIND_REUSE] = {
		.means = "Whether a bind() without a port number may get a port that other sockets are bound to already, as long as "
			 "all of them set SO_REUSEADDR and none listens: 0 no (as the kernel sets it), 1 yes, once no port is free. "
			 "Linux 5.7 and later have it.",
		.costs = "Two programs can get the same port and then connect to the same destination: the second one's connect() "
			 "fails with EADDRNOTAVAIL. The kernel's text leaves it to experts.",
		.helps = "A program that calls bind() before connect(), sets SO_REUSEADDR and talks to several destinations: each "
			 "port can serve all of them.",
		.vain = "Programs that bind without SO_REUSEADDR, and those beside them that only connect(): ports that were bound "
			"first stay closed to them. IP_BIND_ADDRESS_NO_PORT, set by the program that binds, helps both.",
		.good_for = "one local port for several destinations, in programs that call bind() before connect() and set "
			    "SO_REUSEADDR",
		.not_for = "programs beside them that only connect(), and those that bind without SO_REUSEADDR",
	},
	[TW_TUNABLE_MAX_ORPHANS] = {
		.means = "How many sockets without a process may still have something to deliver, on the whole machine. Beyond it the "
			 "kernel resets them.",
		.costs = "Up to 64 KiB of memory for each orphan, which cannot be swapped.",
		.helps = "Raising it, where the counter TCPAbortOnMemory grows and there is memory.",
		.vain = "TIME-WAIT, which is not counted as an orphan. Lowering it resets connections in order to save memory.",
		.good_for = "room for closed sockets that still have data to deliver, so that they are not reset",
		.not_for = "TIME-WAIT, which is not counted as an orphan; each orphan can hold up to 64 KiB that cannot be swapped",
	},
	[TW_TUNABLE_ORPHAN_RETRIES] = {
		.means = "How often a socket that no process holds repeats what its peer does not acknowledge (FIN-WAIT-1, LAST-ACK, "
			 "CLOSING); 0 stands for 8.",
		.costs = "When it is too low, a peer that is out of reach for a moment loses the end of what it was sent.",
		.helps = "Many orphans whose peers have vanished.",
		.vain = "TIME-WAIT and FIN-WAIT-2: they repeat nothing.",
		.good_for = "giving up sooner on closed connections whose peer no longer answers (FIN-WAIT-1, LAST-ACK, CLOSING)",
		.not_for = "TIME-WAIT or FIN-WAIT-2; 0 stands for 8",
	},
	[TW_TUNABLE_MAX_SYN_BACKLOG] = {
		.means = "How many half-open connections (SYN-RECV) a listener may have, as far as its backlog and "
			 "net.core.somaxconn allow.",
		.costs = "A little memory for each, which a SYN flood fills.",
		.helps = "Real clients whose SYN is dropped, or answered by a cookie, while the accept queue is not full.",
		.vain = "A listener whose backlog is the smaller bound; a full accept queue.",
		.good_for = "room for half-open connections (SYN-RECV) before the kernel drops them or sends cookies",
		.not_for = "a listener whose backlog or somaxconn is the smaller bound",
	},
	[TW_TUNABLE_SOMAXCONN] = {
		.means = "The upper bound of what a program asks for as backlog in listen(): the length of its accept queue.",
		.costs = "A longer queue is a longer wait for who stands at its end.",
		.helps = "Bursts, at programs that ask for more than this.",
		.vain = "A listener that runs already: it counts at the next listen(). A program that asks for a short backlog "
			"itself, or is too slow all the time.",
		.good_for = "longer accept queues for listeners that ask for them",
		.not_for = "a listener that runs already: it takes effect at its next listen()",
	},
	[TW_TUNABLE_SYNCOOKIES] = {
		.means = "What happens when a queue of half-open connections is full: 0 drop, 1 answer with a cookie and keep "
			 "nothing, 2 always answer so (for tests).",
		.costs = "A connection by cookie has window scaling and selective ACK only if it has timestamps.",
		.helps = "A SYN flood, or a burst beyond net.ipv4.tcp_max_syn_backlog.",
		.vain = "A full accept queue: the program must accept faster.",
		.good_for = "answering connections although the queue of half-open ones is full",
		.not_for = "a full accept queue: the application must accept faster",
	},
	[TW_TUNABLE_SYNACK_RETRIES] = {
		.means = "How often SYN+ACK is repeated for a half-open connection (SYN-RECV) before it is given up; 5 as the kernel "
			 "sets it, about a minute.",
		.costs = "When it is too low, clients behind a bad line do not get in.",
		.helps = "Many SYN-RECV whose clients never answer.",
		.vain = "Outgoing connections, which net.ipv4.tcp_syn_retries bounds.",
		.good_for = "giving up sooner on half-open incoming connections (SYN-RECV)",
		.not_for = "outgoing connections, which tcp_syn_retries bounds",
	},
	[TW_TUNABLE_KEEPALIVE_TIME] = {
		.means = "After how many idle seconds the first keepalive probe is sent; 7200 as the kernel sets it.",
		.costs = "A small segment each time, on connections that are idle.",
		.helps = "Open connections whose peers have vanished, or which a firewall forgets when they are idle.",
		.vain = NO_KEEPALIVE "TIME-WAIT sends no probes.",
		.good_for = "noticing sooner that the peer of an idle connection is gone",
		.not_for = "sockets whose application did not ask for SO_KEEPALIVE, or set its own time",
	},
	[TW_TUNABLE_KEEPALIVE_INTVL] = {
		.means = "How many seconds lie between keepalive probes that are not answered; 75 as the kernel sets it.",
		.costs = "When it is too short, a moment's outage ends connections.",
		.helps = "Noticing sooner that a peer has vanished, once probing has begun.",
		.vain = NO_KEEPALIVE "net.ipv4.tcp_keepalive_time says when probing begins.",
		.good_for = "how fast keepalive probes follow each other once a peer is silent",
		.not_for = "sockets whose application did not ask for SO_KEEPALIVE, or set its own interval",
	},
	[TW_TUNABLE_KEEPALIVE_PROBES] = {
		.means = "How many keepalive probes without an answer end a connection; 9 as the kernel sets it.",
		.costs = "When it is too low, a moment's outage ends connections.",
		.helps = "Noticing sooner that a peer has vanished, once probing has begun.",
		.vain = NO_KEEPALIVE "net.ipv4.tcp_keepalive_time says when probing begins.",
		.good_for = "how many unanswered keepalive probes end a connection",
		.not_for = "sockets whose application did not ask for SO_KEEPALIVE, or set its own number",
	},
	[TW_TUNABLE_TIMESTAMPS] = {
		.means = "Whether new connections carry timestamps: 0 no, 1 yes with a random offset each, 2 yes without one. By them "
			 "the kernel measures round-trip times and drops segments of the past (PAWS).",
		.costs = "12 bytes in each segment.",
		.helps = "net.ipv4.tcp_tw_reuse needs it at both ends, and fast connections need it against wrapped sequence numbers.",
		.vain = "Connections that exist already: timestamps are agreed upon when one is opened. What went into TIME-WAIT "
			"without them cannot be taken over.",
		.good_for = "round-trip times and protection against old segments; tcp_tw_reuse needs them on both ends",
		.not_for = "connections that exist already: timestamps are agreed upon when one is opened",
	},
	[TW_TUNABLE_RFC1337] = {
		.means = "Whether a reset that comes in TIME-WAIT is ignored (1), or ends it (0, as the kernel sets it).",
		.costs = "TIME-WAIT lasts its whole time, and so does what it holds.",
		.helps = "Against a stray reset that ends TIME-WAIT early and lets an old segment through (RFC 1337).",
		.vain = "Ports that run short: it frees nothing, and can only keep them longer.",
		.good_for = "ignoring resets that arrive in TIME-WAIT, so that it lasts its whole time",
		.not_for = "freeing ports: it can only keep them longer",
	},
	[TW_TUNABLE_TW_TIMEOUT] = {
		.means = "The length of TIME-WAIT in seconds, on the kernels of some vendors. The mainline kernel has no such sysctl: "
			 "there it is 60 s, compiled in.",
		.costs = "When it is shorter than the peer's repetitions and what is still on its way, TIME-WAIT fails in both of "
			 "its purposes.",
		.helps = "On such a kernel, outgoing connections whose ports TIME-WAIT holds.",
		.vain = "The mainline kernel. There net.ipv4.tcp_tw_reuse gives ports back after about a second; timewaitd can also end "
			"TIME-WAIT by age (destroy = time-wait older-than 30s).",
		.good_for = "the length of TIME-WAIT on those vendors' kernels that have it",
		.not_for = "the mainline kernel, which has no such file",
	},
	[TW_TUNABLE_TW_RECYCLE] = {
		.means = "It ended TIME-WAIT after a retransmission timeout instead of 60 s, incoming connections included, and told "
			 "old segments by one timestamp for each peer address. Linux 4.12 removed it.",
		.costs = "Clients behind one NAT address share that address, not their clocks: their connections were dropped at "
			 "random. Since Linux 4.10 timestamps have a random offset for each connection, and it could not work for "
			 "anybody.",
		.helps = "Nothing today. For outgoing connections net.ipv4.tcp_tw_reuse=1 does what was wanted, safely; on the "
			 "accepting side TIME-WAIT needs no remedy.",
		.vain = "Writing it into sysctl.conf: the file is not there, and sysctl reports an error.",
		.good_for = "nothing that tcp_tw_reuse does not do safely; Linux 4.12 removed it",
		.not_for = "clients behind NAT, whose connections it drops",
	},
};
_Static_assert(TW_ARRAY_SIZE(tunables) == TW_TUNABLE_COUNT, "each tunable has its words");

const struct tw_explain_words *tw_explain_tunable_words(enum tw_tunable tunable)
{
	return &tunables[tunable];
}
