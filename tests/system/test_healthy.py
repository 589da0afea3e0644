# SPDX-License-Identifier: GPL-2.0-or-later
"""A port that reuse takes over is not used up: where it is in force and does its work, nothing is told."""

import time

import pytest

from namespaces import Pair, wait_until
from programs import PORTS, QUICK, Churn, once, start_sink

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"
PORT = 8080


def loopback(near, pair):
    """As the kernel's default has it."""
    assert near.sysctl(REUSE) == "2"
    start_sink(near, "127.0.0.1", PORT)
    return "127.0.0.1"


def admins(near, pair):
    """As many guides have it."""
    near.set_sysctl(REUSE, 1)
    start_sink(pair.far, Pair.FAR, PORT)
    return Pair.FAR


def nobody_calls(watching):
    assert {record["TIMEWAITD_EVENT"] for record in watching.records()} == {"started"}, watching.story()


@pytest.mark.parametrize("where", [loopback, admins])
def test_ports_that_reuse_takes(near, pair, daemon, where):
    """Nine in ten hold TIME-WAIT; they were there a second ago, and so all can be taken."""
    near.set_sysctl(RANGE, "40000 40999")
    address = where(near, pair)
    assert Churn(near, address, PORT, 900, 1).finish()[1]["ok"] > 800
    wait_until(lambda: once(near)["destinations"][0]["blocked"] < 100, "TIME-WAIT gets ripe")
    watching = daemon(QUICK + PORTS)
    assert Churn(near, address, PORT, 60, 2).finish()[1]["failed"] == 0
    (row,) = once(near)["destinations"]
    assert row["time-wait"] > 450, "the level would be passed if these were counted"
    nobody_calls(watching)


@pytest.mark.long
@pytest.mark.parametrize("where", [loopback, admins])
def test_a_load_that_goes_on(near, pair, daemon, where):
    """Half as many connections again as there are ports, so that they are taken over by the hundred."""
    near.set_sysctl(RANGE, "40000 41999")
    address = where(near, pair)
    watching = daemon(QUICK + PORTS)
    assert Churn(near, address, PORT, 150, 20).finish()[1]["failed"] == 0
    (row,) = once(near)["destinations"]
    assert row["time-wait"] > 900
    time.sleep(1)  # two more surveys
    nobody_calls(watching)
