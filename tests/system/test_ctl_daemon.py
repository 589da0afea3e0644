# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl and the real daemon, on a D-Bus of the test's own."""

import contextlib
import json
import subprocess

import pytest

from buses import MANAGER, NAME, NOBODY, PATH
from namespaces import PATIENCE, wait_until
from programs import BUILD, ENVIRONMENT, QUICK, WANTED, adjusting, read_sysctls

TIMEWAITCTL = str(BUILD / "timewaitctl")


@pytest.fixture
def ctl(bus):
    def call(*arguments, user=()):
        return subprocess.run(
            [*user, TIMEWAITCTL, *arguments, f"--bus={bus.address}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=ENVIRONMENT,
        )

    return call


@pytest.fixture
def raised(near, listener, daemon, bus):
    """A daemon that has set all of WANTED."""
    with listener():
        baseline = read_sysctls(near)
        started = daemon(adjusting(), f"--bus={bus.address}")
        bus.wait_for_owner()
        started.baseline = baseline
        started.wait_for("adjusted", count=len(WANTED))
        yield started


def test_status(raised, ctl):
    done = ctl("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("timewaitd 0.1.0, mode enforce, running for ")
    assert "Raised: 1 of 1 rule\n  servers notice, raised for " in done.stdout
    for key, value in WANTED.items():
        assert f"  {key} {raised.baseline[key]} -> {value}, by servers\n" in done.stdout
    wait_until(lambda: "Watching: gauge 0" in ctl("status").stdout, "a look that is not late")
    page = json.loads(ctl("status", "--json").stdout)
    assert [rule["state"] for rule in page["namespaces"][0]["rules"]] == ["raised"]


def test_top(raised, bus, terminal):
    terminal.type(f"{TIMEWAITCTL} top --bus={bus.address}; echo ended $?")
    terminal.wait_for("1 raised: servers")
    terminal.press("2")
    terminal.wait_for("BACKLOG")
    terminal.wait_for("127.0.0.1:")
    terminal.press("4")
    terminal.wait(lambda lines: any(line.split()[-1:] == ["host"] or line.startswith("host") for line in lines))
    terminal.press("q")
    terminal.wait_for("ended 0")


def test_everybody_may_ask(raised, ctl):
    for verb in ("status", "alerts", "mode"):
        assert ctl(verb, user=NOBODY).stderr == ""


def test_alerts(raised, ctl):
    done = ctl("alerts")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("  servers notice, raised for ")
    assert done.stdout.count("    done: net.ipv4.") == len(WANTED)
    assert len(json.loads(ctl("alerts", "--json").stdout)["alerts"][0]["changes"]) == len(WANTED)


@contextlib.contextmanager
def following_alerts(bus):
    """timewaitctl that follows what is told, from when nothing is raised."""
    following = subprocess.Popen(
        [TIMEWAITCTL, "alerts", "--follow", f"--bus={bus.address}"],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with following:
        try:
            assert following.stdout.readline() == "Nothing is raised.\n"
            yield following
        finally:
            following.kill()


def test_alerts_as_they_come(daemon, bus, listener):
    daemon(adjusting(), f"--bus={bus.address}")
    bus.wait_for_owner()
    with following_alerts(bus) as following:
        with listener():
            assert " raised: " in following.stdout.readline()
            assert " adjusted: " in following.stdout.readline()


def test_nobody_else_is_followed(daemon, bus, listener):
    """What a user sends to it alone looks as if it were the daemon's, or the bus's."""
    daemon(adjusting(), f"--bus={bus.address}")
    bus.wait_for_owner()
    before = bus.connections()
    with following_alerts(bus) as following:
        owner = bus.owner()
        for whom in bus.connections() - before:
            words = [f"string:{word}" for word in ("raised", "host", "forged", "Forged.")]
            bus.send_signal(whom, PATH, f"{MANAGER}.Event", *words)
            words = [f"string:{word}" for word in (NAME, owner, "")]
            bus.send_signal(whom, "/org/freedesktop/DBus", "org.freedesktop.DBus.NameOwnerChanged", *words)
        with listener():
            told = following.stdout.readline()
    assert "servers" in told


def test_restore(near, raised, ctl):
    done = ctl("restore")
    assert (done.returncode, done.stdout) == (0, f"Put back {len(WANTED)} sysctls.\n")
    assert read_sysctls(near) == raised.baseline
    assert ctl("restore").stdout.startswith("Nothing to put back")


def test_reload(raised, ctl):
    assert ctl("reload").returncode == 0
    raised.config.write_text(f"{QUICK}[rule x]\nmetric = nothing\n")
    done = ctl("reload")
    assert done.returncode == 1
    assert f"{raised.config}:" in done.stderr and "stays in force" in done.stderr


def test_mode(near, raised, ctl):
    assert ctl("mode").stdout == "enforce\n"
    assert ctl("mode", "observe").returncode == 0
    assert ctl("mode").stdout == "observe\n"
    assert read_sysctls(near) == raised.baseline
    assert ctl("status").stdout.startswith("timewaitd 0.1.0, mode observe")


@pytest.mark.parametrize("call", [["reload"], ["restore"], ["mode", "observe"]], ids=" ".join)
def test_others_may_not(near, raised, ctl, call):
    done = ctl(*call, user=NOBODY)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{call[0]}: not permitted, for root alone may" in done.stderr
    assert read_sysctls(near) == WANTED
