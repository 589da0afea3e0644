# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl top, on a terminal of its own."""

import copy
import os
import signal
import socket
import subprocess

import pytest

from namespaces import PATIENCE
from programs import BUILD, ENVIRONMENT
from standins import WHOLE, StandIn, Terminal

TIMEWAITCTL = str(BUILD / "timewaitctl")
NOBODY = "unix:path=/nonexistent"
HINTS = "Tab pane  s sort  r reverse"


@pytest.fixture
def top(terminal, bus, stand_in, tmp_path):
    """It runs; its pid stands in a file."""
    terminal.type(f"sh -c 'echo $$ >{tmp_path}/pid; exec {TIMEWAITCTL} top --bus={bus.address}'; echo ended $?")
    terminal.wait_for("2 raised: accept-queue-full, port-exhaustion")
    return terminal


def rows(lines):
    """The names of the rows, as far as they stand there without a blank."""
    return [line.split()[-1] for line in lines[3:-1] if line.strip()]


def expect_rows(terminal, *names):
    terminal.wait(lambda lines: rows(lines) == list(names))


def expect_sane(terminal):
    """The shell is back: it echoes, its cursor is seen, lines end as they did."""
    terminal.type("stty -a | tr ' ' '\\n' | grep -cx -e echo -e icanon -e icrnl -e onlcr")
    terminal.wait(lambda lines: "4" in lines)


def test_panes(top):
    top.wait_for("▼PORTS")
    expect_rows(top, "10.0.0.2:8080", "10.0.0.9:5432", "…:1234:5678:9abc:def0:1234:9999]:44300")
    top.press("Tab")
    top.wait_for("BACKLOG")
    expect_rows(top, "0.0.0.0:80", "127.0.0.1:6379", "[::1]:443")
    top.press("3")
    expect_rows(top, "web.service", "unknown", "dns.service")
    top.press("4")
    expect_rows(top, "host")
    top.press("Tab")
    top.wait_for("FROM -> TO")


def test_sort(top):
    top.press("2")
    top.press("s")
    top.wait_for("▼BACKLOG")
    expect_rows(top, "[::1]:443", "0.0.0.0:80", "127.0.0.1:6379")
    top.press("r")
    top.wait_for("▲BACKLOG")
    expect_rows(top, "127.0.0.1:6379", "0.0.0.0:80", "[::1]:443")


def test_filter(top):
    top.press("/", "5", "4", "3")
    top.wait_for("filter: 543_")
    expect_rows(top, "10.0.0.9:5432")
    top.press("Enter")
    top.wait_for('1 of 3 match "543"')
    top.press("Escape")
    top.wait_for(HINTS)
    assert len(rows(top.lines())) == 3


def test_help_and_pause(top, stand_in):
    top.press("?")
    top.wait_for("sort by the next column")
    top.press("x")
    top.wait_for("FROM -> TO")
    top.press("Space")
    top.wait_for("PAUSED")
    changed = copy.deepcopy(WHOLE)
    changed["namespaces"][0]["destinations"] = changed["namespaces"][0]["destinations"][1:2]
    stand_in.tell(changed)
    with pytest.raises(AssertionError):
        top.wait(lambda lines: rows(lines) == ["10.0.0.9:5432"], 4)
    top.press("Space")
    expect_rows(top, "10.0.0.9:5432")


def test_history(top, stand_in):
    changed = copy.deepcopy(WHOLE)
    changed["namespaces"][0]["destinations"][1]["ports"] = 2400
    stand_in.tell(changed)
    top.wait_for("2400")
    # The first bar is a tenth of the last one.
    top.wait(lambda lines: any("10.0.0.9:5432" in line and "▇" in line for line in lines))
    top.resize(132, 24)
    top.wait_for("PORTS, 3 MIN")


@pytest.mark.parametrize("width, height", [(40, 10), (20, 6), (8, 2), (200, 60)])
def test_resize(top, width, height):
    for pane in "1234":
        top.press(pane)
        top.resize(width, height)
        top.wait(lambda lines: len(lines) <= height and all(len(line) <= width for line in lines) and "timewa" in lines[0])
        top.resize(100, 24)
        top.wait_for(HINTS)
    top.press("q")
    top.wait_for("ended 0")


def test_rows_scroll_at_the_smallest(top):
    top.resize(20, 6)
    expect_rows(top, "…0.0.2:8080", "…0.0.9:5432")
    top.press("Down")
    expect_rows(top, "…0.0.9:5432", "…999]:44300")


def test_quit_leaves_the_terminal_sane(top):
    top.press("q")
    lines = top.wait_for("ended 0")
    assert not any("raised" in line for line in lines)
    expect_sane(top)


@pytest.mark.parametrize("number", ["INT", "TERM", "HUP", "QUIT"])
def test_signals_leave_the_terminal_sane(top, tmp_path, number):
    if number == "INT":
        # The shell sees it too, and gives up the rest of the line.
        top.press("C-c")
        top.wait(lambda lines: lines[-1].rstrip() == "$")
        expect_sane(top)
        return
    os.kill(int((tmp_path / "pid").read_text()), getattr(signal, "SIG" + number))
    top.wait_for(f"ended {128 + getattr(signal, 'SIG' + number)}")
    expect_sane(top)


def test_the_daemon_ends_and_comes_back(top, stand_in, bus, tmp_path):
    stand_in.close()
    top.wait_for("no daemon: measured directly")
    again = StandIn(bus, tmp_path, WHOLE)
    top.wait_for("2 raised")
    again.close()


def test_without_a_daemon(near, tmp_path):
    terminal = Terminal(tmp_path, namespace=near)
    try:
        with near.entered():
            server = socket.create_server(("127.0.0.1", 4711))
        terminal.type(f"{TIMEWAITCTL} top --bus={NOBODY}; echo ended $?")
        terminal.wait_for("no daemon: measured directly")
        terminal.press("2")
        expect_rows(terminal, "127.0.0.1:4711")
        server.close()
        terminal.wait_for("nothing listens")
        terminal.press("q")
        terminal.wait_for("ended 0")
    finally:
        terminal.close()


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "xterm"}])
def test_no_terminal(environment):
    done = subprocess.run(
        [TIMEWAITCTL, "top"], capture_output=True, text=True, timeout=PATIENCE, env={**ENVIRONMENT, **environment}
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "timewaitctl status --watch" in done.stderr
