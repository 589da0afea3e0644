# SPDX-License-Identifier: GPL-2.0-or-later
"""
Without its modules the kernel lists no socket, and says so in two ways: with inet_diag alone a dump ends well, but for
an error in its last message; with neither there is no dump. Both are told in words, and nothing is taken for an empty
machine. The tests build on each other: at the end both modules are there.
"""

import subprocess

import pytest

import modules
from programs import BUILD, ENVIRONMENT, QUICK, TIMEWAITD, Daemon, once

WORDS = "the kernel lists no TCP socket: its module tcp_diag"


@pytest.fixture(scope="module", autouse=True)
def all_are_there_at_the_end():
    yield
    for name in ("inet_diag", "tcp_diag"):
        if not modules.loaded(name):
            modules.load(name)


def assert_nothing_starts(near, directory):
    daemon = Daemon(near, directory, QUICK, wait=False)
    assert daemon.process.wait(30) == 1
    assert f"cannot take a first sample: {WORDS}" in daemon.errors()
    assert not daemon.records("sample") and not daemon.records("raised")
    assert "gave up" in daemon.records("stopped")[0]["MESSAGE"]
    for program in ([TIMEWAITD, "--once", "--json"], [str(BUILD / "timewaitctl"), "explain"]):
        done = near.try_run(*program, env=ENVIRONMENT)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"cannot take a sample: {WORDS}" in done.stderr


def test_neither_is_there(near, tmp_path):
    assert not modules.loaded("tcp_diag") and not modules.loaded("inet_diag")
    assert_nothing_starts(near, tmp_path / "neither")


def test_inet_diag_alone(near, tmp_path):
    modules.load("inet_diag")
    assert_nothing_starts(near, tmp_path / "alone")


def test_it_goes_missing_and_comes_back(near, listener, daemon):
    modules.load("tcp_diag")
    rule = "\n[rule seen]\nmetric = listen\nraise = 1\nclear = 0\nraise-for = 0s\nclear-for = 0s\n"
    started = daemon(QUICK.replace("sample-record = 0", "sample-record = 1s") + rule)
    started.wait_for("sample")
    modules.unload("tcp_diag")
    told = started.wait_for("degraded")
    assert WORDS in told["MESSAGE"] and "nothing is decided" in told["MESSAGE"]
    with listener():
        # As many looks as would raise it, if nothing were taken for a count.
        assert subprocess.run(["sleep", "1"]).returncode == 0
        assert not started.records("raised")
        assert len(started.records("degraded")) == 1
        modules.load("tcp_diag")
        started.wait_for("raised")
    started.wait_for("cleared")
    started.stop()
    assert once(near)["states"]["listen"] == 0
