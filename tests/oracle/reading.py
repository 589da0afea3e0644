# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says of this thread's network namespace: every socket of TCP, and what is counted."""

import collections
import socket
import struct

STATES = {
    1: "established",
    2: "syn-sent",
    3: "syn-recv",
    4: "fin-wait-1",
    5: "fin-wait-2",
    6: "time-wait",
    7: "bound",
    8: "close-wait",
    9: "last-ack",
    10: "listen",
    11: "closing",
    12: "syn-recv",
}
# As a dump is asked for them: bound-but-unconnected sockets are bit 13, from Linux 6.8 on.
MASK = 0x2F7E
BOUND_BIT = 1 << 13
COUNTERS = (
    ("time-wait-overflow", "TCPTimeWaitOverflow"),
    ("listen-overflow", "ListenOverflows"),
    ("listen-drop", "ListenDrops"),
    ("syn-cookies", "SyncookiesSent"),
    ("connect-fail", "AttemptFails"),
    ("reset", "EstabResets"),
    ("memory-abort", "TCPAbortOnMemory"),
    ("time-wait-reused", "TWRecycled"),
    ("active-open", "ActiveOpens"),
    ("passive-open", "PassiveOpens"),
)


class Row(collections.namedtuple("Row", "family state timer local local_port remote remote_port device rqueue wqueue")):
    pass


def _address(family, raw):
    if family == socket.AF_INET6 and raw[:12] != bytes(10) + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET6, raw)
    return socket.inet_ntop(socket.AF_INET, raw[12:16] if family == socket.AF_INET6 else raw[:4])


def _rows(data):
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if kind == 3:
            yield None
            return
        if kind == 2:
            raise OSError(-struct.unpack_from("=i", data, at + 16)[0], "the dump")
        body = at + 16
        family, state, timer, _, local_port, remote_port = struct.unpack_from("!BBBBHH", data, body)
        (device,) = struct.unpack_from("=I", data, body + 40)
        rqueue, wqueue = struct.unpack_from("=II", data, body + 56)
        local, remote = (_address(family, data[body + offset : body + offset + 16]) for offset in (8, 24))
        yield Row(family, state, timer, local, local_port, remote, remote_port, device, rqueue, wqueue)
        at += length + 3 & ~3


def dump():
    """Every socket of TCP, by sock_diag(7)."""
    rows = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as asked:
        for family in (socket.AF_INET, socket.AF_INET6):
            body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, MASK | BOUND_BIT) + bytes(40) + b"\xff" * 8
            asked.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, 1, 0) + body)
            ended = False
            while not ended:
                for row in _rows(asked.recv(1 << 18)):
                    if row is None:
                        ended = True
                    else:
                        rows.append(row)
    return rows


def counters():
    both = {}
    for path in ("/proc/net/netstat", "/proc/net/snmp"):
        with open(path) as file:
            lines = file.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            both.update(zip(names.split()[1:], values.split()[1:]))
    return {name: int(value) for name, value in both.items()}


def sockstat():
    found = {}
    for path in ("/proc/net/sockstat", "/proc/net/sockstat6"):
        with open(path) as file:
            for line in file:
                name, *words = line.split()
                found[name.rstrip(":")] = dict(zip(words[::2], map(int, words[1::2])))
    return found
