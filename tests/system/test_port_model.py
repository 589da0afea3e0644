# SPDX-License-Identifier: GPL-2.0-or-later
"""
What timewaitd says of a destination's ports, held against the kernel: as many plain connects succeed as are not blocked.
Each mix is looked at twice, with the kernel asked which ports are exclusive, and by their parity alone.
"""

import contextlib
import os

import pytest

import mixes
from namespaces import Pair
from programs import PORTS, QUICK, Churn, Daemon, once, start_sink

SCATTERED = True
# Points of the usable ports.
NEAR = 3
# A row does not say that its peer has no timestamps: reuse is credited until it is refuted, which takes two looks.
CREDITED = {"waits, half without timestamps"}
# A program that chooses its ports itself can choose them as connect() does.
LOOKS_PLAIN = {"first, on ports of plain ones", "children of a listener that is gone"}


def can_ask():
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 3)


@pytest.fixture
def mix(home, request):
    with home.entered():
        made = mixes.Mix(home, request.node.name)
        yield made
        made.close()


def row_of(page, source, host, device):
    name = f"[{host}]:80" if ":" in host else f"{host}:80"
    for row in page["destinations"]:
        if (row["source"], row["destination"], row["device"]) == (source, name, device):
            return row
    return None


def look(mix, source, host, device):
    """Blocked ports, and those that may be, in percent of what is usable."""
    page = once(mix.namespace)
    limits = page["limits"]
    row = row_of(page, source, host, device)
    points = 100 / limits["usable-ports"]
    if row:
        # Each figure of a row is of one and the same ports.
        assert sum(row["held"].values()) == row["ports"]
        assert row["port-use"] == pytest.approx(row["blocked"] * points, abs=0.01)
        assert row["port-demand"] == row["port-use"]  # nothing is ours here
        assert row["bound-first"] is None or row["bound-first"] <= row["ports"]
    blocked = row["blocked"] if row else limits["exclusive-ports"]
    return blocked * points, limits["unclear-ports"] * points, limits


@pytest.mark.parametrize("name", mixes.MIXES)
def test_as_many_as_a_plain_connect_finds(mix, name):
    mix.put("tcp_tw_reuse", 2)
    with contextlib.suppress(FileNotFoundError):
        mix.put("tcp_tw_reuse_delay", 1000)
    ask = mixes.MIXES[name](mix)
    host = ask.get("host", mixes.HOST)
    source, device = ask.get("source", host), 1 if "device" in ask else None
    how = {key: value for key, value in ask.items() if key in ("device", "mapped")}

    blocked, unclear, limits = look(mix, source, host, device)
    mix.put("tcp_fastopen", 0)
    by_parity, may_be, parity_limits = look(mix, source, host, device)
    mix.put("tcp_fastopen", 1)
    usable = limits["usable-ports"]
    truth = 100 * (usable - mix.left(host, 80, **how)) / usable

    if can_ask():
        assert unclear == 0
        assert blocked == pytest.approx(truth, abs=NEAR) or (name in CREDITED and blocked < truth)
        # What parity claims is so.
        assert parity_limits["bound-first-ports"] <= limits["bound-first-ports"] + usable // 100
    assert by_parity <= truth + NEAR
    assert by_parity + may_be >= truth - NEAR or name in CREDITED | LOOKS_PLAIN


# ---- what two looks tell, and who is asked


def test_reuse_that_takes_nothing_over_is_found_out(near, pair, daemon):
    """The administrator's tcp_tw_reuse=1, and a peer without timestamps: a living connection says so, or the ports do."""
    near.set_sysctl("net.ipv4.ip_local_port_range", f"{mixes.LOW} {mixes.HIGH}")
    near.set_sysctl("net.ipv4.tcp_tw_reuse", 1)
    pair.far.set_sysctl("net.ipv4.tcp_timestamps", 0)
    watching = daemon(QUICK + PORTS)
    start_sink(pair.far, Pair.FAR, 8080)
    churn = Churn(near, Pair.FAR, 8080, 100, 18)
    raised = watching.wait_for("raised")
    assert raised["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:8080"
    assert float(raised["TIMEWAITD_PORT_USE"]) > 20
    churn.finish()


@pytest.mark.long
def test_reuse_that_does_is_silent(near, pair, daemon):
    near.set_sysctl("net.ipv4.ip_local_port_range", f"{mixes.LOW} {mixes.HIGH}")
    near.set_sysctl("net.ipv4.tcp_tw_reuse", 1)
    watching = daemon(QUICK + PORTS)
    start_sink(pair.far, Pair.FAR, 8080)
    _, total = Churn(near, Pair.FAR, 8080, 200, 18).finish()
    assert total["failed"] == 0
    assert watching.records("raised") == []


def test_the_kernel_is_asked_while_ports_run_short(mix, home, tmp_path):
    """Ports of a program's own choice: parity says nothing of them, and the record knows."""
    mixes.explicit(mix)
    mix.make("established", 700, mixes.HOST)
    watching = Daemon(home, tmp_path, QUICK + PORTS)
    raised = watching.wait_for("raised")
    usable = mixes.HIGH - mixes.LOW + 1
    assert int(raised["TIMEWAITD_EXCLUSIVE_PORTS"]) == pytest.approx(400, abs=usable * NEAR / 100)
    source, ports, destinations, most = raised["TIMEWAITD_TOP_BINDERS"].split()
    assert (source, destinations, most) == (mixes.THIRD, "1", f"{mixes.OTHER}:90")
    assert int(ports) == pytest.approx(400, abs=usable * NEAR / 100)
    assert raised["TIMEWAITD_DESTINATION"] == f"{mixes.HOST}:80"
    watching.stop()
