# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is behind a number: the record names the one that it is, and nobody else."""

import contextlib
import socket
import time

import pytest

from namespaces import Pair, wait_until
from programs import PORTS, QUICK, Churn, once, start_sink

RANGE = "net.ipv4.ip_local_port_range"
WIDTH = 2000


def narrow(namespace):
    namespace.set_sysctl(RANGE, f"40000 {40000 + WIDTH - 1}")


def test_of_two_destinations_the_full_one_is_named(near, pair, daemon):
    narrow(near)
    watching = daemon(QUICK + PORTS)
    start_sink(pair.far, Pair.FAR, 8080)
    start_sink(pair.far, Pair.FAR, 8081)
    quiet = Churn(near, Pair.FAR, 8081, 50, 8)
    full = Churn(near, Pair.FAR, 8080, 1000, 6)
    raised = watching.wait_for("raised")
    assert raised["TIMEWAITD_SOURCE"] == Pair.NEAR
    assert raised["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:8080"
    assert f"{Pair.FAR}:8081" not in raised["MESSAGE"]
    assert full.finish()[1]["failed"] == 0
    assert quiet.finish()[1]["failed"] == 0
    # Once reuse is ours, what it helps already is told too, for information.
    others = [record for record in watching.records() if record.get("TIMEWAITD_DESTINATION") == f"{Pair.FAR}:8081"]
    assert all(int(record["PRIORITY"]) == 6 for record in others), watching.story()
    rows = {row["destination"]: row for row in once(near)["destinations"]}
    assert rows[f"{Pair.FAR}:8080"]["ports"] > rows[f"{Pair.FAR}:8081"]["ports"]


def test_a_rule_can_look_at_one_destination(near, pair, daemon):
    narrow(near)
    rules = PORTS.replace("port-exhaustion", "other") + f"destination = {Pair.FAR}:8081\n"
    rules += PORTS.replace("port-exhaustion", "this") + f"destination = {Pair.FAR}:8080\n"
    watching = daemon(QUICK + rules)
    start_sink(pair.far, Pair.FAR, 8080)
    Churn(near, Pair.FAR, 8080, 1000, 3).finish()
    watching.wait_for("raised", RULE="this")
    assert watching.records("raised", RULE="other") == []


def test_bound_ports_count_though_nothing_is_connected(near, pair, daemon):
    """All ports but one bound, and one TIME-WAIT: connect() fails, so the figure must say so."""
    near.set_sysctl(RANGE, "40000 40063")
    start_sink(pair.far, Pair.FAR, 8080)
    Churn(near, Pair.FAR, 8080, 1, 1).finish()
    held = []
    with near.entered():
        while True:
            one = socket.socket()
            try:
                one.bind((Pair.NEAR, 0))
            except OSError:
                one.close()
                break
            held.append(one)
    try:
        found = once(near)
        assert found["states"]["bound"] == len(held) >= 63
        assert found["states"]["time-wait"] == 1
        assert found["metrics"]["port-use"] == 100
        watching = daemon(QUICK + PORTS)
        raised = watching.wait_for("raised")
        # Of who holds nearly all: with the one that waits beside them none is left.
        assert float(raised["TIMEWAITD_VALUE"]) == 100
        refused = watching.wait_for("refused")
        assert "bound" in refused["TIMEWAITD_REASON"]
    finally:
        for one in held:
            one.close()


LEAK = """
[rule leak]
metric = close-wait-aged
age = 2s
raise = 5
clear = 0
raise-for = 0s
clear-for = 0s
severity = error
"""


def leak(near, server, count):
    """Connections that the peer has closed and this side has not."""
    accepted = []
    for _ in range(count):
        with near.entered():
            client = socket.create_connection(server.getsockname())
        accepted.append(server.accept()[0])
        client.close()
    return accepted


def test_close_wait_is_told_by_its_age(near, listener, daemon):
    with listener() as server:
        born = time.monotonic()
        before = leak(near, server, 3)
        time.sleep(3)
        # These were there before the daemon: their age is what the kernel knows of them.
        watching = daemon(QUICK + LEAK.replace("raise = 5", "raise = 10"))
        (row,) = once(near)["close-wait"]
        assert row["count"] == 3
        assert 2.9 < row["oldest"] < time.monotonic() - born + 0.1
        accepted = leak(near, server, 6)
        began = time.time()
        accepted += leak(near, server, 1)
        raised = watching.wait_for("raised")
        assert int(raised["__REALTIME_TIMESTAMP"]) / 1e6 - began > 1.9
        assert raised["TIMEWAITD_VALUE"] == "10"
        for one in before + accepted:
            one.close()
        watching.wait_for("cleared")


def test_who_closes_in_time_is_no_leak(near, pair, daemon):
    """A server under load is in CLOSE-WAIT all the time, each socket for an instant."""
    narrow(near)
    watching = daemon(QUICK + LEAK)
    start_sink(near, Pair.NEAR, 8080)
    _, total = Churn(pair.far, Pair.NEAR, 8080, 2000, 5).finish()
    assert total["ok"] > 5000
    assert watching.records("raised") == []


QUEUE = """
[rule queue]
metric = accept-queue
raise = 80%
clear = 30%
raise-for = 0s
clear-for = 0s
"""


def test_a_full_accept_queue_names_its_listener(near, daemon):
    with near.entered():
        idle = socket.create_server(("127.0.0.1", 0))
        server = socket.create_server(("127.0.0.1", 0), backlog=10)
    watching = daemon(QUICK + QUEUE)
    clients = []
    with near.entered():
        for _ in range(9):
            clients.append(socket.create_connection(server.getsockname()))
    raised = watching.wait_for("raised")
    assert raised["TIMEWAITD_LISTENER"] == "127.0.0.1:%d" % server.getsockname()[1]
    assert raised["TIMEWAITD_VALUE"] == "90"
    rows = {row["address"]: row for row in once(near)["listeners"]}
    assert rows[raised["TIMEWAITD_LISTENER"]]["queue"] == 9
    assert rows["127.0.0.1:%d" % idle.getsockname()[1]]["queue"] == 0
    for client in clients:
        server.accept()[0].close()
        client.close()
    watching.wait_for("cleared")
    idle.close()
    server.close()


DROPS = """
[rule drops]
metric = listen-overflow
raise = 10/s
clear = 0/s
raise-for = 0s
clear-for = 1s
"""


def test_short_bursts_on_an_accept_queue_are_told(near, daemon):
    """A queue that is emptied again and again is never full for ten seconds, and drops connections all the same."""
    with near.entered():
        server = socket.create_server(("127.0.0.1", 0), backlog=4)
    server.setblocking(False)
    watching = daemon(QUICK + DROPS + QUEUE.replace("raise-for = 0s", "raise-for = 10s"))

    def burst():
        with near.entered():
            clients = [socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(30)]
        for client in clients:
            client.connect_ex(server.getsockname())
        accepted = []
        with contextlib.suppress(BlockingIOError):
            while True:
                accepted.append(server.accept()[0])
        for one in clients + accepted:
            one.close()
        return watching.records("raised")

    wait_until(burst, watching.story)
    (raised,) = watching.records("raised")
    assert raised["TIMEWAITD_RULE"] == "drops" and float(raised["TIMEWAITD_VALUE"]) >= 10
    # It names the listener that it saw full, or none.
    assert raised.get("TIMEWAITD_LISTENER") in (None, "127.0.0.1:%d" % server.getsockname()[1])
    watching.wait_for("cleared", RULE="drops")
    server.close()
