# SPDX-License-Identifier: GPL-2.0-or-later
"""CLOSE-WAIT is a leak only where nothing is sent any more: a half-closed connection lives as long as its sender does."""

import contextlib
import select
import socket
import time

import pytest

from namespaces import Pair, wait_until
from programs import QUICK, once

PORT = 8080
AGE = 5
# The least that an order may say.
END = 10

RULE = f"""
[rule leak]
metric = close-wait-aged
age = {AGE}s
raise = 1
clear = 0
raise-for = 0s
clear-for = 0s
severity = error
"""

DESTROY = f"""
[destroy]
allow = close-wait time-wait

[rule old]
metric = close-wait-age
raise = {END}s
clear = 1s
raise-for = 0s
clear-for = 0s
destroy = close-wait older-than {END}s max 500/s
"""


class Downloads:
    """Connections whose clients have half-closed, as they may, and which the server still feeds."""

    def __init__(self, stack, server_side, client_side, count, address=Pair.NEAR, device=None):
        self.sockets, self.clients = [], []
        listening = self._make(stack, server_side, device)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, PORT))
        listening.listen(count)
        for _ in range(count):
            client = self._make(stack, client_side, device if client_side is server_side else None)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((address, PORT))
            self.sockets.append(stack.enter_context(listening.accept()[0]))
            client.shutdown(socket.SHUT_WR)
            self.clients.append(client)

    @staticmethod
    def _make(stack, namespace, device):
        with namespace.entered():
            made = stack.enter_context(socket.socket())
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        return made

    def send(self):
        for each in self.sockets:
            each.send(b"x" * 100)
        for each in self.clients:
            each.recv(1000)

    def send_for(self, seconds, pause):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.send()
            time.sleep(pause)

    def send_until(self, condition, pause, what):
        wait_until(lambda: self.send_for(pause, pause) or condition(), what)

    def alive(self):
        """Those that nobody has ended."""
        polled = select.poll()
        for each in self.sockets:
            polled.register(each, select.POLLRDHUP)
        return len(self.sockets) - sum(1 for _, events in polled.poll(0) if events & (select.POLLERR | select.POLLHUP))


def destroyed(daemon):
    """How many it has told of."""
    return sum(int(one["TIMEWAITD_COUNT"]) for one in daemon.records("destroyed"))


# Of more than some hundred the daemon asks in another way.
@pytest.mark.long
@pytest.mark.parametrize("count", [20, 400])
def test_it_counts_from_the_last_data_that_it_sent(near, pair, daemon, stack, count):
    downloads = Downloads(stack, near, pair.far, count)
    downloads.send()
    watching = daemon(QUICK + RULE)
    downloads.send_for(2 * AGE, AGE / 5)
    assert once(near)["states"]["close-wait"] == count
    assert watching.records("raised") == [], watching.story()
    downloads.send()
    began = time.monotonic()
    raised = watching.wait_for("raised")
    assert time.monotonic() - began > AGE - 0.5
    assert raised["TIMEWAITD_VALUE"] == str(count)
    (row,) = once(near)["close-wait"]
    assert row["count"] == count
    if count < 256:
        assert AGE - 0.5 < row["oldest"] < time.monotonic() - began + 0.5
    # Who goes on is no leak any more.
    downloads.send_until(lambda: watching.records("cleared"), 0.5, watching.story)


@pytest.mark.long
def test_what_waits_to_be_sent_never_counts(near, pair, daemon, stack):
    """The peer does not read, and its window is closed: nothing is sent for a long time, and nothing has leaked."""
    downloads = Downloads(stack, near, pair.far, 5)
    for each in downloads.sockets:
        each.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                each.send(b"x" * 10000)
    watching = daemon(QUICK + RULE + DESTROY)
    time.sleep(END + 2)
    unsent = [line.split()[1] for line in near.run("ss", "-Htn", "state", "close-wait").splitlines()]
    assert len(unsent) == 5 and all(int(one) > 0 for one in unsent)
    assert [one for one in watching.records() if one["TIMEWAITD_EVENT"] in ("raised", "destroyed")] == []
    assert downloads.alive() == 5


@pytest.mark.long
def test_only_who_stopped_sending_is_ended(near, pair, daemon, stack):
    downloads = Downloads(stack, near, pair.far, 20)
    stopped = [downloads.sockets.pop() for _ in range(5)], [downloads.clients.pop() for _ in range(5)]
    downloads.send()
    watching = daemon(QUICK + DESTROY)
    downloads.send_for(END + 2, END / 4)
    downloads.send_until(lambda: destroyed(watching) >= len(stopped[0]), END / 4, watching.story)
    assert destroyed(watching) == len(stopped[0]), watching.story()
    assert downloads.alive() == 15
    downloads.send()
    began = time.monotonic()
    wait_until(lambda: downloads.alive() == 0, watching.story)
    assert time.monotonic() - began > END - 0.1


# On one device of two, and on lo, where the daemon sees both ends.
@pytest.mark.long
@pytest.mark.parametrize("device", ["veth0", "lo"])
def test_sockets_that_are_bound_to_a_device(near, pair, daemon, stack, device):
    far, address = (pair.far, Pair.NEAR) if device == "veth0" else (near, "127.0.0.1")
    downloads = Downloads(stack, near, far, 10, address, device)
    made = time.monotonic()
    time.sleep(2)
    (row,) = once(near)["close-wait"]
    assert row["count"] == 10 and 1.9 < row["oldest"] < time.monotonic() - made + 1
    downloads.send()
    watching = daemon(QUICK + DESTROY + RULE)
    downloads.send_for(END, AGE / 5)
    assert [one for one in watching.records() if one["TIMEWAITD_EVENT"] in ("raised", "destroyed")] == []
    wait_until(lambda: downloads.alive() == 0, watching.story)
    watching.wait_for("raised", RULE="leak")
    wait_until(lambda: destroyed(watching) >= 10, watching.story)
    assert destroyed(watching) == 10


def test_time_wait_that_is_bound_to_a_device(near, pair, daemon, stack):
    order = "metric = time-wait\nraise = 1\nclear = 0\nraise-for = 0s\ndestroy = time-wait older-than 1s max 500/s\n"
    with pair.far.entered():
        server = stack.enter_context(socket.create_server((Pair.FAR, PORT)))
    for _ in range(10):
        with near.entered(), socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"veth0")
            client.connect((Pair.FAR, PORT))
            accepted = server.accept()[0]
        accepted.close()
    wait_until(lambda: once(near)["states"]["time-wait"] == 10, "TIME-WAIT")
    watching = daemon(QUICK + "[destroy]\nallow = time-wait\n[rule short]\n" + order)
    try:
        wait_until(lambda: once(near)["states"]["time-wait"] == 0, watching.story)
    except AssertionError:
        if watching.records("refused"):
            pytest.skip("this kernel cannot end TIME-WAIT")
        raise
    wait_until(lambda: destroyed(watching) >= 10, watching.story)
    assert destroyed(watching) == 10
