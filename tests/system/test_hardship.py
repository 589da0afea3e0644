# SPDX-License-Identifier: GPL-2.0-or-later
"""
What a server does to its daemons while they run: stopped for a while, no room, no descriptors, no memory, a directory
that vanishes. Nothing is changed that could not be put back, it is told, and all goes on when the trouble is over.
"""

import os
import shutil
import signal
import socket
import threading
import time

import pytest

from namespaces import PATIENCE, run, wait_until
from programs import QUICK, TIMEWAITD, WANTED, Confined, Daemon, adjusting, is_sanitized, read_sysctls

SMALL_STATE = 'mount -t tmpfs -o size=16k none "{state}"'  # four pages: the lock, the ledger, its successor, one more
OWN_SYSCTLS = "mount --bind /proc/sys /proc/sys"


@pytest.fixture
def confined(near, tmp_path):
    """A daemon in a mount namespace of its own; it has to stop well."""
    started = []

    def start(mounts, config=adjusting()):
        started.append(Confined(near, tmp_path / f"confined{len(started)}", config, mounts))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def limit(daemon, name, value):
    """Sets a resource limit of it while it runs: the soft one, so that it can be raised again."""
    run("prlimit", f"--pid={daemon.process.pid}", f"--{name}={value}:")


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def settled_descriptors(daemon):
    """Files that are read seldom are opened by turns, and kept: when all are open, their number stays for a while."""
    seen = []

    def settled():
        seen.append(descriptors(daemon))
        return len(seen) > 100 and len(set(seen[-100:])) == 1

    wait_until(settled, daemon.story)
    return seen[-1]


def address_space(daemon):
    """In bytes."""
    with open(f"/proc/{daemon.process.pid}/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGESIZE")


def reads(daemon):
    """How many system calls it has read with: each tick reads the same files."""
    with open(f"/proc/{daemon.process.pid}/io") as file:
        return int(next(line for line in file if line.startswith("syscr")).split()[1])


def is_alive(daemon):
    """It goes on looking at the kernel."""
    before = reads(daemon)
    wait_until(lambda: reads(daemon) > before, daemon.story)
    return daemon.process.poll() is None


# ---- time


class Failing:
    """Connects that are refused, so many a second, until it is stopped."""

    def __init__(self, namespace, rate):
        self._namespace, self._rate, self._over = namespace, rate, threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _go_on(self):
        with self._namespace.entered():
            while not self._over.wait(1 / self._rate):
                with socket.socket() as one:
                    one.connect_ex(("127.0.0.1", 1))

    def stop(self):
        self._over.set()
        self._thread.join()


FAILING = """
[rule failing]
metric = connect-fail
raise = {raise_at}/s
clear = 1/s
raise-for = 0s
clear-for = 1h
severity = notice
"""
STOPPED = 5


def reads_in_a_second(daemon):
    before, began = reads(daemon), time.monotonic()
    time.sleep(1)
    return (reads(daemon) - before) / (time.monotonic() - began)


@pytest.mark.long
def test_stopped_for_a_while(near, daemon):
    """
    SIGSTOP for 5 s under a load of 30 failed connects a second: no tick is made up for, and the 150 of them are no rate
    of 1500 a second, which they would be if they had come in one interval.
    """
    failing = Failing(near, 30)
    try:
        few = FAILING.format(raise_at=5).replace("failing", "few")
        started = daemon(QUICK + FAILING.format(raise_at=300) + few)
        started.wait_for("raised", RULE="few")
        usual = reads_in_a_second(started)
        started.process.send_signal(signal.SIGSTOP)
        stopped = reads(started)
        time.sleep(STOPPED)
        assert reads(started) == stopped
        started.process.send_signal(signal.SIGCONT)
        after = reads_in_a_second(started)
    finally:
        failing.stop()
    # Fifty ticks were missed, in a second with ten; one was due and comes at once, with a survey.
    assert usual / 2 < after < 2 * usual, f"{after:g} reads a second, usually {usual:g}"
    assert not started.records("raised", RULE="failing"), started.story()
    assert not started.records("degraded") and not started.records("stretched"), started.story()


# Preloaded: the wall clock of one process, so many seconds off as a file says.
WALL_CLOCK = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, id, ret);
	FILE *file = r == 0 && id == CLOCK_REALTIME ? fopen(getenv("TW_WALL_CLOCK"), "re") : NULL;
	long seconds;

	if (!file)
		return r;
	if (fscanf(file, "%ld", &seconds) == 1)
		ret->tv_sec += seconds;
	fclose(file);
	return r;
}
"""


# A sanitizer wants to be the first library otherwise.
PRELOADED = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"


def test_the_wall_clock_jumps(near, listener, baseline, tmp_path):
    """An hour ahead, then a day back, for the daemon alone: records have that time, and nothing else hangs on it."""
    offset, library = tmp_path / "offset", tmp_path / "wall-clock.so"
    offset.write_text("0")
    run(*"cc -shared -fPIC -x c -o".split(), str(library), "-", input=WALL_CLOCK)
    config = adjusting(head=QUICK.replace("sample-record = 0", "sample-record = 100ms"))
    config += FAILING.format(raise_at=300) + FAILING.format(raise_at=5).replace("failing", "few")

    class Elsewhen(Daemon):
        prefix = ("env", f"LD_PRELOAD={library}", f"TW_WALL_CLOCK={offset}", f"ASAN_OPTIONS={PRELOADED}")

    def hours_off():
        """Of the last samples."""
        last = daemon.records("sample")[-10:]
        return {round((int(record["__REALTIME_TIMESTAMP"]) / 1e6 - time.time()) / 3600) for record in last}

    failing = Failing(near, 30)
    try:
        daemon = Elsewhen(near, tmp_path / "jumping", config)
        daemon.wait_for("raised", RULE="few")
        for hours in (1, -24, 0):
            offset.write_text(str(3600 * hours))
            # A second of samples comes after each jump, as it does without one.
            wait_until(lambda: hours_off() == {hours}, lambda: f"{hours}: {hours_off()}")
    finally:
        failing.stop()
    with listener():
        daemon.wait_for("adjusted", count=len(WANTED))
    daemon.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline
    assert len(daemon.records("raised", RULE="few")) == 1 and not daemon.records("cleared", RULE="few")
    assert not daemon.records("raised", RULE="failing"), daemon.story()
    assert not daemon.records("degraded") and not daemon.records("stretched"), daemon.story()
    daemon.stop()


# CLOCK_MONOTONIC and CLOCK_BOOTTIME of a machine that is up for thirty years, that slept for a year of them, and that
# has just been booted.
UPTIMES = {
    "thirty years": ("--monotonic", "946080000", "--boottime", "946080000"),
    "asleep for a year": ("--monotonic", "1000000", "--boottime", "32536000"),
    "just booted": None,
}


@pytest.mark.long
@pytest.mark.parametrize("offsets", UPTIMES.values(), ids=UPTIMES.keys())
def test_whatever_the_clocks_say(near, listener, baseline, tmp_path, offsets):
    if offsets is None:
        back = str(2 - int(time.clock_gettime(time.CLOCK_MONOTONIC)))
        offsets = ("--monotonic", back, "--boottime", back)

    class Elsewhen(Daemon):
        prefix = ("unshare", "--time", "--fork", "--kill-child=TERM", *offsets)

    with listener():
        daemon = Elsewhen(near, tmp_path / "elsewhen", adjusting())
        daemon.wait_for("adjusted", count=len(WANTED))
        assert read_sysctls(near) == WANTED
    daemon.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline
    daemon.kill()  # unshare, which takes no other signal, and hands the daemon a SIGTERM
    daemon.wait_for("stopped")
    assert not daemon.records("degraded"), daemon.story()
    assert daemon.errors() == ""


# ---- room for the ledger


def fill(path):
    """Takes what room there is."""
    with open(path, "wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(512))
        except OSError as error:
            assert "No space left" in str(error)


def test_no_room_for_the_ledger(near, listener, baseline, confined):
    """No sysctl is written without its entry; when there is room again, all is done."""
    daemon = confined(SMALL_STATE)
    filler = daemon.inside(daemon.state / "filler")
    fill(filler)
    with listener():
        daemon.wait_for("degraded", count=len(WANTED))
        assert is_alive(daemon)
        assert read_sysctls(near) == baseline
        told = daemon.records("degraded")
        assert {record["TIMEWAITD_SYSCTL"] for record in told} == set(WANTED)
        assert all("its file system is full" in record["MESSAGE"] for record in told)
        filler.unlink()
        daemon.wait_for("adjusted", count=len(WANTED))
        assert read_sysctls(near) == WANTED
        assert len(daemon.records("degraded")) == len(WANTED)  # once each, however long it lasted
    daemon.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline


def test_no_room_while_it_owes(near, listener, baseline, confined):
    """What was changed goes back all the same, and what the ledger says is right in the end."""
    daemon = confined(SMALL_STATE)
    with listener():
        daemon.wait_for("adjusted", count=len(WANTED))
        fill(daemon.inside(daemon.state / "filler"))
    daemon.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline
    wait_until(lambda: not daemon.inside(daemon.state / "ledger").exists(), daemon.story)
    daemon.stop()
    assert read_sysctls(near) == baseline


def test_the_state_directory_vanishes(near, listener, baseline, daemon):
    started = daemon(adjusting())
    shutil.rmtree(started.state)
    with listener():
        started.wait_for("degraded", count=len(WANTED))
        assert is_alive(started)
        assert read_sysctls(near) == baseline
        assert all("ledger" in record["MESSAGE"] for record in started.records("degraded")), started.story()
    started.wait_for("cleared")
    started.stop()
    assert read_sysctls(near) == baseline


def test_the_state_directory_vanishes_while_it_owes(near, listener, baseline, daemon):
    started = daemon(adjusting())
    with listener():
        started.wait_for("adjusted", count=len(WANTED))
        shutil.rmtree(started.state)
    started.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline
    started.stop()
    assert read_sysctls(near) == baseline


# ---- sysctls that cannot be written any more


def test_sysctls_become_read_only(near, listener, baseline, confined):
    """It owes and cannot give back: that is told, the ledger knows it, and it is done as soon as it can be."""
    daemon = confined(OWN_SYSCTLS)
    with listener():
        daemon.wait_for("adjusted", count=len(WANTED))
        daemon.mount("-o", "remount,bind,ro", "/proc/sys")
    daemon.wait_for("cleared")
    daemon.wait_for("degraded", count=len(WANTED))
    assert is_alive(daemon)
    assert read_sysctls(near) == WANTED
    assert (daemon.state / "ledger").exists()
    daemon.mount("-o", "remount,bind,rw", "/proc/sys")
    daemon.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline
    assert not (daemon.state / "ledger").exists()
    assert len(daemon.records("degraded")) == len(WANTED)  # once each


def test_a_stop_while_sysctls_are_read_only(near, listener, baseline, confined):
    """It says that not everything is back, by its exit status too; --restore does it from elsewhere."""
    daemon = confined(OWN_SYSCTLS)
    with listener():
        daemon.wait_for("adjusted", count=len(WANTED))
        daemon.mount("-o", "remount,bind,ro", "/proc/sys")
        daemon.process.terminate()
        assert daemon.process.wait(PATIENCE) == 1
    assert "not everything could be put back" in daemon.records("stopped")[0]["MESSAGE"]
    assert read_sysctls(near) == WANTED
    assert len(daemon.restore()) == len(WANTED)
    assert read_sysctls(near) == baseline


def test_a_start_while_sysctls_are_read_only(near, listener, baseline, confined):
    """What it cannot put back of an earlier run is told as that, and is put back as soon as it can be."""
    daemon = confined(OWN_SYSCTLS)
    with listener():
        daemon.wait_for("adjusted", count=len(WANTED))
    daemon.kill()
    prefix = daemon.prefix
    daemon.prefix = (*prefix[:4], f"{OWN_SYSCTLS}; mount -o remount,bind,ro /proc/sys; exec \"$@\"", "sh")
    daemon.start()
    said = [record["MESSAGE"] for record in daemon.records("degraded")]
    assert any(words.startswith("Degraded: what an earlier run changed is not all put back: ") for words in said), said
    daemon.mount("-o", "remount,bind,rw", "/proc/sys")
    daemon.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline


# ---- descriptors and memory


def test_no_descriptors(near, listener, baseline, daemon):
    """As many as it has open already: nothing is written that has no entry, and nothing is lost."""
    started = daemon(adjusting())
    open_before = settled_descriptors(started)
    limit(started, "nofile", open_before)
    with listener():
        wait_until(lambda: started.records("degraded") or started.records("refused"), started.story)
        assert is_alive(started)
        assert read_sysctls(near) == baseline
        assert "Too many open files" in started.story()
        limit(started, "nofile", 1024)
        started.wait_for("adjusted", count=len(WANTED))
        limit(started, "nofile", open_before)
        assert is_alive(started)
    limit(started, "nofile", 1024)
    started.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline
    wait_until(lambda: descriptors(started) == open_before, started.story)


def test_a_stop_without_descriptors(near, listener, baseline, daemon):
    """To put everything back takes no descriptor more than it has: the loop's own are free by then."""
    started = daemon(adjusting())
    with listener():
        started.wait_for("adjusted", count=len(WANTED))
        limit(started, "nofile", descriptors(started))
        started.stop()
    assert read_sysctls(near) == baseline
    assert not (started.state / "ledger").exists()


def test_no_memory(near, listener, baseline, daemon):
    """No page more than it has: it works on, a reload is refused and leaves all as it is; later it is taken."""
    with listener():
        started = daemon(adjusting())
        started.wait_for("adjusted", count=len(WANTED))
        limit(started, "as", address_space(started))
        # Larger than what a heap has left by chance.
        more = "".join(f"[rule r{i}]\nmetric = listen\nraise = 9{i}\nclear = 1\n" for i in range(9))
        started.reload(adjusting() + more)
        assert "Cannot allocate memory" in started.wait_for("reload-failed")["MESSAGE"]
        assert is_alive(started)
        assert read_sysctls(near) == WANTED
        limit(started, "as", "unlimited")
        started.reload()
        started.wait_for("reloaded")
    started.wait_for("restored", count=len(WANTED))
    assert read_sysctls(near) == baseline


# A sanitizer takes memory at will, and ends where there is none.
test_no_memory.__test__ = not is_sanitized()
