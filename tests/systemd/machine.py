# SPDX-License-Identifier: GPL-2.0-or-later
"""A booted systemd with timewaitd installed in it, from its own build directory by `make install`."""

import json
import os
import pathlib
import shutil
import subprocess
import time

import able

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TW_BUILDDIR", SOURCE / "build/test")).resolve()
SDBOOT = pathlib.Path(__file__).with_name("sdboot")
UNIT = "timewaitd.service"


def why_not():
    """Why no machine can be booted here; None where it can."""
    return able.why_not("systemd") or (None if shutil.which("/lib/systemd/systemd") else "there is no systemd")


class Machine:
    def __init__(self, place, root="/", binds=(SOURCE, BUILD)):
        self._place = str(place)
        self._sdboot("start", "-r", str(root), *(word for bind in binds for word in ("-b", str(bind))), self._place)
        self._cursor = None

    def _sdboot(self, *arguments, timeout=600):
        # Not captured by pipes: the machine would hold them open.
        log = pathlib.Path(self._place).with_suffix(".sdboot")
        with open(log, "w") as output:
            done = subprocess.run([SDBOOT, *arguments], stdout=output, stderr=output, timeout=timeout)
        assert done.returncode == 0, log.read_text()

    def install(self):
        self.run("make", "-C", str(BUILD), "install", timeout=300)
        self.run("systemd-sysusers")
        self.run("systemctl", "reload-or-restart", "dbus")
        self.run("journalctl", "--update-catalog")
        self.run("systemctl", "daemon-reload")

    def try_run(self, *command, timeout=180, **options):
        return subprocess.run(
            [SDBOOT, "exec", self._place, *command], capture_output=True, text=True, timeout=timeout, **options
        )

    def run(self, *command, **options):
        done = self.try_run(*command, **options)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path, text):
        self.run("mkdir", "-p", str(pathlib.Path(path).parent))
        self.run("tee", path, input=text)

    def start_command(self, name, *command, kind="exec"):
        """A command as a transient service, outside of the sandbox of timewaitd; of kind "notify", waits until it is ready."""
        self.run("systemd-run", "--quiet", f"--unit={name}", "--collect", f"--service-type={kind}", *command)

    def sysctl(self, key):
        return self.run("sysctl", "-n", key).strip()

    def property(self, name, unit=UNIT):
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def mark(self):
        """From now on journal() tells what comes later."""
        self._cursor = self.run("journalctl", "-n", "0", "--show-cursor", "-q").split("-- cursor: ")[1].strip()

    def journal(self, event=None, match=("-u", "timewaitd"), **fields):
        """What `journalctl -u timewaitd` has since the mark; of one event and with these fields (RULE="x"), if asked."""
        output = self.run("journalctl", *match, "-o", "json", "-q", f"--after-cursor={self._cursor}")
        return [
            record
            for record in map(json.loads, output.splitlines())
            if (event is None or record.get("TIMEWAITD_EVENT") == event)
            and all(record.get("TIMEWAITD_" + key) == value for key, value in fields.items())
        ]

    def story(self):
        return "\n".join(str(record.get("MESSAGE")) for record in self.journal())

    def wait_for(self, event, count=1, seconds=60, **fields):
        """Waits for the count-th such record and returns it."""
        self.wait_until(lambda: len(self.journal(event, **fields)) >= count, f"{event} {fields}", seconds)
        return self.journal(event, **fields)[count - 1]

    def wait_until(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s: {what}\n{self.story()}"
            time.sleep(0.1)

    def stop(self):
        self._sdboot("stop", self._place)
