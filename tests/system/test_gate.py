# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot help is refused, with the reason and what would help instead; what did not help is put back."""

import socket

import pytest

from namespaces import Pair, wait_until
from programs import PORTS, QUICK, Churn, start_sink

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"


def refusal(watching, near):
    """The one refusal; nothing was written."""
    refused = watching.wait_for("refused")
    assert refused["TIMEWAITD_SYSCTL"] == REUSE
    assert watching.records("adjusted") == []
    assert len(watching.records("refused")) == 1
    assert near.sysctl(REUSE) == "2"
    return refused


def test_without_timestamps(near, pair, daemon):
    near.set_sysctl(RANGE, "40000 41999")
    near.set_sysctl("net.ipv4.tcp_timestamps", 0)
    watching = daemon(QUICK + PORTS)
    start_sink(pair.far, Pair.FAR, 8080)
    Churn(near, Pair.FAR, 8080, 1000, 2).finish()
    refused = refusal(watching, near)
    assert "net.ipv4.tcp_timestamps" in refused["TIMEWAITD_REASON"]
    assert refused["TIMEWAITD_ADVICE"]


def test_on_the_loopback_it_is_covered_already(near, daemon):
    near.set_sysctl(RANGE, "40000 41999")
    watching = daemon(QUICK + PORTS)
    start_sink(near, "127.0.0.1", 8080)
    Churn(near, "127.0.0.1", 8080, 500, 2).finish()
    refused = refusal(watching, near)
    assert "loopback" in refused["TIMEWAITD_REASON"]


def test_ports_held_by_live_connections(near, pair, daemon):
    near.set_sysctl(RANGE, "40000 40199")
    start_sink(pair.far, Pair.FAR, 8080, "--hold")
    clients = []
    with near.entered():
        for _ in range(150):
            clients.append(socket.create_connection((Pair.FAR, 8080)))
    watching = daemon(QUICK + PORTS)
    refused = refusal(watching, near)
    assert refused["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:8080"
    assert "pool" in refused["TIMEWAITD_ADVICE"] and RANGE in refused["TIMEWAITD_ADVICE"]
    for client in clients:
        client.close()


def test_time_wait_of_the_accepting_side_costs_no_port(near, pair, daemon):
    """20000 of them, on a rule that takes their number for a danger."""
    watching = daemon(
        QUICK
        + f"""
[rule many]
metric = time-wait
raise = 15000
clear = 100
raise-for = 0s
set = {REUSE}=1
"""
        + PORTS
    )
    pair.far.set_sysctl(RANGE, "1024 65535")
    start_sink(near, Pair.NEAR, 8080, "--close-first")
    _, total = Churn(pair.far, Pair.NEAR, 8080, 5000, 5, "--close-last").finish()
    assert total["ok"] > 20000, total
    refused = refusal(watching, near)
    assert refused["TIMEWAITD_RULE"] == "many"
    assert "accepting side" in refused["TIMEWAITD_REASON"] and "no port" in refused["TIMEWAITD_REASON"]
    assert watching.records("raised", RULE="port-exhaustion") == []


def test_what_helped_is_told(near, pair, daemon):
    near.set_sysctl(RANGE, "40000 42047")
    watching = daemon(QUICK + "proof-after = 2s\n" + PORTS)
    start_sink(pair.far, Pair.FAR, 8080)
    churn = Churn(near, Pair.FAR, 8080, 600, 120)
    effect = watching.wait_for("effect")
    assert effect["TIMEWAITD_SYSCTL"] == REUSE
    assert "helped" in effect["MESSAGE"]
    assert near.sysctl(REUSE) == "1"
    churn.process.terminate()
    assert churn.finish()[1]["failed"] == 0


@pytest.mark.parametrize("cooldown", ["1min"])
def test_what_made_no_difference_is_put_back(near, pair, daemon, cooldown):
    """
    tcp_fin_timeout against FIN-WAIT-2 sockets that a program still holds: it ends orphans alone. It is judged when
    orphans of the old value would be gone.
    """
    key = "net.ipv4.tcp_fin_timeout"
    before = "7"
    near.set_sysctl(key, before)
    start_sink(pair.far, Pair.FAR, 8080, "--hold")
    clients = []
    with near.entered():
        for _ in range(20):
            client = socket.create_connection((Pair.FAR, 8080))
            client.shutdown(socket.SHUT_WR)
            clients.append(client)
    watching = daemon(
        QUICK
        + f"""proof-after = 1s

[rule fin]
metric = fin-wait-2
raise = 10
clear = 1
raise-for = 0s
cooldown = {cooldown}
set = {key}=5
"""
    )
    watching.wait_for("adjusted", SYSCTL=key)
    effect = watching.wait_for("effect", SYSCTL=key)
    assert "no difference" in effect["MESSAGE"]
    wait_until(lambda: near.sysctl(key) == before, watching.story)
    assert len(watching.records("adjusted")) == 1
    for client in clients:
        client.close()
