# SPDX-License-Identifier: GPL-2.0-or-later
"""What others on the machine cannot make of the daemon: SECURITY.md names these tests."""

import errno
import os
import pathlib
import re
import socket
import struct
import sys

from namespaces import wait_until
from programs import QUICK, WANTED, adjusting, read_sysctls

NETLINK_SOCK_DIAG = 4
HEADER = struct.Struct("=IHHII")
NLMSG_ERROR, NLMSG_DONE = 2, 3

# Sends to each of these netlink ports; the error that the kernel gives, by its name.
SEND = """\
import errno, socket, sys
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as one:
    for port in map(int, sys.argv[1:]):
        try:
            one.sendto(bytes(20), (port, 0))
            print("sent")
        except OSError as error:
            print(errno.errorcode[error.errno])
"""


def socket_inodes(pid):
    links = (os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd"))
    return {match[1] for match in (re.fullmatch(r"socket:\[(\d+)\]", link) for link in links) if match}


def inodes_of(pid, table):
    """All sockets of a kind in its namespace."""
    path = pathlib.Path(f"/proc/{pid}/net/{table}")
    if not path.exists():
        return set()
    head, *rows = (line.split() for line in path.read_text().splitlines())
    at = next((i for i, name in enumerate(head) if name.lower() == "inode"), None)
    # In these tables two heads stand over one column each, or one over two: the number is found by its place instead.
    places = {"unix": 6, "netlink": 9, "packet": 8}
    at = places.get(table, 9 if table.startswith(("tcp", "udp", "raw", "icmp")) else at)
    return {row[at] for row in rows if len(row) > at}


def netlink_ports(pid):
    """Those of its sock_diag sockets."""
    rows = [line.split() for line in pathlib.Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:]]
    mine = socket_inodes(pid)
    return [row[2] for row in rows if row[1] == str(NETLINK_SOCK_DIAG) and row[9] in mine]


def test_it_has_no_socket_of_the_network(listener, daemon):
    with listener() as server:
        started = daemon(adjusting())
        started.wait_for("adjusted", count=len(WANTED))
        pid = started.process.pid
        mine = socket_inodes(pid)
        assert str(os.fstat(server.fileno()).st_ino) in inodes_of(pid, "tcp"), "the tables can be read"
        for table in ("tcp", "tcp6", "udp", "udp6", "udplite", "raw", "raw6", "icmp", "icmp6", "packet"):
            assert not mine & inodes_of(pid, table), table
        # Each dump has a socket of its own, which may go between the one look and the other.
        wait_until(lambda: socket_inodes(pid) <= inodes_of(pid, "netlink") | inodes_of(pid, "unix"), started.story)


def test_another_namespace_is_not_its_business(pair, near, daemon):
    """A container with a network of its own can neither raise a rule nor have its sysctls changed."""
    before = pair.far.all_sysctls()
    baseline = read_sysctls(near)
    started = daemon(adjusting(head=QUICK.replace("sample-record = 0", "sample-record = 100ms")))
    with pair.far.entered():
        servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(10)]
    started.wait_for("sample", count=10)
    assert started.records("sample")[-1]["TIMEWAITD_LISTEN"] == "0"
    for server in servers:
        server.close()
    assert not started.records("raised")
    assert read_sysctls(near) == baseline
    assert pair.far.all_sysctls() == before


def test_a_user_cannot_speak_for_the_kernel(near, daemon):
    """Datagrams to its netlink sockets: the kernel takes none from a user."""
    started = daemon(QUICK)
    ports = netlink_ports(started.process.pid)
    assert ports
    said = near.run(
        *"setpriv --reuid 65534 --regid 65534 --clear-groups".split(), sys.executable, "-c", SEND, *ports
    ).split()
    assert said == ["EPERM"] * len(ports)


def test_who_does_speak_for_the_kernel_is_not_believed(near, listener, daemon):
    """The same as root, with answers that would end a dump: they do not come from port 0, and are passed over."""
    started = daemon(QUICK.replace("sample-record = 0", "sample-record = 100ms"))
    with near.entered():
        forger = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
    with forger, listener():
        started.wait_for("sample", LISTEN="1")
        for port in netlink_ports(started.process.pid):
            for sequence in range(1, 20):
                for kind in (NLMSG_DONE, NLMSG_ERROR):
                    body = HEADER.pack(HEADER.size + 4, kind, 0, sequence, 0) + struct.pack("=i", -errno.EPERM)
                    forger.sendto(body, (int(port), 0))
        before = len(started.records("sample"))
        wait_until(lambda: len(started.records("sample")) > before + 10, started.story)
        assert started.records("sample")[-1]["TIMEWAITD_LISTEN"] == "1"
    assert not started.records("degraded") and not started.records("partial"), started.story()
