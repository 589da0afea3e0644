# SPDX-License-Identifier: GPL-2.0-or-later
"""What cannot help is refused, with the reason and what would help instead. Of states: test_holders.py."""

import socket

from namespaces import PATIENCE, Pair
from programs import PORTS, QUICK, Churn, start_sink

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"

MANY = f"""
[rule many]
metric = time-wait
raise = {{count}}
clear = 100
raise-for = 0s
set = {REUSE}=1
"""


def refusal(watching, near):
    """The one refusal, which is a notice until there is need for more; nothing was written."""
    refused = watching.wait_for("refused")
    assert refused["TIMEWAITD_SYSCTL"] == REUSE
    assert watching.records("adjusted") == []
    severities = [record["PRIORITY"] for record in watching.records("refused")]
    assert len(set(severities)) == len(severities), watching.story()
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


def test_a_peer_without_timestamps(near, pair, daemon, stack):
    """No sysctl here says so, and no row of a dump: a living connection does, before anything is written."""
    near.set_sysctl(RANGE, "40000 41999")
    pair.far.set_sysctl("net.ipv4.tcp_timestamps", 0)
    start_sink(pair.far, Pair.FAR, 8080)
    with near.entered():
        for _ in range(20):
            stack.enter_context(socket.create_connection((Pair.FAR, 8080), timeout=PATIENCE))
    watching = daemon(QUICK + PORTS)
    Churn(near, Pair.FAR, 8080, 1000, 2).finish()
    refused = refusal(watching, near)
    assert f"no port towards {Pair.FAR}:8080" in refused["TIMEWAITD_REASON"]
    assert "no TCP timestamps" in refused["TIMEWAITD_REASON"]


def test_on_the_loopback_it_is_covered_already(near, daemon):
    """
    On a rule that takes the number of TIME-WAIT for a danger: one over port-use would not be raised. Where all that wait
    can be taken over, as on a slow machine, a thousand connections leave some 630 of a thousand ports waiting.
    """
    near.set_sysctl(RANGE, "40000 41999")
    watching = daemon(QUICK + MANY.format(count=400))
    start_sink(near, "127.0.0.1", 8080)
    Churn(near, "127.0.0.1", 8080, 500, 2).finish()
    refused = refusal(watching, near)
    assert "loopback" in refused["TIMEWAITD_REASON"]


def test_time_wait_of_the_accepting_side_costs_no_port(near, pair, daemon):
    """20000 of them, on a rule that takes their number for a danger."""
    watching = daemon(QUICK + MANY.format(count=15000) + PORTS)
    pair.far.set_sysctl(RANGE, "1024 65535")
    start_sink(near, Pair.NEAR, 8080, "--close-first")
    _, total = Churn(pair.far, Pair.NEAR, 8080, 5000, 5, "--close-last").finish()
    assert total["ok"] > 20000, total
    refused = refusal(watching, near)
    assert refused["TIMEWAITD_RULE"] == "many"
    assert "accepting side" in refused["TIMEWAITD_REASON"] and "no port" in refused["TIMEWAITD_REASON"]
    assert watching.records("raised", RULE="port-exhaustion") == []
