# SPDX-License-Identifier: GPL-2.0-or-later
"""Did a change help? Asked of the alert's own subject, and only while somebody needs it."""

import contextlib
import socket

import pytest

from clients import bound_first, shared_first
from namespaces import Namespace, Pair, wait_until, wire
from programs import PORTS, QUICK, Churn, start_sink

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"
FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
AUTOBIND = "net.ipv4.ip_autobind_reuse"
BUCKETS = "net.ipv4.tcp_max_tw_buckets"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
PORT = 8080
TARGET = f"{Pair.FAR}:{PORT}"
SOON = QUICK + "proof-after = 2s\n"
HELPED, NO_DIFFERENCE, NOT_TESTED = "helped", "made no difference", "is not tested yet"


def effect(watching, answer, **fields):
    """The first effect of these fields, which has to have this answer."""
    record = watching.wait_for("effect", **fields)
    assert answer in record["MESSAGE"], watching.story()
    return record


def comes_to(watching, answer, **fields):
    """The same where others may come before: alerts that wait for evidence take turns."""
    return wait_until(
        lambda: [record for record in watching.records("effect", **fields) if answer in record["MESSAGE"]],
        watching.story,
    )[0]


# ---- tcp_tw_reuse


def test_reuse_helped(near, pair, daemon):
    near.set_sysctl(RANGE, "40000 40999")
    watching = daemon(SOON + PORTS)
    start_sink(pair.far, Pair.FAR, PORT)
    churn = Churn(near, Pair.FAR, PORT, 120, 600)
    helped = effect(watching, HELPED, SYSCTL=REUSE)
    assert helped["TIMEWAITD_DESTINATION"] == TARGET and "taken over" in helped["MESSAGE"]
    assert churn.end() == 0
    assert near.sysctl(REUSE) == "1"


@pytest.mark.long
def test_reuse_makes_no_difference_to_a_peer_without_timestamps(near, pair, daemon):
    """While connections on the loopback go on taking ports over, and the namespace's counter with them."""
    near.set_sysctl(RANGE, "40000 43999")
    pair.far.set_sysctl(TIMESTAMPS, 0)
    start_sink(near, "127.0.0.1", PORT)
    start_sink(pair.far, Pair.FAR, PORT)
    Churn(near, "127.0.0.1", PORT, 4000, 1).finish()
    watching = daemon(SOON + PORTS + f"destination = {TARGET}\n")
    noise = Churn(near, "127.0.0.1", PORT, 100, 600)
    churn = Churn(near, Pair.FAR, PORT, 300, 600)
    useless = effect(watching, NO_DIFFERENCE, SYSCTL=REUSE)
    assert useless["TIMEWAITD_DESTINATION"] == TARGET
    assert "timestamps" in useless["TIMEWAITD_ADVICE"]
    watching.wait_for("restored", SYSCTL=REUSE)
    churn.end()
    assert noise.end() == 0
    assert len(watching.records("adjusted")) == 1, watching.story()


@pytest.mark.long
def test_a_burst_and_then_silence_prove_nothing(near, pair, daemon):
    """What is set after the burst stays, so that the next load finds it; then it is proved."""
    near.set_sysctl(RANGE, "40000 40999")
    start_sink(pair.far, Pair.FAR, PORT)
    Churn(near, Pair.FAR, PORT, 700, 1).finish()
    watching = daemon(SOON + PORTS)
    effect(watching, NOT_TESTED, SYSCTL=REUSE)
    assert near.sysctl(REUSE) == "1"
    _, total = Churn(near, Pair.FAR, PORT, 100, 12).finish()
    assert (total["ok"], total["failed"]) == (1200, 0), watching.story()
    comes_to(watching, HELPED, SYSCTL=REUSE)
    assert watching.records("restored") == [], watching.story()


@pytest.mark.long
def test_a_second_destination_that_it_helps_already_is_told_as_information(near, pair, daemon):
    near.set_sysctl(RANGE, "40000 40999")
    watching = daemon(SOON + PORTS)
    start_sink(pair.far, Pair.FAR, PORT)
    start_sink(pair.far, Pair.FAR, PORT + 1)
    first = Churn(near, Pair.FAR, PORT, 80, 600)
    effect(watching, HELPED, SYSCTL=REUSE)
    second = Churn(near, Pair.FAR, PORT + 1, 80, 600)
    raised = watching.wait_for("raised", DESTINATION=f"{Pair.FAR}:{PORT + 1}")
    assert int(raised["PRIORITY"]) == 6, watching.story()
    assert "is in force" in raised["TIMEWAITD_REASON"]
    assert (first.end(), second.end()) == (0, 0)
    assert len(watching.records("adjusted")) == 1 and watching.records("restored") == [], watching.story()


@pytest.fixture
def third_party(near):
    """Another server, whose kernel has no timestamps."""
    with contextlib.closing(Namespace()) as other:
        wire("veth1", (near, "10.98.0.1"), (other, "10.98.0.2"))
        other.set_sysctl(TIMESTAMPS, 0)
        yield other


@pytest.mark.long
def test_what_helps_one_of_two_stays(near, pair, daemon, third_party):
    """It makes no difference to one destination, which is told, and helps the other."""
    near.set_sysctl(RANGE, "40000 43999")
    start_sink(third_party, "10.98.0.2", PORT)
    start_sink(pair.far, Pair.FAR, PORT)
    watching = daemon(SOON + PORTS)
    helpless = Churn(near, "10.98.0.2", PORT, 250, 600)
    helped = Churn(near, Pair.FAR, PORT, 250, 600)
    comes_to(watching, HELPED, SYSCTL=REUSE, DESTINATION=TARGET)
    comes_to(watching, NO_DIFFERENCE, SYSCTL=REUSE, DESTINATION=f"10.98.0.2:{PORT}")
    assert near.sysctl(REUSE) == "1"
    # Where the first one is done before the second one is raised, it was put back in between.
    restored = watching.records("restored")
    helpless.end()
    assert helped.end() == 0
    assert watching.records("restored") == restored, watching.story()


# ---- tcp_fin_timeout

FIN = f"""
[rule fin]
metric = fin-wait-2
raise = 20
clear = 1
raise-for = 0s
set = {FIN_TIMEOUT}=5
"""


def test_fin_timeout_is_refused_where_programs_hold_their_sockets(near, pair, daemon, hold):
    before = near.sysctl(FIN_TIMEOUT)
    start_sink(pair.far, Pair.FAR, PORT, "--hold")
    for one in hold(near, (Pair.FAR, PORT), 30):
        one.shutdown(socket.SHUT_WR)
    watching = daemon(SOON + FIN)
    refused = watching.wait_for("refused", SYSCTL=FIN_TIMEOUT)
    assert "belong to programs" in refused["TIMEWAITD_REASON"] and "close()" in refused["TIMEWAITD_ADVICE"]
    assert watching.records("adjusted") == [] and near.sysctl(FIN_TIMEOUT) == before


def test_fin_timeout_is_set_for_orphans(near, pair, daemon):
    start_sink(pair.far, Pair.FAR, PORT, "--hold")
    watching = daemon(SOON + FIN)
    Churn(near, Pair.FAR, PORT, 30, 1).finish()
    assert watching.wait_for("adjusted")["TIMEWAITD_SYSCTL"] == FIN_TIMEOUT
    assert watching.records("refused") == []


@pytest.mark.long
def test_fin_timeout_helped(near, pair, daemon):
    """Orphans come at a steady pace: with half of their time there are half as many."""
    near.set_sysctl(FIN_TIMEOUT, 10)
    start_sink(pair.far, Pair.FAR, PORT, "--hold")
    churn = Churn(near, Pair.FAR, PORT, 20, 600)
    wait_until(lambda: near.run("ss", "-Htan", "state", "fin-wait-2").count("\n") > 150, "orphans come")
    watching = daemon(SOON + FIN)
    assert "FIN-WAIT-2" in effect(watching, HELPED, SYSCTL=FIN_TIMEOUT)["MESSAGE"]
    assert near.sysctl(FIN_TIMEOUT) == "5"
    churn.end()


# ---- ip_autobind_reuse

AUTO = PORTS.replace(f"{REUSE}=1", f"{AUTOBIND}=1")


def test_autobind_is_refused_where_nobody_binds_first(near, pair, daemon, hold):
    near.set_sysctl(RANGE, "40000 40399")
    start_sink(pair.far, Pair.FAR, PORT, "--hold")
    hold(near, (Pair.FAR, PORT), 240)
    watching = daemon(SOON + AUTO)
    refused = watching.wait_for("refused", SYSCTL=AUTOBIND)
    assert "was taken by bind() before connect()" in refused["TIMEWAITD_REASON"]
    assert watching.records("adjusted") == [] and near.sysctl(AUTOBIND) == "0"


def bind_all(near, hold, port, prepare):
    """Until bind() finds no port any more; returns how many it found."""
    for count in range(1000):
        try:
            hold(near, (Pair.FAR, port), 1, prepare)
        except OSError:
            return count
    raise AssertionError("ports without an end")


def autobind(near, pair, daemon, hold, prepare):
    near.set_sysctl(RANGE, "40000 40399")
    for port in (PORT, PORT + 1):
        start_sink(pair.far, Pair.FAR, port, "--hold")
    hold(near, (Pair.FAR, PORT), 240, prepare)
    watching = daemon(SOON + AUTO)
    watching.wait_for("adjusted", SYSCTL=AUTOBIND)
    wait_until(lambda: near.sysctl(AUTOBIND) == "1", watching.story)
    return watching


def test_autobind_helped(near, pair, daemon, hold):
    """With SO_REUSEADDR: once no port is free, one serves two destinations."""
    watching = autobind(near, pair, daemon, hold, shared_first(Pair.NEAR))
    # Of two that get the same port for the same destination, one fails.
    for _ in range(240):
        with contextlib.suppress(OSError):
            hold(near, (Pair.FAR, PORT + 1), 1, shared_first(Pair.NEAR))
    effect(watching, HELPED, SYSCTL=AUTOBIND)
    assert near.sysctl(AUTOBIND) == "1"


def test_autobind_makes_no_difference_without_so_reuseaddr(near, pair, daemon, hold):
    watching = autobind(near, pair, daemon, hold, bound_first(Pair.NEAR))
    assert bind_all(near, hold, PORT + 1, bound_first(Pair.NEAR)) == 160
    useless = effect(watching, NO_DIFFERENCE, SYSCTL=AUTOBIND)
    assert "IP_BIND_ADDRESS_NO_PORT" in useless["TIMEWAITD_ADVICE"]
    watching.wait_for("restored", SYSCTL=AUTOBIND)


# ---- tcp_max_tw_buckets

OVERFLOW = f"""
[rule time-wait-overflow]
metric = time-wait-overflow
raise = 1/s
clear = 0/s
raise-for = 200ms
clear-for = 2s
step = {BUCKETS} x2 limit 65536 every"""


@pytest.mark.long
def test_a_ladder_climbs_although_it_is_judged_before_its_next_step(near, pair, daemon):
    """One step that is not enough is no proof: the whole ladder is judged, and helps."""
    near.set_sysctl(BUCKETS, 1024)
    watching = daemon(QUICK + "proof-after = 1s\n" + OVERFLOW + " 3s\n")
    start_sink(pair.far, Pair.FAR, PORT)
    churn = Churn(near, Pair.FAR, PORT, 700, 600)
    watching.wait_for("adjusted", count=3)
    assert watching.records("restored") == [], watching.story()
    assert not any(NO_DIFFERENCE in record["MESSAGE"] for record in watching.records("effect")), watching.story()
    churn.end()
    helped = effect(watching, HELPED, SYSCTL=BUCKETS)
    assert "without TIME-WAIT" in helped["MESSAGE"]
