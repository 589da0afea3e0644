# SPDX-License-Identifier: GPL-2.0-or-later
"""A private D-Bus, and busctl on it."""

import json
import pathlib
import socket
import subprocess

from namespaces import PATIENCE, end_process, wait_until
from programs import SOURCE

NAME, PATH, MANAGER = "org.timewaitd1", "/org/timewaitd1", "org.timewaitd1.Manager"
POLICY = SOURCE / "dbus/org.timewaitd1.conf"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

# As the system bus is, with the policy as it is installed, but for the user that may own the name.
CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <policy user="root">
    <allow own="{owned}"/>
  </policy>
  <include>{policy}</include>
</busconfig>
"""


class Bus:
    """A dbus-daemon on a socket of its own in a new directory, which can be stopped and started again."""

    def __init__(self, directory, owned=NAME):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        # "nobody" has to reach the socket; what tests make for their files is root's alone.
        for place in (self.directory, *self.directory.parents):
            if place.stat().st_mode & 0o005 != 0o005:
                place.chmod(0o755)
        self.socket = self.directory / "bus"
        self.address = f"unix:path={self.socket}"
        self._config = self.directory / "bus.conf"
        self._config.write_text(CONFIG.format(socket=self.socket, policy=POLICY, owned=owned))
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "dbus-daemon", "--nofork", "--nopidfile", f"--config-file={self._config}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._is_heard, "a bus")
        return self

    def _is_heard(self):
        """Whether it takes connections: the socket is there some moments before that."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop(self):
        if self.process:
            end_process(self.process)
            self.socket.unlink(missing_ok=True)
        self.process = None

    def try_busctl(self, *arguments, user=()):
        return subprocess.run(
            [*user, "busctl", f"--address={self.address}", "--json=short", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def busctl(self, *arguments, user=()):
        done = self.try_busctl(*arguments, user=user)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_call(self, method, *arguments, user=()):
        return self.try_busctl("call", NAME, PATH, MANAGER, method, *arguments, user=user)

    def call(self, method, *arguments, user=()):
        """What the method answers: its one value, or None."""
        output = self.busctl("call", NAME, PATH, MANAGER, method, *arguments, user=user)
        return json.loads(output)["data"][0] if output.strip() else None

    def get(self, name):
        return json.loads(self.busctl("get-property", NAME, PATH, MANAGER, name))["data"]

    def owner(self):
        """The unique name of who owns ours; None for nobody."""
        done = self.try_busctl(
            "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetNameOwner", "s", NAME
        )
        return json.loads(done.stdout)["data"][0] if done.returncode == 0 else None

    def send_signal(self, destination, path, member, *arguments):
        """A signal to one alone, by a user: the bus hands it on, whatever name it speaks in."""
        whom = [f"--bus={self.address}", "--type=signal", f"--dest={destination}"]
        subprocess.run([*NOBODY, "dbus-send", *whom, path, member, *arguments], check=True)

    def connections(self):
        """The unique names of who is on it."""
        names = self.busctl("call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "ListNames")
        return {name for name in json.loads(names)["data"][0] if name[0] == ":"}

    def wait_for_owner(self):
        wait_until(lambda: self.process and self.owner(), "the name")

    def snapshot(self, user=()):
        return json.loads(self.call("GetSnapshot", user=user))


class Listener:
    """Signals of the object, as they come."""

    def __init__(self, bus, directory):
        self._file = pathlib.Path(directory) / "signals"
        with open(self._file, "w") as output:
            self._process = subprocess.Popen(
                ["busctl", f"--address={bus.address}", "--json=short", "monitor", NAME],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
            )
        wait_until(lambda: self._hears(bus), "a monitor of the bus")

    def _hears(self, bus):
        """Not every busctl says when it begins; but then a call shows there, even one that nobody answers."""
        bus.try_busctl("get-property", NAME, PATH, MANAGER, "Mode")
        return self._file.stat().st_size > 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end_process(self._process)

    def signals(self, member):
        """The contents of those so far."""
        lines = self._file.read_text().split("\n")[:-1]
        found = [json.loads(line) for line in lines if line]
        return [one["payload"]["data"] for one in found if one.get("type") == "signal" and one["member"] == member]
