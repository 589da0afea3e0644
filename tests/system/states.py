# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets in every TCP state, made on purpose on the near side of a pair."""

import contextlib
import socket

from namespaces import Pair, wait_until

# As `ss` calls them. What is bound but not connected has no line there, or one with UNCONN: not every `ss` asks for it.
SS_STATES = {
    "LISTEN": "listen",
    "SYN-SENT": "syn-sent",
    "SYN-RECV": "syn-recv",
    "ESTAB": "established",
    "FIN-WAIT-1": "fin-wait-1",
    "FIN-WAIT-2": "fin-wait-2",
    "CLOSE-WAIT": "close-wait",
    "LAST-ACK": "last-ack",
    "CLOSING": "closing",
    "TIME-WAIT": "time-wait",
}
STATES = [*SS_STATES.values(), "bound"]

PORT = 7000


def count_by_ss(namespace):
    """What `ss` counts, state by state."""
    counts = dict.fromkeys(SS_STATES.values(), 0)
    for line in namespace.run("ss", "-Htan").splitlines():
        state = line.split()[0]
        if state != "UNCONN":
            counts[SS_STATES[state]] += 1
    return counts


class Zoo:
    """
    Near sockets of one family, brought into the states asked for ({"listen": 2, ...}) and kept there; "orphan" are those
    in FIN-WAIT-2 that no process holds any more. The far side is heard from four addresses: `server` answers; `mute`
    hears nothing once its connections are there, but still speaks; `absent` does neither; `stranger` never gets an
    answer.
    """

    V4 = {"near": Pair.NEAR, "server": Pair.FAR, "mute": "10.99.0.20", "absent": "10.99.0.21", "stranger": "10.99.0.22"}
    V6 = {"near": Pair.NEAR6, "server": Pair.FAR6, "mute": "fd99::20", "absent": "fd99::21", "stranger": "fd99::22"}
    MAPPED = {
        "near": "::ffff:10.99.0.1",
        "server": "::ffff:10.99.0.2",
        "mute": "::ffff:10.99.0.23",
        "absent": "::ffff:10.99.0.24",
        "stranger": "::ffff:10.99.0.25",
    }

    def __init__(self, pair, addresses, numbers, port=PORT):
        self._pair = pair
        self._addresses = addresses
        self._port = port
        self._family = socket.AF_INET6 if ":" in addresses["near"] else socket.AF_INET
        self._kept = contextlib.ExitStack()
        for name in ("mute", "stranger"):
            address = addresses[name].removeprefix("::ffff:")
            pair.far.ip("addr", "add", address + ("/64" if ":" in address else "/24"), "dev", "veth0", "nodad")
        self._lose("absent", "stranger")
        self._servers = {name: self._listen(pair.far, name, port) for name in ("server", "mute")}
        self._populate(numbers)

    def _lose(self, *names):
        self._pair.lose(*(self._addresses[name].removeprefix("::ffff:") for name in names))

    def _socket(self, namespace):
        with namespace.entered():
            made = socket.socket(self._family, socket.SOCK_STREAM)
        return self._kept.enter_context(made)

    def _listen(self, namespace, name, port):
        made = self._socket(namespace)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((self._addresses[name], port))
        made.listen(64)
        return made

    def _connect(self, name="server"):
        """A connection: its near and its far end."""
        near = self._socket(self._pair.near)
        near.connect((self._addresses[name], self._port))
        far, _ = self._servers[name].accept()
        return near, self._kept.enter_context(far)

    def _start_connecting(self, namespace, source, to):
        made = self._socket(namespace)
        made.bind((self._addresses[source], 0))
        made.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            made.connect((self._addresses[to], self._port))

    def _populate(self, numbers):
        for i in range(numbers["listen"]):
            self._listen(self._pair.near, "near", self._port + i)
        for _ in range(numbers["syn-sent"]):
            self._start_connecting(self._pair.near, "near", "absent")
        for _ in range(numbers["syn-recv"]):
            self._start_connecting(self._pair.far, "stranger", "near")
        for _ in range(numbers["established"]):
            self._connect()
        for _ in range(numbers["fin-wait-2"]):
            self._connect()[0].shutdown(socket.SHUT_WR)
        for _ in range(numbers["orphan"]):
            self._connect()[0].close()
        for _ in range(numbers["close-wait"]):
            self._connect()[1].close()
        for _ in range(numbers["time-wait"]):
            self._leave_time_wait()
        for _ in range(numbers["bound"]):
            self._socket(self._pair.near).bind((self._addresses["near"], 0))
        self._populate_mute(numbers)

    def _leave_time_wait(self):
        near, far = self._connect()
        near.close()
        assert far.recv(1) == b""
        far.close()

    def _populate_mute(self, numbers):
        """The states in which a FIN of the near side is on its way: here for ever."""
        fin_wait_1, last_ack, closing = (
            [self._connect("mute") for _ in range(numbers[state])] for state in ("fin-wait-1", "last-ack", "closing")
        )
        for near, far in last_ack:
            far.close()
            assert near.recv(1) == b""
        self._lose("mute")
        for near, _ in fin_wait_1 + last_ack + closing:
            near.shutdown(socket.SHUT_WR)
        for _, far in closing:
            far.close()

    def close(self):
        self._kept.close()


def expected(*populations):
    """What a census of all of these has to find."""
    counts = {state: sum(numbers[state] for numbers in populations) for state in STATES}
    counts["fin-wait-2"] += sum(numbers["orphan"] for numbers in populations)
    return counts


def wait_for_states(namespace, counts):
    """Waits until `ss` counts the same."""
    by_ss = {state: counts[state] for state in SS_STATES.values()}
    wait_until(lambda: count_by_ss(namespace) == by_ss, lambda: f"{count_by_ss(namespace)}, not {by_ss}")
