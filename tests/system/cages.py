#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Network namespaces in any number, each with sockets in every TCP state over its own loopback: no packet leaves it, and no
second namespace is needed. What keeps a socket in a state that passes quickly is a filter on its peer that lets nothing
in (SO_ATTACH_FILTER): a FIN, SYN or ACK to it is lost.

cages.py PREFIX COUNT: makes them, named PREFIX-0 and so on, says what is in each as a line of JSON, and holds them until
its standard input ends.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import resource
import signal
import socket
import struct
import sys
import time

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET, _MS_BIND, _MNT_DETACH = 0x40000000, 0x1000, 2
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_SO_ATTACH_FILTER = 26
# Sysctls that keep what the kernel would give up within a minute or two.
_LASTING = {"tcp_syn_retries": "100", "tcp_synack_retries": "100", "tcp_orphan_retries": "100"}
_RUN = pathlib.Path("/run/netns")
# What `ip netns` calls them.
_HOST = "/proc/self/ns/net"


def _check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def _deafen(endpoint):
    """From now on nothing reaches it: a classic BPF program that keeps no byte (BPF_RET | BPF_K, 0)."""
    program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    endpoint.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    )


def _wait_for_ack(endpoint):
    """Until its FIN is acknowledged, which may take a while (tcpi_state, FIN-WAIT-2 is 5)."""
    for _ in range(10000):
        if endpoint.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 5:
            return
        time.sleep(0.001)
    raise RuntimeError("a FIN is not acknowledged")


@contextlib.contextmanager
def _away():
    """This thread goes into another namespace meanwhile."""
    home = os.open(_HOST, os.O_RDONLY)
    try:
        yield
    finally:
        _check(_libc.setns(home, _CLONE_NEWNET))
        os.close(home)


class Cage:
    """
    One namespace with its sockets, kept by this process until close(). Those that last for a minute alone, TIME-WAIT and
    orphans, are made by ripen(); the others stay for as long as it takes.
    """

    # Sockets in each state; "orphan" are those in FIN-WAIT-2 that no process holds.
    EXPECTED = {
        "listen": 2,
        "syn-sent": 2,
        "syn-recv": 1,
        "established": 3,
        "fin-wait-1": 2,
        "fin-wait-2": 3,
        "close-wait": 2,
        "last-ack": 1,
        "closing": 1,
        "time-wait": 2,
        "bound": 2,
    }

    def __init__(self, name):
        self.name = name
        with contextlib.ExitStack() as self._kept, _away():
            _check(_libc.unshare(_CLONE_NEWNET))
            self._name_it()
            _loopback_up()
            for sysctl, value in _LASTING.items():
                pathlib.Path("/proc/sys/net/ipv4", sysctl).write_text(value)
            self._populate()
            self._kept = self._kept.pop_all()

    def _name_it(self):
        _RUN.mkdir(exist_ok=True)
        path = _RUN / self.name
        path.touch()
        self._kept.callback(self._unname, path)
        _check(_libc.mount(b"/proc/thread-self/ns/net", bytes(path), None, _MS_BIND, None))

    @staticmethod
    def _unname(path):
        _libc.umount2(bytes(path), _MNT_DETACH)
        path.unlink()

    def _keep(self, made):
        self._kept.callback(made.close)
        return made

    def _socket(self):
        return self._keep(socket.socket())

    def _pair(self):
        """A connection: the end that connected, and the one that was accepted."""
        client = self._socket()
        client.connect(self._listener.getsockname())
        return client, self._keep(self._listener.accept()[0])

    def _listen(self):
        listener = self._socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        return listener

    def _try_to_connect(self, listener, deaf):
        client = self._socket()
        client.setblocking(False)
        if deaf:
            _deafen(client)
        with contextlib.suppress(BlockingIOError):
            client.connect(listener.getsockname())

    def _populate(self):
        self._listener = self._listen()
        deaf = self._listen()
        _deafen(deaf)
        self._try_to_connect(deaf, False)  # SYN-SENT
        self._try_to_connect(self._listener, True)  # SYN-SENT, and SYN-RECV on the other side
        self._pair()  # ESTABLISHED, both ends
        near, far = self._pair()
        _deafen(far)
        near.close()  # FIN-WAIT-1, which the far end, ESTABLISHED, never hears of
        near, far = self._pair()
        _deafen(far)
        near.close()
        far.close()  # FIN-WAIT-1; the near end has sent its FIN and now heard the other: CLOSING
        near, far = self._pair()
        far.shutdown(socket.SHUT_WR)  # FIN-WAIT-2, and CLOSE-WAIT on the near side
        near, far = self._pair()
        far.shutdown(socket.SHUT_WR)
        _wait_for_ack(far)
        _deafen(far)
        near.close()  # LAST-ACK, and FIN-WAIT-2 on the far side
        for _ in range(2):
            self._socket().bind(("127.0.0.1", 0))

    def ripen(self):
        with _away(), open(_RUN / self.name) as there:
            _check(_libc.setns(there.fileno(), _CLONE_NEWNET))
            self._pair()[1].close()  # an orphan in FIN-WAIT-2, and CLOSE-WAIT
            for _ in range(2):
                near, far = self._pair()
                near.close()
                far.recv(1)
                far.close()  # TIME-WAIT on the near side

    def close(self):
        self._kept.close()


def make(prefix, count):
    """So many of them, as a context."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 64 * count + 256)), hard))
    with contextlib.ExitStack() as stack:
        cages = [stack.enter_context(contextlib.closing(Cage(f"{prefix}-{i}"))) for i in range(count)]
        for cage in cages:
            cage.ripen()
        return stack.pop_all()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # by way of close()
    with make(sys.argv[1], int(sys.argv[2])):
        print(json.dumps(Cage.EXPECTED), flush=True)
        sys.stdin.read()
