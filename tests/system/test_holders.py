# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds the ports is named, with its own remedy: where TIME-WAIT does not, reuse is refused."""

import contextlib
import socket

import pytest

from namespaces import Pair, wait_until
from programs import PORTS, QUICK, once, start_sink

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"
TARGET = (Pair.FAR, 8080)
COUNT = 240  # of 400


def syn_sent(pair, hold):
    pair.lose(Pair.FAR)
    hold(pair.near, TARGET, COUNT, waits=False)


def close_wait(pair, hold):
    """The peer closes each connection at once, and the program here keeps it."""
    start_sink(pair.far, *TARGET, "--close-first")
    hold(pair.near, TARGET, COUNT)


def established(pair, hold):
    start_sink(pair.far, *TARGET, "--hold")
    return hold(pair.near, TARGET, COUNT)


def fin_wait_2(pair, hold):
    for one in established(pair, hold):
        one.shutdown(socket.SHUT_WR)


def orphaned(pair, hold):
    for one in established(pair, hold):
        one.close()


def fin_wait_1(pair, hold):
    made = established(pair, hold)
    pair.lose(Pair.FAR)
    for one in made:
        one.close()


# What is counted in, and words of the reason and of the remedy.
STATES = {
    "syn-sent": (syn_sent, "SYN-SENT", "why no answer comes"),
    "close-wait": (close_wait, "CLOSE-WAIT", "restart the program"),
    "established": (established, "ESTABLISHED", "pool"),
    "fin-wait-2": (fin_wait_2, "FIN-WAIT-2 of a program", "let the program close()"),
    "fin-wait-2-orphaned": (orphaned, "FIN-WAIT-2", "net.ipv4.tcp_fin_timeout"),
    "closing": (fin_wait_1, "FIN-WAIT-1", "tcp_orphan_retries"),
}


def destinations(near):
    """The daemon's own socket, with which it asks about a port, may be there for an instant: without that."""
    return [row for row in once(near)["destinations"] if row["destination"] == "%s:%d" % TARGET]


@pytest.mark.parametrize("name", STATES)
def test_a_state_has_its_own_remedy(near, pair, daemon, hold, name):
    make, reason, remedy = STATES[name]
    near.set_sysctl(RANGE, "40000 40399")
    make(pair, hold)
    wait_until(lambda: [row["held"][name] for row in destinations(near)] == [COUNT], lambda: destinations(near))
    watching = daemon(QUICK + PORTS)
    refused = watching.wait_for("refused")
    assert (refused["TIMEWAITD_SYSCTL"], refused["TIMEWAITD_DESTINATION"]) == (REUSE, "%s:%d" % TARGET)
    assert f"{COUNT} of {COUNT} ports" in refused["TIMEWAITD_REASON"]
    assert reason in refused["TIMEWAITD_REASON"] and remedy in refused["TIMEWAITD_ADVICE"]
    assert all(refused[f"TIMEWAITD_{field}"] in refused["MESSAGE"] for field in ("REASON", "ADVICE"))
    assert watching.records("adjusted") == [] and near.sysctl(REUSE) == "2"
    rows = destinations(near)
    assert [(row["held"][name], row["blocked"]) for row in rows] == [(COUNT, COUNT)], rows


def test_a_few_of_another_state_do_not_hide_time_wait(near, pair, daemon, hold):
    """Half of the ports wait, and so reuse helps: it is set."""
    near.set_sysctl(RANGE, "40000 40399")
    start_sink(pair.far, *TARGET)
    hold(near, TARGET, 120)
    with contextlib.ExitStack() as ended, near.entered():
        for _ in range(120):
            ended.enter_context(socket.create_connection(TARGET))
    watching = daemon(QUICK + PORTS)
    assert watching.wait_for("adjusted")["TIMEWAITD_SYSCTL"] == REUSE
    assert watching.records("refused") == []
