# SPDX-License-Identifier: GPL-2.0-or-later
"""
A port taken by bind() before connect() is blocked for everybody: who does that is named, and nothing is written for it.
"""

import contextlib
import errno
import time

import pytest

from clients import bound_first, bound_late, own_range, reset, try_connect
from namespaces import Pair, wait_until
from programs import PORTS, QUICK, Churn, once, start_sink

RANGE = "net.ipv4.ip_local_port_range"
LOW, PORTS_USABLE = 40000, 400
PLAIN = 8000  # of the service beside it
FAST_OPEN = "net.ipv4.tcp_fastopen"


@pytest.fixture(params=["asked", "parity"])
def near(near, request):
    """Where the kernel can be asked about a port, and where only their parity tells."""
    near.set_sysctl(RANGE, f"{LOW} {LOW + PORTS_USABLE - 1}")
    if request.param == "parity":
        near.set_sysctl(FAST_OPEN, 0)
    return near


def told(watching):
    """The alert of the binder, and what was refused for it."""
    raised, refused = watching.wait_for("raised"), watching.wait_for("refused")
    assert "TIMEWAITD_DESTINATION" not in raised, watching.story()
    for record in (raised, refused):
        assert record["TIMEWAITD_RULE"] == "port-exhaustion"
        assert record["TIMEWAITD_SOURCE"] == Pair.NEAR
        assert Pair.NEAR in record["MESSAGE"]
        assert "IP_BIND_ADDRESS_NO_PORT" in record["MESSAGE"]
    assert "IP_BIND_ADDRESS_NO_PORT" in refused["TIMEWAITD_ADVICE"]
    return raised


def nothing_is_written(watching, near):
    assert watching.records("adjusted") == [], watching.story()
    assert near.sysctl("net.ipv4.tcp_tw_reuse") == "2"


@pytest.mark.parametrize("destinations", [1, 4])
def test_the_binder_is_named(near, pair, daemon, hold, destinations):
    ports = range(PLAIN + 1, PLAIN + 1 + destinations)
    for port in ports:
        start_sink(pair.far, Pair.FAR, port, "--hold")
    for port in ports:
        hold(near, (Pair.FAR, port), 240 // destinations, bound_first(Pair.NEAR))
    watching = daemon(QUICK + PORTS)
    raised = told(watching)
    # bind() takes one half of the ports first, and nearly all of them: parity tells of that half alone.
    assert 45 <= float(raised["TIMEWAITD_VALUE"]) <= 60
    assert len(watching.records("raised")) == 1, watching.story()
    nothing_is_written(watching, near)
    found = once(near)
    rows = [row for row in found["destinations"] if row["destination"].startswith(Pair.FAR)]
    assert len(rows) == destinations
    if near.sysctl(FAST_OPEN) != "0":
        assert float(raised["TIMEWAITD_VALUE"]) == 60
        assert found["limits"]["bound-first-ports"] == 240
        assert {row["blocked"] for row in rows} == {240}


def test_it_clears_when_the_ports_are_free(near, pair, daemon, hold):
    start_sink(pair.far, Pair.FAR, PLAIN + 1, "--hold")
    bound = hold(near, (Pair.FAR, PLAIN + 1), 240, bound_first(Pair.NEAR))
    watching = daemon(QUICK + PORTS)
    told(watching)
    reset(bound)
    assert watching.wait_for("cleared")["TIMEWAITD_SOURCE"] == Pair.NEAR


@pytest.mark.long
@pytest.mark.parametrize("near", ["asked"], indirect=True)
def test_who_is_left_its_own_gets_these_back_by_a_rule(near, pair, daemon, hold):
    """
    All that is free is bound first: beside that a plain client has what it left in TIME-WAIT, and reuse gives it back.
    Never for the binder's alert: for that of a rule about the destination.
    """
    start_sink(pair.far, Pair.FAR, PLAIN)
    start_sink(pair.far, Pair.FAR, PLAIN + 1, "--hold")
    assert Churn(near, Pair.FAR, PLAIN, 20, 1).finish()[1]["ok"] == 20
    bound = []
    with contextlib.suppress(OSError):
        while True:
            bound += hold(near, (Pair.FAR, PLAIN + 1), 1, bound_first(Pair.NEAR))
    assert try_connect(near, (Pair.FAR, PLAIN)) == "EADDRNOTAVAIL"
    watching = daemon(QUICK + PORTS)
    told(watching)
    left = f"; to {Pair.FAR}:{PLAIN} net.ipv4.tcp_tw_reuse would give back its "
    assert left in watching.records("refused")[0]["MESSAGE"]
    nothing_is_written(watching, near)
    database = PORTS.replace("port-exhaustion", "database") + f"destination = {Pair.FAR}:{PLAIN}\n"
    watching.reload(QUICK + PORTS + database)
    assert watching.wait_for("adjusted")["TIMEWAITD_RULE"] == "database"
    wait_until(lambda: try_connect(near, (Pair.FAR, PLAIN)) is None or time.sleep(0.1), watching.story)
    plain = Churn(near, Pair.FAR, PLAIN, 5, 1)
    assert plain.finish()[1]["failed"] == 0
    reset(bound)
    watching.wait_for("restored")
    assert near.sysctl("net.ipv4.tcp_tw_reuse") == "2"


@pytest.mark.long
@pytest.mark.parametrize("destinations", [1, 4])
def test_it_is_told_before_a_plain_connect_fails(near, pair, daemon, destinations):
    """Each of these connections leaves a TIME-WAIT, which no reuse frees for others."""
    targets = range(PLAIN, PLAIN + 1 + destinations)
    for port in targets:
        start_sink(pair.far, Pair.FAR, port)
    watching = daemon(QUICK + PORTS)
    binders = [
        Churn(near, Pair.FAR, port, 80 // destinations, 600, f"--source={Pair.NEAR}", "--bind-first")
        for port in targets[1:]
    ]
    wait_until(lambda: try_connect(near, (Pair.FAR, PLAIN)) == "EADDRNOTAVAIL" or time.sleep(0.1), watching.story)
    failed = time.time()
    raised = told(watching)
    assert int(raised["__REALTIME_TIMESTAMP"]) / 1e6 < failed, watching.story()
    assert watching.records("cleared", SOURCE=Pair.NEAR) == [], watching.story()
    # By then both halves are full, and parity tells nothing any more.
    if near.sysctl(FAST_OPEN) != "0":
        nothing_is_written(watching, near)
    for binder in binders:
        binder.end()


HOW = {
    "late": bound_late(Pair.NEAR),
    "range": own_range(LOW, LOW + 299),
    "odd range": own_range(LOW + 1, LOW + PORTS_USABLE - 1),  # its first half is where bind() would begin
}


@pytest.mark.parametrize("how", HOW)
def test_who_leaves_the_port_to_connect_is_not_accused(near, pair, daemon, hold, how):
    start_sink(pair.far, Pair.FAR, PLAIN, "--hold")
    try:
        hold(near, (Pair.FAR, PLAIN), 190, HOW[how])
    except OSError as error:
        assert error.errno == errno.ENOPROTOOPT, error
        pytest.skip("this kernel does not know IP_LOCAL_PORT_RANGE")
    watching = daemon(QUICK + PORTS)
    refused = watching.wait_for("refused")
    assert refused["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:{PLAIN}"
    assert "ESTABLISHED" in refused["MESSAGE"]
    assert not any("bind()" in record["MESSAGE"] for record in watching.records()), watching.story()
    for row in once(near)["destinations"]:
        assert row["bound-first"] in (0, None)
