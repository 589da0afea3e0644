# SPDX-License-Identifier: GPL-2.0-or-later
"""
A journald that is stopped, slow or full, and timewaitd under a watchdog of ten seconds: it must not wait for journald,
has to act as ever, and to tell how many records were lost when somebody listens again.
"""

import contextlib

import pytest

from machine import BUILD, UNIT
from settings import adjusting, daemon_section
from test_service import BASELINE, DROP_IN, KEY, OURS, UNIT_DROP_IN, WATCHDOG

JOURNALD = "systemd-journald.service"
SOCKETS = ("systemd-journald.socket", "systemd-journald-dev-log.socket")
JOURNALD_DROP_IN = "/run/systemd/journald.conf.d/zzz-test.conf"
OFTEN = f"/run/systemd/system/{JOURNALD}.d/10-test.conf"
RECORDS = "/run/log/journal"
QUEUE = "net.unix.max_dgram_qlen"  # read when a socket is made
CONFIG = adjusting({KEY: OURS}, daemon_section(sample_record="100ms"))


@pytest.fixture
def watching(machine):
    """The service, with ten records a second and a watchdog that a loop which waits would not outlive."""
    machine.write(DROP_IN, CONFIG)
    machine.write(UNIT_DROP_IN, f"[Service]\nWatchdogSec={WATCHDOG}\nRestart=no\n")
    # On a fast machine these tests start it more than five times in ten seconds.
    machine.write(OFTEN, "[Unit]\nStartLimitIntervalSec=0\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", UNIT)
    machine.wait_for("sample")
    yield machine
    machine.run("systemctl", "kill", "--signal=CONT", JOURNALD)
    machine.run("systemctl", "start", *SOCKETS, JOURNALD)


def act(machine):
    """A rule is raised and cleared again, and its sysctl goes there and back: the loop does its work."""
    machine.start_command("server", f"{BUILD}/tests/tools/sinkd", "127.0.0.1", "7000")
    wait_for_sysctl(machine, OURS)
    machine.run("systemctl", "stop", "server")
    wait_for_sysctl(machine, BASELINE)


def flood(machine, last="of another service"):
    """More than a small journal can hold, of which much may still wait in the socket, which holds 8 MiB."""
    lines = f"{{ yes 'of another service' | head -n 40000; echo '{last}'; }} | systemd-cat"
    machine.run("sh", "-c", lines)


def flood_to_the_end(machine):
    """And journald has taken all of it: nothing that is recorded from now on is thrown away for it."""
    last = "the last of the flood"
    flood(machine, last)
    machine.wait_until(lambda: last in machine.run("journalctl", "-q", "-n", "1000", "-o", "cat"), last)


def start_anew(machine):
    """journald, with its sockets."""
    machine.run("systemctl", "stop", *SOCKETS, JOURNALD)
    machine.run("systemctl", "start", *SOCKETS, JOURNALD)


def wait_for_sysctl(machine, value):
    machine.wait_until(lambda: machine.sysctl(KEY) == value, f"{KEY} = {value}")


def wait_for_lost(machine):
    """The first record that tells of lost ones, and how many."""

    def found():
        return [record for record in machine.journal() if "TIMEWAITD_DROPPED" in record]

    machine.wait_until(found, "a record with TIMEWAITD_DROPPED")
    return int(found()[0]["TIMEWAITD_DROPPED"])


@contextlib.contextmanager
def same_process(machine):
    pid = machine.property("MainPID")
    yield
    assert (machine.property("MainPID"), machine.property("ActiveState")) == (pid, "active"), machine.story()
    assert machine.property("NRestarts") == "0"


def test_journald_is_stopped(watching):
    with same_process(watching):
        watching.run("systemctl", "stop", *SOCKETS, JOURNALD)
        act(watching)
        watching.run("sleep", "5")
        watching.run("systemctl", "start", *SOCKETS, JOURNALD)
        # Five seconds at least, of ten records each; on a busy machine, of fewer.
        assert wait_for_lost(watching) >= 10
        act(watching)
        watching.wait_for("raised")


@pytest.mark.long
def test_journald_hangs(watching):
    """SIGSTOP: its socket is there and takes nothing once the queue is full, which is short here."""
    usual = watching.sysctl(QUEUE)
    with same_process(watching), contextlib.ExitStack() as kept:
        kept.callback(start_anew, watching)
        kept.callback(watching.run, "sysctl", "-qw", f"{QUEUE}={usual}")
        watching.run("sysctl", "-qw", f"{QUEUE}=10")
        start_anew(watching)
        watching.mark()
        # It may tell of one that was lost while the sockets were away; the next to tell shall mean the hang.
        watching.wait_for("sample")
        watching.mark()
        watching.run("systemctl", "kill", "--signal=STOP", "--kill-who=main", JOURNALD)
        act(watching)
        watching.run("sleep", "5")
        act(watching)
        watching.run("systemctl", "kill", "--signal=CONT", "--kill-who=main", JOURNALD)
        # Five seconds at least, of ten records each, less the queue; on a busy machine, of fewer.
        assert wait_for_lost(watching) >= 10
        watching.mark()
        act(watching)
        watching.wait_for("raised")


def test_the_journal_is_small(watching):
    """4 MB, of which journald throws away what is old: the new records are there, none was dropped on the way."""
    watching.write(JOURNALD_DROP_IN, "[Journal]\nRuntimeMaxUse=4M\nRuntimeMaxFileSize=1M\n")
    with same_process(watching), contextlib.ExitStack() as kept:
        kept.callback(watching.run, "systemctl", "restart", JOURNALD)
        kept.callback(watching.run, "rm", JOURNALD_DROP_IN)
        watching.run("systemctl", "restart", JOURNALD)
        flood_to_the_end(watching)
        used = int(watching.run("du", "-sm", RECORDS).split()[0])
        assert used < 24, "journald keeps to its limit, which this test rests on"
        watching.mark()
        act(watching)
        watching.wait_for("raised")
        watching.wait_for("restored", SYSCTL=KEY)


@pytest.mark.long
def test_the_journal_has_no_room(watching):
    """Its file system is full: what journald cannot write is lost there, and timewaitd does not wait for it."""
    with same_process(watching), contextlib.ExitStack() as kept:
        kept.callback(watching.run, "systemctl", "restart", JOURNALD)
        kept.callback(watching.run, "umount", "-l", RECORDS)
        watching.run("mount", "-t", "tmpfs", "-o", "size=12m,mode=2755", "none", RECORDS)
        watching.run("systemctl", "restart", JOURNALD)
        watching.try_run("dd", "if=/dev/zero", f"of={RECORDS}/filler", "bs=64k")
        # What journald has allocated already is soon used up.
        flood(watching)
        assert watching.run("df", "--output=avail", RECORDS).split()[1] == "0"
        act(watching)
        watching.run("sleep", "5")
        act(watching)
    watching.mark()
    watching.wait_for("sample")
