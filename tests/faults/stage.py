# SPDX-License-Identifier: GPL-2.0-or-later
"""A namespace in which the daemon lives one life after the other, each with another fault; and what came of it."""

import collections
import contextlib
import dataclasses
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from namespaces import Namespace  # noqa: E402
from programs import BUILD, ENVIRONMENT, TIMEWAITD, WANTED, adjusting  # noqa: E402

LIBRARY = str(BUILD / "tests/faults/inject.so")
SETS = {**WANTED, "net.ipv4.ip_autobind_reuse": "1"}
# One service listens from the second phase on; the rule is for a server that comes with the third.
CONFIG = adjusting(SETS).replace("raise = 1\nclear = 0", "raise = 2\nclear = 1")
TIMEOUT = 60  # of a life that takes a tenth of a second; the daemon's own patience with the kernel is 5 s

# Statuses of inject.h.
STUCK, MISUSED = 98, 99


@dataclasses.dataclass(frozen=True)
class Point:
    """A call that can fail: inject.c tells them apart."""

    phase: str
    thread: str
    function: str
    object: str
    hash: str
    frames: tuple

    def __str__(self):
        return f"{self.phase} {self.thread} {self.function}({self.object})"


@dataclasses.dataclass
class Report:
    """What the library wrote at the end of the process."""

    points: list = dataclasses.field(default_factory=list)
    descriptors: list = dataclasses.field(default_factory=list)
    memory: list = dataclasses.field(default_factory=list)
    phase: str = ""  # the last one; "" where the process did not end by itself
    hits: int = 0
    overflow: int = 0

    @classmethod
    def read(cls, path):
        report = cls()
        for line in path.read_text().splitlines() if path.exists() else []:
            kind, *fields = line.split("\t")
            if kind == "point":
                report.points.append(Point(*fields[:5], tuple(fields[5].split(","))))
            elif kind == "descriptor":
                report.descriptors.append(fields[1])
            elif kind == "memory":
                report.memory.append((int(fields[0]), fields[1]))
            elif kind == "end":
                report.phase, report.hits, report.overflow = fields[0], int(fields[1]), int(fields[2])
        return report


@dataclasses.dataclass
class Life:
    """How the daemon lived, from the outside."""

    status: int | None  # None: it had to be killed
    records: list
    errors: str
    report: Report
    kept: bool  # the sysctls are as before, by itself
    recovered: bool  # they are after --restore
    restore_said: str

    def story(self):
        """What it did and told, without numbers that differ from run to run."""
        return collections.Counter(
            (
                record["TIMEWAITD_EVENT"],
                record.get("TIMEWAITD_SYSCTL"),
                record["MESSAGE"],
                "TIMEWAITD_DROPPED" in record,
            )
            for record in self.records
        )

    def told(self):
        return "\n".join([*(record["MESSAGE"] for record in self.records), self.errors])


class Stage:
    """
    See above. `home` is its directory. With `apart` the daemon lives in one namespace, and what it watches and adjusts is
    another.
    """

    def __init__(self, home, apart=False):
        self.namespace = Namespace()
        self._daemons = Namespace() if apart else self.namespace
        self._apart = apart
        self._home = home
        self._state = home / "state"
        self._config = home / "timewaitd.conf"
        self._report = home / "report"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(home / "notify"))
        # sd_notify() waits for a manager that is behind.
        threading.Thread(target=self._read_notifications, daemon=True).start()
        # A bus that hangs: it can be connected to, and never answers.
        self._bus = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._bus.bind(str(home / "bus"))
        self._bus.listen(64)
        self._bus.setblocking(False)
        # Not what the kernel gives a new namespace.
        self.namespace.set_sysctl("net.ipv4.tcp_fin_timeout", "77")
        self._baseline = self.namespace.all_sysctls()

    def play(self, fault=None, netlink=None, bus=False):
        """One life with this value of TW_FAULT, of TW_FAULT_NETLINK; without a bus, or with one that hangs."""
        shutil.rmtree(self._state, ignore_errors=True)
        self._report.unlink(missing_ok=True)
        self._config.write_text(self._configuration())
        status, output, errors = self._live(fault, netlink, f"unix:path={self._home}/bus" if bus else "none")
        self._let_go()
        kept = self.namespace.all_sysctls() == self._baseline
        recovered, said = (True, "") if kept and not self._ledger_is_left() else self._restore()
        return Life(
            status=status,
            records=[json.loads(self._tidy(line)) for line in output.splitlines() if _is_whole(line)],
            errors=errors,
            report=Report.read(self._report),
            kept=kept,
            recovered=recovered,
            restore_said=said,
        )

    def _configuration(self):
        there = f"namespaces = {self.namespace.name}\n"
        head, rules = CONFIG.split("[rule ", 1)
        return f"{head}{there}\n[rule {rules}{there}" if self._apart else CONFIG

    def _tidy(self, line):
        """Its name is another one in each test."""
        return line.replace(self.namespace.name, "there") if self._apart else line

    def _live(self, fault, netlink, bus):
        environment = {
            **ENVIRONMENT,
            "LD_PRELOAD": LIBRARY,
            "TW_FAULT_HOME": str(self._home),
            "TW_FAULT_REPORT": str(self._report),
            "NOTIFY_SOCKET": str(self._home / "notify"),
            "WATCHDOG_USEC": "20000000",
        }
        if self._apart:
            environment["TW_FAULT_NAMESPACE"] = f"/run/netns/{self.namespace.name}"
        if fault:
            environment["TW_FAULT"] = fault
        if netlink:
            environment["TW_FAULT_NETLINK"] = netlink
        command = [TIMEWAITD, f"--config={self._config}", "--log=json", f"--bus={bus}", f"--state-dir={self._state}"]
        with open(self._home / "records", "w+") as records, open(self._home / "errors", "w+") as errors:
            with self._daemons.entered():
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=records, stderr=errors, env=environment
                )
            try:
                status = process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            records.seek(0)
            errors.seek(0)
            return status, records.read(), errors.read()

    def _let_go(self):
        """Connections of a life that is over, which the bus has never looked at."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._bus.accept()[0].close()

    def _ledger_is_left(self):
        return any(self._state.glob("ledger*"))

    def _restore(self):
        """timewaitd --restore, of which nothing fails."""
        with self._daemons.entered():
            done = subprocess.run(
                [TIMEWAITD, "--restore", "--log=json", f"--state-dir={self._state}"],
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                env=ENVIRONMENT,
            )
        now = self.namespace.all_sysctls()
        recovered = done.returncode == 0 and now == self._baseline and not self._ledger_is_left()
        for path, value in self._baseline.items():
            if now.get(path) != value:
                self.namespace.set_sysctl(path.removeprefix("/proc/sys/").replace("/", "."), value)
        return recovered, done.stdout + done.stderr

    def _read_notifications(self):
        while self._notify.recv(4096):
            pass

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self._home / "notify"))
        self._bus.close()
        if self._apart:
            self._daemons.close()
        self.namespace.close()


def _is_whole(line):
    """Half a record, where a write failed in its middle, is none."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
