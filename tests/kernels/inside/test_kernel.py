# SPDX-License-Identifier: GPL-2.0-or-later
"""What this kernel cannot tell or do is said once and in words, and is nowhere a zero; what it can is done."""

import os
import socket
import time

import pytest

from namespaces import Pair, wait_until
from programs import ENVIRONMENT, PORTS, QUICK, TIMEWAITD, Churn, adjusting, once, start_sink

RELEASE = tuple(int(part) for part in os.uname().release.split("-")[0].split("+")[0].split(".")[:2])
TELLS_BOUND = RELEASE >= (6, 8)
ENDS_TIME_WAIT = RELEASE >= (6, 0)
REUSE_DELAY = "net.ipv4.tcp_tw_reuse_delay"


def rule(metric, action="", unit=""):
    return f"""
[rule over]
metric = {metric}
raise = 1{unit}
clear = 0{unit}
raise-for = 0s
clear-for = 0s
severity = notice
{action}
"""


@pytest.fixture
def bound(near):
    with near.entered():
        sockets = [socket.socket() for _ in range(3)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    yield sockets
    for one in sockets:
        one.close()


def test_the_reuse_delay_is_not_there(near, listener, daemon):
    """Linux 6.18 has it, these do not."""
    assert not os.path.exists("/proc/sys/" + REUSE_DELAY.replace(".", "/"))
    assert once(near)["limits"]["tcp_tw_reuse_delay"] is None
    with listener():
        started = daemon(adjusting({REUSE_DELAY: "500"}))
        refused = started.wait_for("refused")
        started.wait_for("raised")
        time.sleep(1)
        started.stop()
    assert refused["TIMEWAITD_SYSCTL"] == REUSE_DELAY
    assert "Linux 6.12 and older have none" in refused["MESSAGE"]
    assert len(started.records("refused")) == 1 and not started.records("adjusted")


def test_bound_sockets(near, bound, daemon):
    page = once(near)
    if TELLS_BOUND:
        assert page["states"]["bound"] == len(bound)
    else:
        assert page["states"]["bound"] is None
        assert page["bound"] is None or page["bound"] == []
    started = daemon(QUICK + rule("bound"))
    if TELLS_BOUND:
        assert started.wait_for("raised")["TIMEWAITD_VALUE"] == str(len(bound))
        assert not started.records("partial")
        return
    told = started.wait_for("partial")
    assert "bound has no value" in told["MESSAGE"] and "since Linux 6.8" in told["MESSAGE"]
    assert "TIMEWAITD_VALUE" not in told
    time.sleep(1)
    assert len(started.records("partial")) == 1 and not started.records("raised")


def test_the_page_for_people_has_no_false_zero(near, bound):
    done = near.try_run(TIMEWAITD, "--once", env=ENVIRONMENT)
    assert done.returncode == 0
    (line,) = (line for line in done.stdout.splitlines() if line.split()[:1] == ["BOUND"])
    assert line.split()[1] == (str(len(bound)) if TELLS_BOUND else "unknown"), line


def test_what_the_first_namespace_alone_is_told(near, daemon):
    started = daemon(QUICK + rule("orphans", unit="%"))
    told = started.wait_for("partial")
    assert "first network namespace" in told["MESSAGE"]
    time.sleep(1)
    assert len(started.records("partial")) == 1


def test_time_wait_is_ended_or_it_is_said_why_not(near, pair, daemon):
    start_sink(pair.far, Pair.FAR, 8080)
    Churn(near, Pair.FAR, 8080, 100, 1).finish()
    wait_until(lambda: once(near)["states"]["fin-wait-2"] == 0, "all are closed")
    there = once(near)["states"]["time-wait"]
    assert there > 50
    order = "destroy = time-wait older-than 1s max 500/s"
    started = daemon(QUICK + "[destroy]\nallow = time-wait\n" + rule("time-wait", order))
    if ENDS_TIME_WAIT:
        started.wait_for("destroyed")
        wait_until(lambda: once(near)["states"]["time-wait"] == 0, started.story)
        assert sum(int(record["TIMEWAITD_COUNT"]) for record in started.records("destroyed")) == there
        assert not started.records("refused")
        return
    refused = started.wait_for("refused")
    assert "this kernel cannot; Linux 6.0 and later can" in refused["MESSAGE"]
    time.sleep(2)
    assert len(started.records("refused")) == 1 and not started.records("destroyed")
    assert once(near)["states"]["time-wait"] == there


def test_exhaustion_is_healed(near, pair, daemon):
    """1000 ports, and twice as many connections to one destination: of these the second half would fail."""
    near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40999")
    start_sink(pair.far, Pair.FAR, 8080)
    before = near.sysctl("net.ipv4.tcp_tw_reuse")
    started = daemon(QUICK + PORTS)
    _, total = Churn(near, Pair.FAR, 8080, 200, 10).finish()
    assert total["failed"] == 0, total
    adjusted = started.wait_for("adjusted")
    assert adjusted["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:8080"
    assert near.sysctl("net.ipv4.tcp_tw_reuse") == "1"
    started.stop()
    assert near.sysctl("net.ipv4.tcp_tw_reuse") == before


def test_a_step_is_made_and_taken_back(near, pair, daemon):
    key = "net.ipv4.tcp_max_tw_buckets"
    near.set_sysctl(key, 1024)
    action = f"raise-for = 200ms\nstep = {key} x2 limit 4096 every 1s"
    started = daemon(QUICK + rule("time-wait-overflow", unit="/s").replace("raise-for = 0s", action))
    start_sink(pair.far, Pair.FAR, 8080)
    assert Churn(near, Pair.FAR, 8080, 400, 5).finish()[1]["failed"] == 0
    adjusted = started.wait_for("adjusted")
    assert [adjusted[f"TIMEWAITD_{name}"] for name in ("OLD", "NEW", "BASELINE")] == ["1024", "2048", "1024"]
    started.stop()
    assert near.sysctl(key) == "1024"
