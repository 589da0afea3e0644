# SPDX-License-Identifier: GPL-2.0-or-later
"""A step at a time towards the limit, and back to the baseline in one."""

import time

import pytest

from namespaces import Pair, wait_until
from programs import QUICK, Churn, start_sink

BUCKETS = "net.ipv4.tcp_max_tw_buckets"


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
