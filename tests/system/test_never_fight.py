# SPDX-License-Identifier: GPL-2.0-or-later
"""A sysctl that somebody else has changed is theirs."""

import time

import pytest

from programs import WANTED, adjusting

KEY = "net.ipv4.tcp_fin_timeout"
BASELINE, OURS, THEIRS = "60", WANTED[KEY], "45"


@pytest.fixture
def raised(listener, daemon):
    """A daemon that has set it, and the rule's end."""
    with listener() as reason:
        started = daemon(adjusting({KEY: OURS}))
        started.wait_for("adjusted")
        yield started, reason.close


def test_the_admin_has_the_last_word(near, raised):
    daemon, clear = raised
    near.run("sysctl", "-qw", f"{KEY}={THEIRS}")
    yielded = daemon.wait_for("yielded")
    assert yielded["TIMEWAITD_SYSCTL"] == KEY
    assert yielded["TIMEWAITD_RULE"] == "servers"
    values = [yielded[f"TIMEWAITD_{name}"] for name in ("OLD", "NEW", "BASELINE")]
    assert values == [THEIRS, OURS, BASELINE]
    assert all(value in yielded["MESSAGE"] for value in values)

    time.sleep(0.5)  # five ticks with the rule still raised
    assert near.sysctl(KEY) == THEIRS
    clear()
    daemon.wait_for("cleared")
    time.sleep(0.3)
    assert near.sysctl(KEY) == THEIRS
    daemon.stop()
    assert near.sysctl(KEY) == THEIRS
    assert [len(daemon.records(event)) for event in ("adjusted", "yielded", "restored")] == [1, 1, 0]


def test_a_value_put_back_by_the_admin_is_theirs_too(near, raised):
    daemon, _ = raised
    near.set_sysctl(KEY, BASELINE)
    daemon.wait_for("yielded")
    time.sleep(0.5)
    assert near.sysctl(KEY) == BASELINE
    daemon.stop()
    assert len(daemon.records("adjusted")) == 1


def test_after_the_rule_has_cleared_it_may_be_set_again(near, raised, listener):
    daemon, clear = raised
    near.set_sysctl(KEY, THEIRS)
    daemon.wait_for("yielded")
    clear()
    daemon.wait_for("cleared")
    with listener():
        adjusted = daemon.wait_for("adjusted", count=2)
        assert adjusted["TIMEWAITD_BASELINE"] == THEIRS
        daemon.stop()
    assert near.sysctl(KEY) == THEIRS


def test_a_change_just_before_the_stop_stays(near, raised):
    daemon, _ = raised
    near.set_sysctl(KEY, THEIRS)
    daemon.stop()
    assert near.sysctl(KEY) == THEIRS
    assert len(daemon.records("yielded")) == 1


def test_a_sysctl_that_is_as_wanted_already_is_not_taken_over(near, listener, daemon):
    near.set_sysctl(KEY, OURS)
    with listener():
        started = daemon(adjusting({KEY: OURS}))
        started.wait_for("raised")
        time.sleep(0.5)
        started.stop()
    assert near.sysctl(KEY) == OURS
    assert not started.records("adjusted") and not started.records("restored")
