# SPDX-License-Identifier: GPL-2.0-or-later
"""What is seen of a running daemon from outside, without asking it: its notifications, its records, its process."""

import collections
import json
import os
import socket
import threading
import time


class Manager:
    """Serves NOTIFY_SOCKET as a service manager does, and keeps the longest time between two signs of life."""

    def __init__(self, path, watchdog):
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(watchdog * 1e6))}
        self.beats, self.longest = 0, 0.0
        self._last = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        while message := self._socket.recv(4096):
            if b"WATCHDOG=1" in message.split(b"\n"):
                self._beat(time.monotonic())

    def _beat(self, now):
        if self._last is not None:
            self.longest = max(self.longest, now - self._last)
        self._last = now
        self.beats += 1

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.environment["NOTIFY_SOCKET"])
        self._thread.join()
        self._socket.close()


class Clock:
    """How late a thread is that sleeps as the daemon does: what the machine is, whoever runs on it."""

    PAUSE = 0.05

    def __init__(self):
        self.latest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        last = time.monotonic()
        while not self._over.wait(self.PAUSE):
            now = time.monotonic()
            self.latest = max(self.latest, now - last - self.PAUSE)
            last = now

    def close(self):
        self._over.set()
        self._thread.join()


class Records:
    """The records in a file, read on as it grows; of the samples nothing is kept but their times."""

    def __init__(self, path):
        self._path, self._offset = path, 0
        self.events = collections.Counter()
        self.rules = collections.Counter()  # (event, rule)
        self.told = collections.Counter()  # messages that speak of trouble
        self.samples, self.last_sample = 0, None
        self.longest, self.longest_now = 0.0, 0.0  # between two samples: of all time, since take_longest()
        self.time_wait = 0

    def read(self):
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))

    def _take(self, record):
        event = record["TIMEWAITD_EVENT"]
        self.events[event] += 1
        if event == "sample":
            self._take_sample(record)
        elif "TIMEWAITD_RULE" in record:
            self.rules[event, record["TIMEWAITD_RULE"]] += 1
        if event in ("degraded", "reload-failed") or "TIMEWAITD_DROPPED" in record:
            self.told[record["MESSAGE"]] += 1

    def _take_sample(self, record):
        at = int(record["__REALTIME_TIMESTAMP"]) / 1e6
        if self.last_sample is not None:
            gap = at - self.last_sample
            self.longest, self.longest_now = max(self.longest, gap), max(self.longest_now, gap)
        self.last_sample = at
        self.samples += 1
        self.time_wait = int(record.get("TIMEWAITD_TIME_WAIT", 0))

    def take_longest(self):
        longest, self.longest_now = self.longest_now, 0.0
        return longest

    def count(self, event, rule):
        return self.rules[event, rule]


class Vitals:
    """What /proc tells of a process."""

    def __init__(self, pid):
        self._pid = pid

    def memory_kib(self):
        """Resident memory."""
        with open(f"/proc/{self._pid}/status") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self._pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self._pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
