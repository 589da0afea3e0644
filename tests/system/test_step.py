# SPDX-License-Identifier: GPL-2.0-or-later
"""A step at a time towards the limit, and back to the baseline in one."""

import time

import pytest

from namespaces import Pair, wait_until
from programs import QUICK, Churn, adjusting, start_sink

BUCKETS = "net.ipv4.tcp_max_tw_buckets"
LARGEST = 16777216  # that a rule may set


@pytest.mark.long
def test_buckets_are_raised_until_nothing_overflows(near, pair, daemon):
    near.set_sysctl(BUCKETS, 1024)
    watching = daemon(
        QUICK
        + f"""
[rule time-wait-overflow]
metric = time-wait-overflow
raise = 1/s
clear = 0/s
raise-for = 200ms
clear-for = 2s
step = {BUCKETS} x2 limit 65536 every 1s
"""
    )
    start_sink(pair.far, Pair.FAR, 8080)
    _, total = Churn(near, Pair.FAR, 8080, 1000, 7).finish()
    assert total["failed"] == 0
    changes = [(record["TIMEWAITD_OLD"], record["TIMEWAITD_NEW"]) for record in watching.records("adjusted")]
    assert changes[:2] == [("1024", "2048"), ("2048", "4096")], watching.story()
    # Each connect leaves a socket in TIME-WAIT: 7000 have room in 8192, and no step goes further than it takes.
    enough = 1024
    while enough < total["ok"]:
        enough *= 2
    assert changes[-1][1] == str(enough), watching.story()
    assert {record["TIMEWAITD_BASELINE"] for record in watching.records("adjusted")} == {"1024"}
    # Put back while so many are there it would overflow at once.
    time.sleep(4)
    assert not watching.records("cleared"), watching.story()
    restored = watching.wait_for("restored", seconds=180, SYSCTL=BUCKETS)
    assert (restored["TIMEWAITD_OLD"], restored["TIMEWAITD_NEW"]) == (str(enough), "1024")
    wait_until(lambda: near.sysctl(BUCKETS) == "1024", watching.story)


def test_what_overflows_now_and_then_is_told(near, pair, daemon):
    """Four a second: between two of them there are looks at which none did, so that it is never over for long."""
    near.set_sysctl(BUCKETS, 1024)
    start_sink(pair.far, Pair.FAR, 8080)
    Churn(near, Pair.FAR, 8080, 1200, 1).finish()
    watching = daemon(
        QUICK + "[rule time-wait-overflow]\nmetric = time-wait-overflow\nraise = 1/s\nclear = 0/s\nraise-for = 2s\n"
    )
    under_way = Churn(near, Pair.FAR, 8080, 4, 50)
    watching.wait_for("raised", seconds=40)
    assert under_way.end() == 0


def step_rule(action):
    """A rule that is raised while something listens, and does this whether that helps or not."""
    return adjusting({}) + action + "\n"


def test_a_reload_goes_on_from_what_is_in_force(near, listener, daemon):
    """With another limit, and where a `set` becomes a step."""
    near.set_sysctl(BUCKETS, 1024)
    with listener():
        started = daemon(step_rule(f"set = {BUCKETS}=2000"))
        started.wait_for("adjusted")
        started.reload(step_rule(f"step = {BUCKETS} x2 limit 4000 every 1s"))
        assert "ends at 4000" in started.wait_for("refused")["MESSAGE"]
        started.reload(step_rule(f"step = {BUCKETS} x2 limit 16000 every 1s"))
        started.wait_for("adjusted", count=4)
    changes = [(record["TIMEWAITD_OLD"], record["TIMEWAITD_NEW"]) for record in started.records("adjusted")]
    assert changes == [("1024", "2000"), ("2000", "4000"), ("4000", "8000"), ("8000", "16000")], started.story()
    assert started.wait_for("restored")["TIMEWAITD_NEW"] == "1024"


def test_a_value_below_the_bounds_is_raised_onto_them(near, listener, daemon):
    near.set_sysctl(BUCKETS, 500)
    with listener():
        started = daemon(step_rule(f"step = {BUCKETS} x2 limit 65536 every 1s"))
        adjusted = started.wait_for("adjusted")
        assert (adjusted["TIMEWAITD_OLD"], adjusted["TIMEWAITD_NEW"]) == ("500", "1024")
    started.wait_for("restored")
    assert near.sysctl(BUCKETS) == "500"


def test_memory_bounds_a_step_where_tcp_mem_is_not_shown(near, listener, daemon):
    """A quarter of what the host gives TCP, which is a sixteenth of its memory at least, at 256 bytes each."""
    assert near.try_run("cat", "/proc/sys/net/ipv4/tcp_mem").returncode != 0
    with open("/proc/meminfo") as file:
        bound = int(file.readline().split()[1]) * 1024 // 16 // 4 // 256
    before = min(bound, LARGEST) * 4 // 10
    near.set_sysctl(BUCKETS, before)
    with listener():
        started = daemon(step_rule(f"step = {BUCKETS} x2 limit {LARGEST} every 1s"))
        assert started.wait_for("adjusted")["TIMEWAITD_NEW"] == str(2 * before)
        if bound < LARGEST:
            said = started.wait_for("refused")["MESSAGE"]
            assert "timewaitd leaves them of TCP's memory" in said and f"stays at {2 * before}." in said
            assert near.sysctl(BUCKETS) == str(2 * before)
        else:
            assert started.wait_for("adjusted", count=2)["TIMEWAITD_NEW"] == str(LARGEST)
        started.stop()
