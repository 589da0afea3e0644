# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets are ended by age: those that an order means, at its pace, and no other."""

import os
import re
import time

import pytest

from namespaces import Pair, wait_until
from programs import QUICK, Churn, once, start_sink

PORT = 8080
# A dump, a tick and a search may come between what is so and what is seen.
SLACK = 0.5


def order(destroy, metric, allow="time-wait close-wait", head=QUICK):
    return f"""\
{head}
[destroy]
allow = {allow}

[rule over]
metric = {metric}
raise = 1
clear = 0
raise-for = 0s
clear-for = 10s
severity = notice
destroy = {destroy}
"""


def cookies(namespace, state, *filters):
    """The sockets in this state by cookie."""
    return set(re.findall(r"\bsk:(\w+)", namespace.run("ss", "-Htne", "state", state, *filters)))


def load(near, port, rate, seconds):
    """Connections of the near side, of which none is left but in TIME-WAIT. Returns those."""
    assert Churn(near, Pair.FAR, port, rate, seconds).finish()[1]["failed"] == 0
    wait_until(lambda: cookies(near, "connected") == cookies(near, "time-wait"), "all are closed")
    return cookies(near, "time-wait", "dport", "=", f":{port}")


class Lives:
    """When sockets were seen first and last, dump by dump: bounds of the age at which each was ended."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._before = time.monotonic()
        self._born_after, self._seen, self._missing = {}, {}, {}
        self.lag = 0  # between two looks, at most: what the machine is late by

    def look(self):
        """One dump. Returns the least age that the oldest socket can have."""
        began = time.monotonic()
        there = cookies(self._namespace, "time-wait")
        now = time.monotonic()
        self.lag = max(self.lag, now - self._before)
        for cookie in there:
            self._born_after.setdefault(cookie, self._before)
            self._seen.setdefault(cookie, now)
            # A dump may pass one over while its neighbours come and go, and the next one again.
            self._missing.pop(cookie, None)
        for cookie in self._seen.keys() - there:
            self._missing.setdefault(cookie, now)
        self._before, self._last = began, now
        return max((began - self._seen[cookie] for cookie in there), default=0)

    def ended(self):
        """The greatest age that each can have had which is gone; the last look alone is no proof of that."""
        return [now - self._born_after[cookie] for cookie, now in self._missing.items() if now < self._last]


@pytest.fixture
def needs_destroy(near, daemon):
    """Linux before 6.0 cannot end TIME-WAIT."""
    release = tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
    if release < (6, 0):
        pytest.skip("this kernel cannot end TIME-WAIT")


@pytest.mark.long
def test_time_wait_lives_as_long_as_the_order_says(near, pair, daemon, needs_destroy):
    watching = daemon(order("time-wait older-than 5s max 500/s", "time-wait", "time-wait"))
    start_sink(pair.far, Pair.FAR, PORT)
    lives = Lives(near)
    churn = Churn(near, Pair.FAR, PORT, 200, 12)
    while churn.process.poll() is None:
        assert lives.look() <= 7 + 4 * lives.lag, watching.story()
        time.sleep(0.1)
    assert churn.finish()[1]["failed"] == 0
    for _ in range(5):
        time.sleep(0.1)
        lives.look()
    ended = lives.ended()
    assert len(ended) > 1000
    assert min(ended) >= 5
    # Nothing but the end of the rule leaves any of them; by themselves they would last for a minute.
    wait_until(lambda: not cookies(near, "time-wait"), watching.story, 40)
    told = sum(int(record["TIMEWAITD_COUNT"]) for record in watching.records("destroyed"))
    assert told >= len(ended)
    first = watching.records("destroyed", RULE="over")[0]
    assert "TIME-WAIT older than 5s" in first["TIMEWAITD_REASON"]


@pytest.mark.long
def test_the_pace_is_held(near, pair, daemon, needs_destroy):
    start_sink(pair.far, Pair.FAR, PORT)
    before = load(near, PORT, 1500, 2)
    time.sleep(1)
    began = time.monotonic()
    watching = daemon(order("time-wait older-than 1s max 200/s", "time-wait"))
    watched, lag = time.monotonic(), 0
    while True:
        asked = time.monotonic()
        left = cookies(near, "time-wait")
        elapsed = time.monotonic() - began
        lag = max(lag, time.monotonic() - asked)
        ended = len(before - left)
        assert ended <= 200 * elapsed
        if elapsed >= 5:
            break
        time.sleep(0.2)
    assert ended >= 200 * (asked - watched - 1 - SLACK - 4 * lag), watching.story()
    assert left <= before


def test_only_the_destination_that_is_meant(near, pair, daemon, needs_destroy):
    start_sink(pair.far, Pair.FAR, PORT)
    start_sink(pair.far, Pair.FAR, PORT + 1)
    load(near, PORT, 100, 1)
    other = load(near, PORT + 1, 100, 1)
    assert len(other) > 50
    watching = daemon(order(f"time-wait older-than 1s destination {Pair.FAR}:{PORT} max 500/s", "time-wait"))
    wait_until(lambda: not cookies(near, "time-wait", "dport", "=", f":{PORT}"), watching.story, 40)
    time.sleep(1)
    assert cookies(near, "time-wait") == other


def test_observing_only_counts(near, pair, daemon):
    start_sink(pair.far, Pair.FAR, PORT)
    there = load(near, PORT, 100, 1)
    watching = daemon(order("time-wait older-than 1s max 500/s", "time-wait"), "--observe")
    advice = watching.wait_for("advice")
    assert 0 < int(advice["TIMEWAITD_COUNT"]) <= len(there)
    time.sleep(1)
    assert len(watching.records("advice")) == 1
    assert watching.records("destroyed") == []
    assert cookies(near, "time-wait") == there


@pytest.mark.long
def test_a_leak_keeps_its_descriptors(near, pair, daemon):
    sink = start_sink(near, Pair.NEAR, PORT, "--hold")
    began, leaked = time.monotonic(), 50
    total = Churn(pair.far, Pair.NEAR, PORT, leaked, 1).finish()[1]
    wait_until(lambda: once(near)["states"]["close-wait"] == leaked, lambda: f"{total} {once(near)['states']}")
    descriptors = len(os.listdir(f"/proc/{sink.pid}/fd"))
    watching = daemon(order("close-wait older-than 10s max 500/s", "close-wait", "close-wait"))
    while True:
        there = len(cookies(near, "close-wait"))
        if time.monotonic() - began > 10:
            break
        assert there == leaked, watching.story()
        time.sleep(0.2)
    record = watching.wait_for("destroyed")
    wait_until(lambda: not cookies(near, "close-wait"), watching.story)
    assert len(os.listdir(f"/proc/{sink.pid}/fd")) == descriptors > leaked
    assert "CLOSE-WAIT older than 10s" in record["TIMEWAITD_REASON"]
    assert "descriptor stays leaked" in record["TIMEWAITD_ADVICE"]
    told = sum(int(one["TIMEWAITD_COUNT"]) for one in watching.records("destroyed"))
    assert told == leaked
