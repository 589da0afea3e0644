#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The corpus of fuzz-diag: what recv() on a sock_diag socket returned, one datagram a file.

python3 tests/fuzz/record.py DIRECTORY          records anew, as root, in network namespaces of its own
python3 tests/fuzz/record.py --check DIRECTORY  whether each kind of answer is there, as TAP

What the kernel cannot be made to say on demand is made of what it did say: another sequence number, a cut, an error, a
flag. Its name begins with "made".
"""

import errno
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN, TCPDIAG_GETSOCK, SOCK_DIAG_BY_FAMILY = 2, 3, 4, 18, 20
NLM_F_REQUEST, NLM_F_DUMP_INTR, NLM_F_DUMP = 1, 0x10, 0x300
NETLINK_SOCK_DIAG = 4
INFO, CGROUP_ID, SOCKOPT = 2, 21, 22
HEADER = struct.Struct("=IHHII")
ROW_BYTES = 72  # struct inet_diag_msg
MINI_TIMER = 3
TIME_WAIT, FIN_WAIT_2, SYN_RECV, CLOSE = 6, 5, 3, 7
EVERY_STATE = 0xFFF
BOUND = 1 << 13  # TCP_BOUND_INACTIVE
MAPPED = bytes(10) + b"\xff\xff"


class Message:
    """One message of a datagram."""

    def __init__(self, data):
        self.length, self.type, self.flags, self.sequence, _ = HEADER.unpack_from(data)
        self.body = data[HEADER.size : self.length]
        self.whole = self.length <= len(data)

    def is_row(self):
        return self.type in (SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK) and len(self.body) >= ROW_BYTES

    def status(self):
        """The number at the head of an error's body; 0 where there is none."""
        return struct.unpack_from("=i", self.body)[0] if len(self.body) >= 4 else 0

    def family(self):
        return self.body[0]

    def state(self):
        return self.body[1]

    def is_mini(self):
        return self.body[2] == MINI_TIMER

    def addresses(self):
        return self.body[8:24], self.body[24:40]

    def attributes(self):
        found, at = set(), ROW_BYTES
        while at + 4 <= len(self.body):
            length, kind = struct.unpack_from("=HH", self.body, at)
            found.add(kind)
            at += max((length + 3) & ~3, 4)
        return found


def messages(data):
    found = []
    while len(data) >= HEADER.size:
        found.append(Message(data))
        if found[-1].length < HEADER.size:
            break
        data = data[(found[-1].length + 3) & ~3 :]
    return found


def a_row(condition):
    return lambda data: any(message.is_row() and message.whole and condition(message) for message in messages(data))


def a_message(condition):
    return lambda data: any(map(condition, messages(data)))


# What has to be in the corpus: a datagram of which this is true.
KINDS = {
    "IPv4": a_row(lambda row: row.family() == socket.AF_INET),
    "IPv6": a_row(lambda row: row.family() == socket.AF_INET6 and row.addresses()[0][:12] != MAPPED),
    "v4-mapped": a_row(lambda row: row.family() == socket.AF_INET6 and row.addresses()[0][:12] == MAPPED),
    "bound, not connected": a_row(lambda row: row.state() == CLOSE),
    "TIME-WAIT": a_row(lambda row: row.state() == TIME_WAIT and row.is_mini()),
    "FIN-WAIT-2 without a process": a_row(lambda row: row.state() == FIN_WAIT_2 and row.is_mini()),
    "half-open": a_row(lambda row: row.state() == SYN_RECV),
    "INET_DIAG_INFO": a_row(lambda row: INFO in row.attributes()),
    "INET_DIAG_CGROUP_ID": a_row(lambda row: CGROUP_ID in row.attributes()),
    "INET_DIAG_SOCKOPT": a_row(lambda row: SOCKOPT in row.attributes()),
    "rows of the old type": a_row(lambda row: row.type == TCPDIAG_GETSOCK),
    "both families in one": lambda data: (
        len({message.family() for message in messages(data) if message.is_row()}) == 2
    ),
    "cut short": lambda data: len(data) > HEADER.size and not messages(data)[-1].whole,
    "another sequence number": lambda data: len({message.sequence for message in messages(data)}) > 1,
    "NLMSG_ERROR": a_message(lambda message: message.type == NLMSG_ERROR and message.status() < 0),
    "NLMSG_DONE": a_message(lambda message: message.type == NLMSG_DONE and message.status() == 0),
    "NLMSG_DONE with an error": a_message(lambda message: message.type == NLMSG_DONE and message.status() < 0),
    "NLMSG_OVERRUN": a_message(lambda message: message.type == NLMSG_OVERRUN),
    "NLM_F_DUMP_INTR": a_message(lambda message: message.flags & NLM_F_DUMP_INTR),
}


def check(directory):
    """Prints TAP; whether all is there."""
    files = {path.name: path.read_bytes() for path in sorted(directory.iterdir())}
    print(f"1..{len(KINDS)}")
    missing = 0
    for number, (name, is_one) in enumerate(KINDS.items(), 1):
        found = [file for file, data in files.items() if is_one(data)]
        missing += not found
        print(f"{'ok' if found else 'not ok'} {number} - the corpus has {name}: {' '.join(found[:3])}")
    return missing == 0


# ---- recording


class Recorder:
    """Asks the kernel from within a namespace, and writes down what it says."""

    def __init__(self, namespace, directory):
        self._directory = directory
        with namespace.entered():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._sequence = 0

    def ask(self, body, flags=NLM_F_REQUEST | NLM_F_DUMP, kind=SOCK_DIAG_BY_FAMILY):
        """Sends a request; returns the datagrams up to the last one."""
        self._sequence += 1
        self._socket.send(HEADER.pack(HEADER.size + len(body), kind, flags, self._sequence, 0) + body)
        datagrams = []
        while True:
            datagrams.append(self._socket.recv(65536))
            last = messages(datagrams[-1])[-1]
            if last.type in (NLMSG_DONE, NLMSG_ERROR) or not flags & NLM_F_DUMP:
                return datagrams

    def keep(self, name, *datagrams):
        """The first one, with the rows: all ends of dumps are alike, one is kept on its own."""
        (self._directory / name).write_bytes(datagrams[0])

    def close(self):
        self._socket.close()


def dump_request(family, states=EVERY_STATE, extensions=0):
    """struct inet_diag_req_v2, of every socket."""
    return struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, extensions, states)


def old_request(family=0, states=EVERY_STATE, extensions=0):
    """struct inet_diag_req."""
    return struct.pack("=BBBB48xII", family, 0, 0, extensions, states, 0)


def record(recorder):
    """Everything that the kernel says."""
    every_extension = 0xFF
    for name, family in (("v4", socket.AF_INET), ("v6-and-mapped", socket.AF_INET6)):
        recorder.keep(f"recorded-{name}", *recorder.ask(dump_request(family)))
        recorder.keep(f"recorded-{name}-extensions", *recorder.ask(dump_request(family, extensions=every_extension)))
        recorder.keep(f"recorded-{name}-minis", *recorder.ask(dump_request(family, 1 << TIME_WAIT | 1 << FIN_WAIT_2)))
        recorder.keep(f"recorded-{name}-half-open", *recorder.ask(dump_request(family, 1 << SYN_RECV)))
        recorder.keep(f"recorded-{name}-bound", *recorder.ask(dump_request(family, BOUND)))
    recorder.keep("recorded-done", recorder.ask(dump_request(socket.AF_INET))[-1])
    recorder.keep("recorded-old-type", *recorder.ask(old_request(), kind=TCPDIAG_GETSOCK))
    recorder.keep(
        "recorded-old-type-extensions",
        *recorder.ask(old_request(extensions=every_extension), kind=TCPDIAG_GETSOCK),
    )
    # A socket that is not there, and a family that none answers for.
    one = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, EVERY_STATE) + struct.pack(
        ">HH32x", 1, 1
    ) + bytes(4) + b"\xff" * 8
    recorder.keep("recorded-error-one", *recorder.ask(one, flags=NLM_F_REQUEST))
    recorder.keep("recorded-error-family", *recorder.ask(dump_request(socket.AF_UNSPEC)))


def make(recorder):
    """What it is not made to say on demand."""
    rows = recorder.ask(dump_request(socket.AF_INET))[0]
    first = messages(rows)[0]
    second_at = (first.length + 3) & ~3

    def header(data, at, **changes):
        fields = dict(zip(("length", "type", "flags", "sequence", "port"), HEADER.unpack_from(data, at)))
        return data[:at] + HEADER.pack(*{**fields, **changes}.values()) + data[at + HEADER.size :]

    recorder.keep("made-cut-in-a-row", rows[: second_at + HEADER.size + ROW_BYTES // 2])
    recorder.keep("made-cut-in-a-header", rows[: second_at + HEADER.size // 2])
    recorder.keep("made-sequence", header(rows, second_at, sequence=first.sequence + 1))
    recorder.keep("made-interrupted", header(rows, second_at, flags=first.flags | NLM_F_DUMP_INTR))
    done = HEADER.pack(HEADER.size + 4, NLMSG_DONE, 2, first.sequence, 0)
    recorder.keep("made-done-error", rows[:second_at] + done + struct.pack("=i", -errno.ENOENT))
    recorder.keep("made-overrun", rows[:second_at] + HEADER.pack(HEADER.size, NLMSG_OVERRUN, 2, first.sequence, 0))
    error = HEADER.pack(HEADER.size + 20, NLMSG_ERROR, 0, first.sequence, 0) + struct.pack("=i", -errno.EPERM)
    recorder.keep("made-error-after-rows", rows[:second_at] + error + rows[: HEADER.size])


def record_all(directory):
    from namespaces import Pair
    from states import STATES, Zoo

    pair = Pair()
    numbers = {**dict.fromkeys([*STATES, "orphan"], 1), "time-wait": 2}
    zoos = [Zoo(pair, addresses, numbers, 7000 + 100 * i) for i, addresses in enumerate((Zoo.V4, Zoo.V6, Zoo.MAPPED))]
    recorder = Recorder(pair.near, directory)
    try:
        record(recorder)
        make(recorder)
    finally:
        recorder.close()
        for zoo in zoos:
            zoo.close()
        pair.close()


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(0 if check(pathlib.Path(sys.argv[2])) else 1)
    if len(sys.argv) != 2 or sys.argv[1].startswith("-") or os.geteuid() != 0:
        sys.exit(__doc__)
    record_all(pathlib.Path(sys.argv[1]))


if __name__ == "__main__":
    main()
