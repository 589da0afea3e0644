# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs under test and the load programs, as objects."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from namespaces import PATIENCE, end_process, run, wait_until
from settings import PORTS, QUICK, WANTED, adjusting  # noqa: F401 - what tests have a daemon do, beside the daemon

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TW_BUILDDIR", SOURCE / "build/test")).resolve()
TIMEWAITD = str(BUILD / "timewaitd")
SHIPPED_CONF = SOURCE / "conf/timewaitd.conf"

# What the daemon must not take from the machine that the tests run on.
ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if key not in ("RUNTIME_DIRECTORY", "STATE_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
}
# Nor may it ask this machine's bus for its name.
ENVIRONMENT["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent/bus"


def read_sysctls(namespace):
    """Their values now."""
    return {key: namespace.sysctl(key) for key in WANTED}


def tool(name):
    return str(BUILD / "tests/tools" / name)


def is_sanitized():
    """Whether a sanitizer takes memory at will, and keeps what is freed for a while."""
    with open(TIMEWAITD, "rb") as file:
        return b"__asan_init" in file.read()


class Daemon:
    """timewaitd in a namespace, its records in a file as JSON."""

    program = TIMEWAITD
    prefix = ()  # a command that starts it

    def __init__(self, namespace, directory, config, *arguments, wait=True):
        self.namespace = namespace
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.config = self.directory / "timewaitd.conf"
        self.config.write_text(config)
        self.state = self.directory / "state"
        self.state.mkdir(exist_ok=True)
        self.environment = {}  # beside that of the tests
        self._arguments = arguments
        self._log = self.directory / "records"
        self._errors = self.directory / "errors"
        self.process = None
        self.start(wait)

    def start(self, wait=True):
        """Starts it, again or for the first time, and waits until it watches; the records go on in the same file."""
        before = len(self.records("started"))
        with open(self._log, "ab") as log, open(self._errors, "ab") as errors:
            self.process = self.namespace.start(
                *self.prefix,
                self.program,
                f"--config={self.config}",
                "--log=json",
                f"--state-dir={self.state}",
                *self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=errors,
                env={**ENVIRONMENT, **self.environment},
            )
        if not wait:
            return
        wait_until(
            lambda: len(self.records("started")) > before or self.process.poll() is not None,
            lambda: "started: " + self.story(),
        )
        assert self.process.poll() is None, "ended at once: " + self.story()

    def links(self):
        """What its descriptors lead to; one that is closed just then to nothing."""
        found = []
        for entry in os.scandir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(entry.path))
        return found

    def descriptors(self):
        """
        How many it keeps: some are open for a moment, while it reads a directory or names a unit; and files that it
        reads seldom are opened by turns, and kept.
        """
        least = []

        def settled():
            least.append(min(len(self.links()) for _ in range(50) if not time.sleep(0.01)))
            return least[-1:] == least[-2:-1]

        wait_until(settled, lambda: f"the number of its descriptors goes on changing: {least}")
        return least[-1]

    def records(self, event=None, **fields):
        """The records so far, whole lines only; of one event and with these fields (RULE="x"), if asked for."""
        if not self._log.exists():
            return []
        lines = self._log.read_text().split("\n")[:-1]
        found = [json.loads(line) for line in lines]
        return [
            record
            for record in found
            if (event is None or record["TIMEWAITD_EVENT"] == event)
            and all(record.get("TIMEWAITD_" + key) == value for key, value in fields.items())
        ]

    def wait_for(self, event, count=1, seconds=PATIENCE, **fields):
        """Waits for the count-th such record and returns it."""
        return wait_until(
            lambda: self.records(event, **fields)[count - 1 :],
            lambda: f"{event} {fields}: {self.story()}",
            seconds,
        )[0]

    def story(self):
        """All that it said, for the message of a failed test."""
        said = [f"{record['TIMEWAITD_EVENT']}: {record['MESSAGE']}" for record in self.records()]
        return "\n".join(said + [self.errors()])

    def forget(self):
        """Begins the records anew; for a daemon that has ended."""
        self._log.write_text("")

    def errors(self):
        return self._errors.read_text()

    def reload(self, config=None):
        if config is not None:
            self.config.write_text(config)
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Stops it as the service manager does: it must end well, and a sanitizer must have found nothing."""
        status = end_process(self.process)
        assert status == 0, f"exit status {status}: {self.story()}"
        assert self.errors() == ""

    def restore(self):
        """timewaitd --restore on its ledger; returns the records of that run."""
        done = self.namespace.try_run(
            TIMEWAITD, "--restore", "--log=json", f"--state-dir={self.state}", env=ENVIRONMENT
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def namespaces_held(daemon):
    return sum(link.startswith("net:[") for link in daemon.links())


class Confined(Daemon):
    """In a mount namespace of its own, made by a shell command."""

    def __init__(self, namespace, directory, config, mounts, **options):
        directory.mkdir()
        mounts = mounts.format(state=directory / "state")
        self.prefix = ("unshare", "-m", "sh", "-ec", f'{mounts}; exec "$@"', "sh")
        super().__init__(namespace, directory, config, **options)

    def inside(self, path):
        """A path as the daemon sees it."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{path}")

    def mount(self, *arguments):
        """mount(8), in its namespace and below its root, which is not that of the namespace where all runs in a chroot."""
        proc = f"/proc/{self.process.pid}"
        run("nsenter", f"--mount={proc}/ns/mnt", f"--root={proc}/root", "mount", *arguments)


def once(namespace, *arguments):
    """timewaitd --once --json: the one namespace that it tells of."""
    done = namespace.try_run(TIMEWAITD, "--once", "--json", *arguments, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    page = json.loads(done.stdout)
    assert list(page) == ["namespaces"] and len(page["namespaces"]) == 1
    return page["namespaces"][0]


def start_sink(namespace, address, port, *options):
    """A server; it listens when this returns."""
    sink = namespace.start(tool("sinkd"), *options, address, str(port), stdout=subprocess.PIPE, text=True)
    assert sink.stdout.readline() == "ready\n"
    return sink


class Churn:
    """A client under way: rate connections a second towards a sink."""

    def __init__(self, namespace, address, port, rate, seconds, *options):
        self.process = namespace.start(
            tool("churn"),
            f"--rate={rate}",
            f"--seconds={seconds}",
            *options,
            address,
            str(port),
            stdout=subprocess.PIPE,
            text=True,
        )

    def __iter__(self):
        """Its seconds as they end; the last one is the total."""
        for line in self.process.stdout:
            yield json.loads(line)

    def finish(self):
        """Its seconds, all of them, and the total."""
        lines = list(self)
        assert self.process.wait() == 0
        return lines[:-1], lines[-1]

    def end(self):
        """Ends it before its time; returns how many have failed."""
        self.process.terminate()
        return self.finish()[1]["failed"]
