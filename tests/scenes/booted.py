# SPDX-License-Identifier: GPL-2.0-or-later
"""A stage with a real systemd and a real journal, for scenes in which services are told apart."""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import time

from stage import Stage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "systemd"))

from machine import UNIT, Machine, why_not  # noqa: E402, F401

DROP_INS = "/etc/timewaitd/timewaitd.conf.d"


class Journal:
    """What the installed service told its journal; its records carry SINCE, the seconds since the onset."""

    def __init__(self, stage):
        self._stage, self._machine = stage, stage.machine

    def records(self, event=None, **fields):
        found = [record for record in self._machine.journal(event, **fields) if "TIMEWAITD_EVENT" in record]
        for record in found:
            record["SINCE"] = round(int(record["__REALTIME_TIMESTAMP"]) / 1e6 - self._stage.onset, 2)
        return found

    def wait(self, event, timeout=90, **fields):
        """Waits for the first record of that event with these fields (rule="x"); returns it, or None when it is too late."""
        with contextlib.suppress(AssertionError):
            return self._machine.wait_for(event, seconds=timeout, **{key.upper(): value for key, value in fields.items()})
        return None

    def wait_for_peace(self, timeout=180):
        with contextlib.suppress(AssertionError):
            self._machine.wait_until(
                lambda: self._stage.sysctls_as_before() and len(self.records("raised")) <= len(self.records("cleared")),
                "peace",
                timeout,
            )

    def end(self):
        """Stops it. Returns what was wrong with that, in words; nothing where all was well."""
        self._machine.run("systemctl", "stop", UNIT)
        result = self._machine.property("Result")
        return "" if result == "success" else f"the service ended with {result}"


class Booted(Stage):
    """As Stage, but the watched namespace is that of a booted machine, `machine`, and servers are its services."""

    def __init__(self, scene, short, watching):
        self.short = short
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tw-scene-"))
        self.facts = {}
        self.onset = time.time()
        self.daemon = None
        self._kept = contextlib.ExitStack()
        self._kept.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._scene, self._watching = scene, watching
        self._before = {}
        self.machine = Machine(self.directory / "machine")
        self._kept.callback(self.machine.stop)

    def start_service(self, name, program, *arguments):
        """A program as a service of that name."""
        self.machine.start_command(name, self.program(program), *map(str, arguments))

    def wait_listening(self, namespace, port, timeout=60):
        command = [*(["ip", "netns", "exec", namespace] if namespace else []), "ss", "-Hltn", f"sport = :{port}"]
        self.machine.mark()
        self.machine.wait_until(lambda: self.machine.run(*command).strip(), f"a listener on port {port}", timeout)

    def watch(self):
        if self._watching:
            self.machine.install()
        self._before = self._sysctls()
        if not self._watching:
            return
        for name, text in self.drop_ins().items():
            self.machine.write(f"{DROP_INS}/{name}", text)
        self.machine.mark()
        self.machine.run("systemctl", "start", UNIT)
        self.daemon = Journal(self)

    def _sysctls(self):
        lines = self.machine.run("sysctl", "-a", "-r", r"^net\.(ipv4\.(tcp|ip)_|core\.)").splitlines()
        return dict(line.split(" = ", 1) for line in lines if " = " in line)

    def changes(self):
        now = self._sysctls()
        return {key: (was, now[key]) for key, was in self._before.items() if now.get(key, was) != was}
