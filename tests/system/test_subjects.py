# SPDX-License-Identifier: GPL-2.0-or-later
"""An alert for each subject: none is silent because of another, and each is judged by its own sockets."""

import socket

import pytest

from clients import on_device, reset
from namespaces import Pair, wait_until, wire
from programs import PORTS, QUICK, Churn, once, start_sink

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"
PORT = 8080


@pytest.fixture
def near(near):
    near.set_sysctl(RANGE, "40000 40399")
    return near


def destination(port):
    return f"{Pair.FAR}:{port}"


def test_three_culprits_have_three_alerts(near, pair, daemon, hold):
    """At once, and each of them clears by itself."""
    ports = (8081, 8082, 8083)
    for port in ports:
        start_sink(pair.far, Pair.FAR, port, "--hold")
    held = {port: hold(near, (Pair.FAR, port), 220 + port % 10) for port in ports}
    watching = daemon(QUICK + PORTS)
    for port in ports:
        raised = watching.wait_for("raised", DESTINATION=destination(port))
        assert float(raised["TIMEWAITD_VALUE"]) == len(held[port]) / 4
        assert "ESTABLISHED" in watching.wait_for("refused", DESTINATION=destination(port))["MESSAGE"]
    for done, port in enumerate(ports, 1):
        reset(held[port])
        watching.wait_for("cleared", DESTINATION=destination(port))
        assert len(watching.records("cleared")) == done, watching.story()
    assert len(watching.records("raised")) == 3, watching.story()


@pytest.mark.long
def test_a_second_destination_is_told_beside_one_that_is_healed(near, pair, daemon, hold):
    start_sink(pair.far, Pair.FAR, 8081)
    start_sink(pair.far, Pair.FAR, 8082, "--hold")
    watching = daemon(QUICK + PORTS)
    first = Churn(near, Pair.FAR, 8081, 30, 600)
    watching.wait_for("adjusted", SYSCTL=REUSE, DESTINATION=destination(8081))
    hold(near, (Pair.FAR, 8082), 300)
    raised = watching.wait_for("raised", DESTINATION=destination(8082))
    assert int(raised["PRIORITY"]) == 4
    assert "ESTABLISHED" in watching.wait_for("refused", DESTINATION=destination(8082))["MESSAGE"]
    assert first.end() == 0
    assert near.sysctl(REUSE) == "1"


def test_a_rule_for_one_destination_is_not_refused_because_of_another(near, pair, daemon, hold):
    start_sink(pair.far, Pair.FAR, 8081, "--hold")
    start_sink(pair.far, Pair.FAR, 8082)
    hold(near, (Pair.FAR, 8081), 400)
    watching = daemon(QUICK + PORTS + f"destination = {destination(8082)}\n")
    Churn(near, Pair.FAR, 8082, 250, 1).finish()
    adjusted = watching.wait_for("adjusted")
    assert (adjusted["TIMEWAITD_SYSCTL"], adjusted["TIMEWAITD_DESTINATION"]) == (REUSE, destination(8082))
    assert watching.records("refused") == [], watching.story()
    assert {record["TIMEWAITD_DESTINATION"] for record in watching.records("raised")} == {destination(8082)}


def test_what_covers_one_destination_is_not_set_for_it(near, pair, daemon, hold):
    """Loopback is busier, but reuse takes its ports already: it is the other one that is held by its program."""
    start_sink(near, "127.0.0.1", 8081)
    start_sink(pair.far, Pair.FAR, 8082, "--hold")
    Churn(near, "127.0.0.1", 8081, 380, 1).finish()
    hold(near, (Pair.FAR, 8082), 220)
    wait_until(lambda: once(near)["destinations"][-1]["blocked"] < 100, "TIME-WAIT gets ripe")
    watching = daemon(QUICK + PORTS)
    assert "ESTABLISHED" in watching.wait_for("refused", DESTINATION=destination(8082))["MESSAGE"]
    assert near.sysctl(REUSE) == "2"
    assert len(watching.records("raised")) == 1, watching.story()


def test_the_same_addresses_on_two_devices_are_two_destinations(near, pair, daemon, hold):
    wire("veth1", (near, Pair.NEAR), (pair.far, Pair.FAR))
    servers = []
    with pair.far.entered():
        for device in ("veth0", "veth1"):
            servers.append(listen_on(device))
    for device in ("veth0", "veth1"):
        hold(near, (Pair.FAR, PORT), 240, on_device(device))
    rows = once(near)["destinations"]
    assert [(row["destination"], row["ports"], row["blocked"]) for row in rows] == [(destination(PORT), 240, 240)] * 2
    assert rows[0]["device"] != rows[1]["device"]
    watching = daemon(QUICK + PORTS)
    wait_until(lambda: len(watching.records("raised")) == 2, watching.story)
    for raised in watching.records("raised"):
        assert raised["TIMEWAITD_DESTINATION"] == destination(PORT)
        assert raised["TIMEWAITD_VALUE"] == "60", watching.story()
    for server in servers:
        server.close()


def listen_on(device):
    server = socket.socket()
    on_device(device)(server)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((Pair.FAR, PORT))
    server.listen(1000)
    return server
