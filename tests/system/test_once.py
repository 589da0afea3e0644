# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitd --once: one look, as a page and as JSON."""

import socket

import pytest

from namespaces import Pair, wait_until
from programs import ENVIRONMENT, TIMEWAITD, once
from states import STATES, Zoo, expected, wait_for_states

METRICS = [
    "port-use",
    "port-eta",
    "time-wait-buckets",
    "orphans",
    "tcp-memory",
    "accept-queue",
    "close-wait-age",
    "close-wait-aged",
    "time-wait-overflow",
    "listen-overflow",
    "listen-drop",
    "syn-cookies",
    "connect-fail",
    "reset",
    "memory-abort",
    "time-wait-reused",
]
RATES = METRICS[8:]


def test_its_shape(near):
    page = once(near)
    assert list(page) == [
        "name",
        "partial",
        "states",
        "metrics",
        "counters",
        "limits",
        "destinations",
        "listeners",
        "close-wait",
        "bound",
        "binders",
    ]
    assert page["name"] == "host"
    assert list(page["states"]) == STATES
    assert list(page["metrics"]) == METRICS


def test_what_one_look_cannot_know_is_null(near):
    page = once(near)
    assert {name: page["metrics"][name] for name in RATES} == dict.fromkeys(RATES)
    # The kernel shows these to the first network namespace alone.
    assert page["metrics"]["orphans"] is None
    assert page["metrics"]["tcp-memory"] is None
    assert page["limits"]["tcp_max_orphans"] is None
    # Gone since Linux 4.12.
    assert page["limits"]["tcp_tw_recycle"] is None


def test_ports_of_destinations(near, pair, stack):
    """A hundred ports, ten of them reserved; of the others one is listened on and two are bound, for everybody."""
    near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    near.set_sysctl("net.ipv4.ip_local_reserved_ports", "40000-40009,50000")
    numbers = {**dict.fromkeys([*STATES, "orphan"], 0), "established": 12, "time-wait": 8}
    with near.entered():
        listener = stack.enter_context(socket.create_server((Pair.NEAR, 40010), backlog=5))
        bound = [stack.enter_context(socket.socket()) for _ in range(2)]
    bound[0].bind((Pair.NEAR, 40011))
    bound[1].bind((Pair.NEAR, 40012))
    stack.callback(Zoo(pair, Zoo.V4, numbers).close)
    wait_for_states(near, {**expected(numbers), "listen": 1})

    page = once(near)
    limits = page["limits"]
    assert (limits["range-low"], limits["range-high"], limits["reserved-ports"]) == (40000, 40099, 10)
    assert limits["usable-ports"] == 90
    taken = 3 if page["states"]["bound"] is not None else 1
    assert limits["exclusive-ports"] == taken
    (row,) = page["destinations"]
    assert (row["source"], row["destination"]) == (Pair.NEAR, f"{Pair.FAR}:7000")
    assert (row["ports"], row["time-wait"], row["established"]) == (20, 8, 12)
    assert row["held"] == {**dict.fromkeys(row["held"], 0), "time-wait": 8, "established": 12}
    assert row["blocked"] == 20 + taken
    assert row["port-use"] == pytest.approx(100 * (20 + taken) / 90, abs=0.01)
    assert page["metrics"]["port-use"] == row["port-use"]
    assert listener.fileno() >= 0


def test_server_side_time_wait_uses_no_ports(near, pair, stack):
    """Sockets of a listener hang on its port, whoever closes first."""
    with near.entered():
        server = stack.enter_context(socket.create_server((Pair.NEAR, 80)))
    for _ in range(5):
        with pair.far.entered():
            client = stack.enter_context(socket.create_connection((Pair.NEAR, 80)))
        connection, _ = server.accept()
        connection.close()
        assert client.recv(1) == b""
        client.close()
    wait_until(lambda: once(near)["states"]["time-wait"] == 5, lambda: once(near)["states"])
    page = once(near)
    assert page["destinations"] == []
    assert page["metrics"]["port-use"] == 0


def test_ipv6_destinations(near, pair, stack):
    numbers = {**dict.fromkeys([*STATES, "orphan"], 0), "established": 3}
    stack.callback(Zoo(pair, Zoo.V6, numbers).close)
    (row,) = once(near)["destinations"]
    assert (row["source"], row["destination"], row["ports"]) == (Pair.NEAR6, f"[{Pair.FAR6}]:7000", 3)


def test_time_wait_buckets(near, pair, stack):
    near.set_sysctl("net.ipv4.tcp_max_tw_buckets", "1000")
    numbers = {**dict.fromkeys([*STATES, "orphan"], 0), "time-wait": 25}
    stack.callback(Zoo(pair, Zoo.V4, numbers).close)
    wait_for_states(near, expected(numbers))
    page = once(near)
    assert page["limits"]["tcp_max_tw_buckets"] == 1000
    assert page["metrics"]["time-wait-buckets"] == 2.5


def test_the_page_for_people(near):
    done = near.try_run(TIMEWAITD, "--once", env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    for title in ("LISTEN", "TIME-WAIT", "net.ipv4.tcp_tw_reuse", "port-use"):
        assert title in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_it_needs_no_privilege(near):
    """The same numbers without any capability."""
    bare = "setpriv --securebits=+noroot,+noroot_locked --bounding-set=-all --inh-caps=-all".split()
    done = near.try_run(*bare, TIMEWAITD, "--once", "--json", env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"partial":false' in done.stdout
