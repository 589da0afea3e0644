# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients and servers in the test's own process, for states that it decides on: what they hold, and how they bound."""

import contextlib
import errno
import socket
import struct

# Of linux/in.h; Python does not have them.
IP_BIND_ADDRESS_NO_PORT = 24
IP_LOCAL_PORT_RANGE = 51


def bound_first(source):
    """bind() before connect(): the port is chosen then, and blocked for everybody else."""

    def prepare(one):
        one.bind((source, 0))

    return prepare


def shared_first(source):
    """The same by a program that lets its ports be shared."""

    def prepare(one):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((source, 0))

    return prepare


def bound_late(source):
    """bind() that leaves the port to connect()."""

    def prepare(one):
        one.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        one.bind((source, 0))

    return prepare


def own_range(low, high):
    """connect() with a part of the range alone; EINVAL or ENOPROTOOPT before Linux 6.3."""

    def prepare(one):
        one.setsockopt(socket.SOL_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", high << 16 | low))

    return prepare


def on_device(name):
    def prepare(one):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())

    return prepare


def _connect(one, target, waits):
    if waits:
        one.settimeout(None)
        one.connect(target)
        return
    one.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        one.connect(target)


class Clients:
    """Connections that stay until they are closed, at the latest by close()."""

    def __init__(self):
        self._stack = contextlib.ExitStack()

    def connect(self, namespace, target, count, prepare=None, waits=True):
        """So many connections to (address, port); `waits` for an answer to each. Returns their sockets."""
        made = []
        with namespace.entered():
            for _ in range(count):
                one = self._stack.enter_context(socket.socket())
                if prepare:
                    prepare(one)
                _connect(one, target, waits)
                made.append(one)
        return made

    def close(self):
        self._stack.close()


def reset(sockets):
    """Ends connections at once, by a reset: nothing waits then."""
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def try_connect(namespace, target):
    """The name of the error of one plain connect(), or None where it succeeds; its port is free at once then."""
    with namespace.entered(), socket.socket() as one:
        try:
            one.connect(target)
        except OSError as error:
            return errno.errorcode[error.errno]
        reset([one])
    return None
