# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever ends the daemon, and whenever: every sysctl goes back to what it was."""

import random
import signal
import socket
import time

import pytest

from namespaces import PATIENCE, wait_until
from programs import QUICK, WANTED, Daemon, adjusting, read_sysctls

BASELINE_FIN_TIMEOUT = "77"  # not the kernel's default, which a wrong way back might come by


@pytest.fixture
def baseline(near):
    near.set_sysctl("net.ipv4.tcp_fin_timeout", BASELINE_FIN_TIMEOUT)
    values = read_sysctls(near)
    assert not values.items() & WANTED.items()
    return values


@pytest.fixture
def raised(near, listener, baseline, daemon):
    """A daemon that has set them all; what it watches goes on."""
    with listener():
        started = daemon(adjusting())
        started.wait_for("adjusted", count=len(WANTED))
        assert read_sysctls(near) == WANTED
        yield started


def assert_nothing_is_owed(near, daemon, baseline):
    assert read_sysctls(near) == baseline
    assert not (daemon.state / "ledger").exists()


def test_a_stop_gives_back(near, raised, baseline):
    raised.stop()
    assert_nothing_is_owed(near, raised, baseline)
    assert {record["TIMEWAITD_SYSCTL"] for record in raised.records("restored")} == set(WANTED)
    assert raised.records()[-1]["TIMEWAITD_EVENT"] == "stopped"


def test_an_interrupt_gives_back(near, raised, baseline):
    raised.process.send_signal(signal.SIGINT)
    assert raised.process.wait(PATIENCE) == 0
    assert_nothing_is_owed(near, raised, baseline)


def test_a_cleared_rule_gives_back(near, listener, baseline, daemon):
    with listener():
        started = daemon(adjusting())
        started.wait_for("adjusted", count=len(WANTED))
    started.wait_for("restored", count=len(WANTED))
    assert_nothing_is_owed(near, started, baseline)


def test_a_reload_without_the_rule_gives_back(near, raised, baseline):
    raised.reload(QUICK)
    raised.wait_for("restored", count=len(WANTED))
    assert_nothing_is_owed(near, raised, baseline)


def test_restore_after_a_kill(near, raised, baseline):
    raised.kill()
    assert read_sysctls(near) == WANTED
    assert {record["TIMEWAITD_SYSCTL"] for record in raised.restore()} == set(WANTED)
    assert_nothing_is_owed(near, raised, baseline)


def test_restore_twice_changes_nothing_more(near, raised, baseline):
    raised.kill()
    raised.restore()
    near.set_sysctl("net.ipv4.tcp_fin_timeout", "30")  # an admin's own wish for what had been ours
    assert raised.restore() == []
    assert read_sysctls(near) == {**baseline, "net.ipv4.tcp_fin_timeout": "30"}


def test_restore_with_nothing_to_restore(near, baseline, daemon):
    started = daemon(QUICK)
    started.kill()
    assert started.restore() == []
    assert_nothing_is_owed(near, started, baseline)


def test_the_next_start_gives_back(near, raised, baseline):
    raised.kill()
    raised.config.write_text(QUICK)
    raised.start()
    assert_nothing_is_owed(near, raised, baseline)
    assert len(raised.records("restored")) == len(WANTED)


def test_the_next_start_goes_on_with_the_true_baseline(near, raised, baseline):
    """The rule is still raised: the values come again, and what is owed is not what the killed daemon had set."""
    raised.kill()
    raised.start()
    raised.wait_for("adjusted", count=2 * len(WANTED))
    assert read_sysctls(near) == WANTED
    raised.stop()
    assert_nothing_is_owed(near, raised, baseline)


def test_restore_leaves_alone_what_an_admin_changed_since(near, raised, baseline):
    raised.kill()
    near.set_sysctl("net.ipv4.tcp_fin_timeout", "45")
    events = {record["TIMEWAITD_SYSCTL"]: record["TIMEWAITD_EVENT"] for record in raised.restore()}
    assert events == {**dict.fromkeys(WANTED, "restored"), "net.ipv4.tcp_fin_timeout": "yielded"}
    assert read_sysctls(near) == {**baseline, "net.ipv4.tcp_fin_timeout": "45"}


@pytest.mark.parametrize("adjusted", range(1, len(WANTED) + 1))
def test_a_kill_between_two_changes(near, listener, baseline, daemon, adjusted):
    with listener():
        started = daemon(adjusting())
        started.wait_for("adjusted", count=adjusted)
        started.kill()
    started.restore()
    assert_nothing_is_owed(near, started, baseline)


@pytest.mark.long
def test_a_kill_at_any_moment(near, listener, baseline, tmp_path):
    """
    Now before the first change, now after: each time sooner where there was one, else later; what the killed daemon left
    goes back by --restore, or, every other time, by the next start.
    """
    kills, changed = 30, 0
    with listener():
        began = time.monotonic()
        started = Daemon(near, tmp_path / "killed", adjusting())
        started.wait_for("adjusted", count=len(WANTED))
        moment = time.monotonic() - began
    started.stop()
    for i in range(kills):
        with listener():
            started.start(wait=False)
            time.sleep(moment)
            started.kill()
        is_changed = read_sysctls(near) != baseline
        changed += is_changed
        moment *= 0.85 if is_changed else 1.2
        if i % 2:
            started.restore()
            assert_nothing_is_owed(near, started, baseline)
    assert kills / 5 < changed < kills, f"{changed} of {kills} kills came after a change: not the moments that were meant"


RANGE = "net.ipv4.ip_local_port_range"


@pytest.mark.parametrize("by_restore", (True, False))
def test_what_an_older_one_owes_of_the_port_range_goes_back(near, listener, daemon, by_restore):
    """It widened the range, which is not changed any more."""
    before = near.all_sysctls()
    with listener():
        started = daemon(adjusting({"net.ipv4.tcp_tw_reuse": "1"}))
        started.wait_for("adjusted")
        started.kill()
    ledger = started.state / "ledger"
    text = ledger.read_text()
    assert text.endswith("end 1\n")
    ledger.write_text(
        text.removesuffix("end 1\n")
        + f"entry {RANGE} ours baseline 32768 60999 previous 1024 65535 written 1024 65535 rule wide\nend 2\n"
    )
    near.set_sysctl(RANGE, "1024 65535")
    if by_restore:
        records = started.restore()
    else:
        started.forget()
        started.config.write_text(QUICK)
        started.start()
        records = started.records("restored")
    assert [record["TIMEWAITD_SYSCTL"] for record in records] == ["net.ipv4.tcp_tw_reuse", RANGE]
    assert near.all_sysctls() == before
    assert not ledger.exists()


# Rules and their sysctls, two of which are wanted by two rules.
ORDERS = {
    "one": {"net.ipv4.tcp_tw_reuse": "1", "net.ipv4.tcp_fin_timeout": "30"},
    "two": {"net.ipv4.tcp_fin_timeout": "20", "net.ipv4.ip_autobind_reuse": "1"},
    "three": {"net.core.somaxconn": "8192", "net.ipv4.tcp_max_syn_backlog": "8192", "net.ipv4.tcp_syncookies": "2"},
    "four": {"net.ipv4.tcp_keepalive_time": "600", "net.ipv4.tcp_tw_reuse": "0"},
}


def stacked():
    """The first rule is raised by one listener, the second by two, and so on."""
    config = QUICK
    for number, (name, sysctls) in enumerate(ORDERS.items(), 1):
        rule = adjusting(sysctls, head="", name=name)
        config += rule.replace("raise = 1\nclear = 0", f"raise = {number}\nclear = {number - 1}")
    return config


@pytest.mark.parametrize("seed", range(6))
def test_any_order_leaves_every_sysctl_as_it_was(near, tmp_path, seed):
    """Raised, cleared, stopped, killed and restored at random: all of net/ipv4 and net/core is as before."""
    chance = random.Random(seed)
    near.set_sysctl("net.ipv4.tcp_fin_timeout", BASELINE_FIN_TIMEOUT)
    before = near.all_sysctls()
    daemon = Daemon(near, tmp_path / "stacked", stacked())
    listening, changed = [], 0
    for _ in range(12):
        while listening and chance.random() < 0.4:
            listening.pop(chance.randrange(len(listening))).close()
        with near.entered():
            while len(listening) < len(ORDERS) and chance.random() < 0.6:
                port = min({2221, 2222, 2223, 2224} - {one.getsockname()[1] for one in listening})
                listening.append(socket.create_server(("127.0.0.1", port)))
        pause = chance.choice((0.0, 0.1, None))
        if pause is not None:
            time.sleep(pause)
        elif listening:
            wait_until(lambda: near.all_sysctls() != before, daemon.story)
        changed += near.all_sysctls() != before
        what = chance.choice(("go on", "stop", "kill and restore", "kill and start"))
        if what == "stop":
            daemon.stop()
        elif what != "go on":
            daemon.kill()
            if what == "kill and restore":
                daemon.restore()
        if what in ("stop", "kill and restore"):
            assert near.all_sysctls() == before, f"after {what}: {daemon.story()}"
            assert not (daemon.state / "ledger").exists()
        if what != "go on":
            daemon.start()
    daemon.stop()
    for one in listening:
        one.close()
    assert near.all_sysctls() == before, daemon.story()
    assert changed > 0
