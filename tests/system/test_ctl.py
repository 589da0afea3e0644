# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl's verbs that ask and tell the daemon by D-Bus, and what they do without one."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios

import pytest

from namespaces import PATIENCE
from programs import BUILD, ENVIRONMENT, SOURCE, once
from standins import WHOLE, StandIn

TIMEWAITCTL = str(BUILD / "timewaitctl")
NOBODY = "unix:path=/nonexistent"
QUIET = {"version": "0.1.0", "mode": "observe", "namespaces": [{"name": "host", "rules": [], "changes": []}]}


def ctl(*arguments, prefix=(), **environment):
    return subprocess.run(
        [*prefix, TIMEWAITCTL, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**ENVIRONMENT, **environment},
    )


def on_terminal(*arguments, columns=80, lines=24, **environment):
    """What it writes to a terminal of that size."""
    master, slave = pty.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        process = subprocess.Popen([TIMEWAITCTL, *arguments], stdout=slave, env={**ENVIRONMENT, **environment})
        os.close(slave)
        said = b""
        with contextlib.suppress(OSError):
            while piece := os.read(master, 65536):
                said += piece
        assert process.wait() == 0
    return said.decode().replace("\r\n", "\n")


# ---- status


def test_status(stand_in):
    done = ctl("status", f"--bus={stand_in.address}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("timewaitd 0.1.0, mode enforce, running for 3h 12min\nRaised: 2 of 4 rules\n")
    order = ["accept-queue-full error", "port-exhaustion warning", "Changed:", "yielded", "States", "Busiest"]
    order += ["Units that do not close", "Fullest listeners", "Watching:"]
    places = [done.stdout.index(words) for words in order]
    assert places == sorted(places)
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "\033" not in done.stdout


def test_status_by_the_environment(stand_in):
    done = ctl("status", DBUS_SYSTEM_BUS_ADDRESS=stand_in.address)
    assert done.stdout.startswith("timewaitd 0.1.0")


def test_status_as_json_is_the_snapshot(stand_in):
    assert json.loads(ctl("status", "--json", f"--bus={stand_in.address}").stdout) == WHOLE


def test_status_without_a_daemon(near, listener):
    with listener() as server:
        port = server.getsockname()[1]
        done = near.try_run(TIMEWAITCTL, "status", f"--bus={NOBODY}", env=ENVIRONMENT)
        page = near.try_run(TIMEWAITCTL, "status", "--json", f"--bus={NOBODY}", env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No daemon: measured just now by timewaitctl itself")
    assert "Raised: not known: no daemon\n" in done.stdout
    assert f"127.0.0.1:{port}" in done.stdout
    page = json.loads(page.stdout)
    assert page["version"] is None and page["namespaces"][0]["states"]["listen"] == 1
    assert page["namespaces"][0].keys() == once(near).keys() | {"name"}


def test_status_on_a_bus_without_the_daemon(bus):
    assert ctl("status", f"--bus={bus.address}").stdout.startswith("No daemon:")


@pytest.mark.parametrize("snapshot", ["", "{", "[]"])
def test_status_of_nonsense(stand_in, snapshot):
    stand_in.tell(snapshot)
    done = ctl("status", f"--bus={stand_in.address}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not understood" in done.stderr


@pytest.mark.parametrize("columns", [20, 47, 80, 132])
def test_status_fits_the_terminal(stand_in, columns):
    said = on_terminal("status", f"--bus={stand_in.address}", columns=columns, TERM="xterm", NO_COLOR="1")
    assert "\033" not in said
    assert 0 < max(len(line) for line in said.splitlines()) <= columns


def test_status_has_colours_where_the_terminal_has(stand_in):
    address = f"--bus={stand_in.address}"
    assert "\033[1;31maccept-queue-full" in on_terminal("status", address, TERM="xterm")
    assert "\033" not in on_terminal("status", address, TERM="dumb")
    assert "\033" not in on_terminal("status", address, TERM="xterm", NO_COLOR="yes")


def test_status_again_and_again(stand_in):
    watching = subprocess.Popen(
        [TIMEWAITCTL, "status", "--watch=0.2", f"--bus={stand_in.address}"],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with watching:
        assert watching.stdout.readline().startswith("timewaitd 0.1.0, mode enforce")
        stand_in.tell(QUIET)
        for line in watching.stdout:
            if line.startswith("Raised: nothing"):
                break
        watching.kill()
    assert line.startswith("Raised: nothing")


# ---- alerts


def test_alerts(stand_in):
    done = ctl("alerts", f"--bus={stand_in.address}")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("  accept-queue-full error, clearing for 2min 10s\n    the accept queue of 0.0.0.0:80")
    assert "done: net.ipv4.tcp_tw_reuse 2 -> 1" in done.stdout
    page = json.loads(ctl("alerts", "--json", f"--bus={stand_in.address}").stdout)
    assert [alert["rule"] for alert in page["alerts"]] == ["accept-queue-full", "port-exhaustion"]
    assert page["alerts"][1]["changes"][0]["value"] == "1"


def test_no_alerts(stand_in):
    stand_in.tell(QUIET)
    done = ctl("alerts", f"--bus={stand_in.address}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing is raised.\n", "")
    assert ctl("alerts", "--json", f"--bus={stand_in.address}").stdout == '{"alerts":[]}\n'


def test_alerts_without_a_daemon(bus):
    for address in (NOBODY, bus.address):
        done = ctl("alerts", f"--bus={address}")
        assert (done.returncode, done.stdout) == (3, "")
        assert "systemctl start timewaitd" in done.stderr


def test_alerts_as_they_come(bus, tmp_path):
    """Before the daemon is there, while it is, when it ends and when it is there again."""
    # Who runs the tests in the background may have SIGINT ignored.
    following = subprocess.Popen(
        ["env", "--default-signal=INT", TIMEWAITCTL, "alerts", "--follow", "--json", f"--bus={bus.address}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with following:
        assert "waiting for it" in following.stderr.readline()
        for _ in range(2):
            daemon = StandIn(bus, tmp_path, WHOLE)
            assert json.loads(following.stdout.readline())["event"] == "appeared"
            assert ctl("mode", "observe", f"--bus={bus.address}").returncode == 0
            event = json.loads(following.stdout.readline())
            assert (event["event"], event["namespace"], event["rule"]) == ("adjusted", "host", "port-exhaustion")
            assert event["message"] == "The mode is \033[31manother."
            daemon.close()
            assert json.loads(following.stdout.readline())["event"] == "vanished"
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == -signal.SIGINT


def test_alerts_as_text(stand_in):
    following = subprocess.Popen(
        [TIMEWAITCTL, "alerts", "--follow", f"--bus={stand_in.address}"],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with following:
        assert "accept-queue-full" in following.stdout.readline()
        ctl("mode", "observe", f"--bus={stand_in.address}")
        for line in following.stdout:
            if "adjusted" in line:
                break
        following.kill()
    assert line.endswith(" adjusted: The mode is ?[31manother.\n")


# ---- reload, restore, mode


def test_reload(stand_in):
    assert ctl("reload", f"--bus={stand_in.address}").returncode == 0
    assert stand_in.heard() == "reload"
    stand_in.answer_reload("/etc/x:1: no such key: \033[31mred", "/etc/x:7: bad")
    done = ctl("reload", f"--bus={stand_in.address}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("/etc/x:1: no such key: ?[31mred\n/etc/x:7: bad\n")
    assert "stays in force" in done.stderr


def test_restore(stand_in):
    done = ctl("restore", f"--bus={stand_in.address}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Put back 2 sysctls.\n", "")
    assert stand_in.heard() == "restore"


def test_mode(stand_in):
    address = f"--bus={stand_in.address}"
    assert ctl("mode", address).stdout == "enforce\n"
    assert ctl("mode", address, "observe").returncode == 0
    assert stand_in.heard() == "mode"
    assert ctl("mode", address).stdout == "observe\n"


@pytest.mark.parametrize("call", [["reload"], ["restore"], ["mode", "observe"]], ids=" ".join)
def test_not_permitted(stand_in, call):
    stand_in.deny()
    done = ctl(*call, f"--bus={stand_in.address}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not permitted" in done.stderr and "the same with sudo" in done.stderr


@pytest.mark.parametrize("call", [["reload"], ["restore"], ["mode"], ["mode", "observe"]], ids=" ".join)
def test_nobody_to_tell(bus, call):
    for address in (NOBODY, bus.address):
        done = ctl(*call, f"--bus={address}")
        assert (done.returncode, done.stdout) == (1, "")
        assert "systemctl start timewaitd" in done.stderr
        assert ("timewaitd --restore" in done.stderr) == (call == ["restore"])


# ---- the command line


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "--watch=0"],
        ["status", "--watch=-1"],
        ["status", "--watch=soon"],
        ["status", "--watch=2d"],
        ["status", "--follow"],
        ["status", "here"],
        ["status", "--bus"],
        ["alerts", "--watch"],
        ["alerts", "all"],
        ["top", "--json"],
        ["reload", "--json"],
        ["restore", "net.ipv4.tcp_tw_reuse"],
        ["mode", "off"],
        ["mode", "enforce", "observe"],
        ["mode", "-x"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments):
    done = ctl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Try 'timewaitctl {arguments[0]} --help'." in done.stderr


@pytest.mark.parametrize("verb", ["status", "top", "alerts", "reload", "restore", "mode"])
def test_help(verb):
    done = ctl(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: timewaitctl {verb} ")
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    assert f"  {verb} " in ctl("--help").stdout


# ---- completion


def complete(*words, **environment):
    """What bash offers for the last word."""
    script = """
        . "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _timewaitctl
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script, "bash", str(SOURCE / "completions/timewaitctl"), "timewaitctl", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**ENVIRONMENT, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_completion_of_verbs_and_options():
    listed = [line.split()[0] for line in ctl("--help").stdout.splitlines() if line.startswith("  ") and "-" not in line[:3]]
    assert set(complete("")) - {"--help", "--version"} == set(listed)
    assert complete("al") == ["alerts"]
    assert complete("mode", "e") == ["enforce"]
    for verb in set(listed) - {"help"}:
        assert {word for word in complete(verb, "--")} >= {"--help"}
        for option in complete(verb, "--"):
            assert option.rstrip("=") in ctl(verb, "--help").stdout


def test_completion_of_topics(near, stand_in):
    topics = complete("explain", "", DBUS_SYSTEM_BUS_ADDRESS=stand_in.address)
    assert "port-exhaustion" in topics and "close-wait-leak" in topics
    known = near.try_run(TIMEWAITCTL, "explain", "--json", env=ENVIRONMENT)
    numbers = json.loads(known.stdout)["numbers"]
    shares = {"usable-ports", "time-wait-accepting", "time-wait-connecting"}
    assert set(numbers) - shares <= set(topics)
    alone = complete("explain", "", DBUS_SYSTEM_BUS_ADDRESS=NOBODY)
    assert "close-wait-leak" not in alone
    limits = once(near)["limits"].keys() - {"range-low", "range-high"}
    limits = {name for name in limits if not name.endswith("-ports")}
    assert limits <= set(alone)
