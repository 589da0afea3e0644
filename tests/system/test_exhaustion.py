# SPDX-License-Identifier: GPL-2.0-or-later
"""What timewaitd is for: a client that would run out of ports towards one destination does not."""

import time

import pytest

from namespaces import Pair, wait_until
from programs import SHIPPED_CONF, Churn, once, start_sink

REUSE = "net.ipv4.tcp_tw_reuse"
LOW, HIGH = 32768, 40959
RATE = 3000
PORT = 8080
CLEAR_FOR = 60  # of the shipped rule

pytestmark = pytest.mark.long


@pytest.fixture
def narrow(near):
    near.set_sysctl("net.ipv4.ip_local_port_range", f"{LOW} {HIGH}")
    return near


def test_without_the_daemon_connects_fail(near, pair):
    """Half as many again as there are ports, long before the first TIME-WAIT is over."""
    near.set_sysctl("net.ipv4.ip_local_port_range", f"{LOW} {LOW + 1999}")
    start_sink(pair.far, Pair.FAR, PORT)
    _, total = Churn(near, Pair.FAR, PORT, RATE, 1).finish()
    # Where the server is too busy some are reset and leave no TIME-WAIT, and their ports serve twice.
    assert total["ok"] >= 2000
    assert total["failed"] > 0 and total["errors"] == {"EADDRNOTAVAIL": RATE - total["ok"]}
    wait_until(lambda: once(near)["states"]["time-wait"] == 2000, lambda: once(near)["states"])


def test_with_the_daemon_they_do_not(narrow, pair, daemon):
    before = narrow.sysctl(REUSE)
    assert before != "1"
    watching = daemon(SHIPPED_CONF.read_text())
    descriptors = watching.descriptors()
    start_sink(pair.far, Pair.FAR, PORT)

    churn = Churn(narrow, Pair.FAR, PORT, RATE, 20)
    live = [(second, narrow.sysctl(REUSE)) for second in churn]
    total, last = live.pop()
    assert total["failed"] == 0, live
    assert total["ok"] > 3 * (HIGH - LOW + 1)
    # Whenever it was set, it stays.
    values = [value for _, value in live] + [last]
    assert "1" in values and set(values[values.index("1") :]) == {"1"}, values

    ended = time.monotonic()
    wait_until(lambda: narrow.sysctl(REUSE) == before, watching.story, 4 * CLEAR_FOR)
    assert time.monotonic() - ended > CLEAR_FOR, "given back before the hold was over: " + watching.story()

    for event in ("raised", "adjusted", "cleared", "restored"):
        watching.wait_for(event)
        (record,) = watching.records(event)
        assert record["TIMEWAITD_RULE"] == "port-exhaustion"
        assert record["TIMEWAITD_SOURCE"] == Pair.NEAR
        assert record["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:{PORT}"
    (adjusted,), (restored,) = watching.records("adjusted"), watching.records("restored")
    assert [adjusted[f"TIMEWAITD_{name}"] for name in ("SYSCTL", "OLD", "NEW", "BASELINE")] == [REUSE, before, "1", before]
    assert [restored[f"TIMEWAITD_{name}"] for name in ("SYSCTL", "OLD", "NEW", "BASELINE")] == [REUSE, "1", before, before]
    # The socket by which it asks the kernel about ports is kept.
    wait_until(lambda: watching.descriptors() <= descriptors + 1, "its descriptors are closed")


def test_a_range_that_is_narrowed_meanwhile(near, pair, daemon):
    """Before the next survey: it is not held against the ports that the first one knew of."""
    watching = daemon(SHIPPED_CONF.read_text())
    near.set_sysctl("net.ipv4.ip_local_port_range", f"{LOW} {LOW + 4999}")
    start_sink(pair.far, Pair.FAR, PORT)
    _, total = Churn(near, Pair.FAR, PORT, 250, 30).finish()
    assert total["failed"] == 0, watching.story()
    assert total["ok"] > 5000
    assert watching.records("adjusted"), watching.story()


def test_it_acts_before_six_ports_of_ten_are_used(near, pair, daemon):
    """5000 connections a second on the default range, which would last for six seconds, for half a minute."""
    assert near.sysctl("net.ipv4.ip_local_port_range") == "32768 60999"
    watching = daemon(SHIPPED_CONF.read_text())
    start_sink(pair.far, Pair.FAR, PORT)
    began = time.monotonic()
    churn = Churn(near, Pair.FAR, PORT, 5000, 30)
    adjusted = watching.wait_for("adjusted")
    print(f"acted after {time.monotonic() - began:.2f} s at {adjusted['TIMEWAITD_VALUE']} %: {watching.story()}")
    assert float(adjusted["TIMEWAITD_VALUE"]) < 60, watching.story()
    _, total = churn.finish()
    assert total["failed"] == 0, total
    assert total["ok"] > 4 * 28232, total
