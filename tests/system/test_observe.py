# SPDX-License-Identifier: GPL-2.0-or-later
"""Observing, timewaitd says what it would do, and does nothing."""

import time

import pytest

from programs import QUICK, WANTED, adjusting, read_sysctls

OBSERVE = QUICK + "mode = observe\n"


@pytest.mark.parametrize("head, arguments", [(OBSERVE, []), (QUICK, ["--observe"])], ids=["mode", "option"])
def test_advice_and_nothing_else(near, listener, daemon, head, arguments):
    before = read_sysctls(near)
    with listener():
        started = daemon(adjusting(head=head), *arguments)
        started.wait_for("advice", count=len(WANTED))
        time.sleep(0.5)
    assert read_sysctls(near) == before
    assert not (started.state / "ledger").exists()
    advices = {record["TIMEWAITD_SYSCTL"]: record for record in started.records("advice")}
    assert len(started.records("advice")) == len(advices) == len(WANTED)
    for key, record in advices.items():
        assert record["TIMEWAITD_OLD"] == before[key]
        assert record["TIMEWAITD_NEW"] == WANTED[key]
        assert record["TIMEWAITD_ADVICE"] == f"sysctl -w {key}={WANTED[key]}"
        assert record["MESSAGE"].endswith(record["TIMEWAITD_ADVICE"])
    started.wait_for("cleared")
    assert not started.records("adjusted") and not started.records("restored")


def test_the_advice_does_what_it_says(near, listener, daemon):
    with listener():
        started = daemon(adjusting(head=OBSERVE))
        started.wait_for("advice", count=len(WANTED))
        for record in started.records("advice"):
            near.run(*record["TIMEWAITD_ADVICE"].split())
    assert read_sysctls(near) == WANTED


def test_a_reload_to_observe_gives_back(near, listener, daemon):
    before = read_sysctls(near)
    with listener():
        started = daemon(adjusting())
        started.wait_for("adjusted", count=len(WANTED))
        started.reload(adjusting(head=OBSERVE))
        started.wait_for("restored", count=len(WANTED))
        assert read_sysctls(near) == before
        started.wait_for("advice", count=len(WANTED))
        started.reload(adjusting())
        started.wait_for("adjusted", count=2 * len(WANTED))
