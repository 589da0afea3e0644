# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a scene is played: a watched network namespace, its neighbours, and in the second playing the daemon."""

import contextlib
import ipaddress
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from namespaces import Namespace, run, wait_until
from programs import ENVIRONMENT, SHIPPED_CONF, SOURCE, Daemon

# Programs of Debian packages that are unpacked, not installed: installing them would start a service.
ROOT = pathlib.Path(os.environ.get("TW_SCENES_ROOT", SOURCE / "build/scenes/root")).resolve()
EXAMPLES = SOURCE / "conf/examples"

# What the short form changes: waiting for what is proved by waiting takes seconds, not a minute.
SHORT = """\
[daemon]
proof-after = 5s

[rule port-exhaustion]
clear-for = 3s

[rule time-wait-overflow]
clear-for = 3s

[rule close-wait-leak]
clear-for = 3s

[rule accept-queue]
clear-for = 3s
"""

# Puts a folder in the place of /etc/timewaitd, in a mount namespace of its own, so that the configuration is read as an
# installed daemon reads it: the file, then the drop-ins. $1 is the program, $2 its --config, which is left out.
INSTALLED = """
folder=$(dirname "${2#--config=}") program=$1
shift 2
mount -t tmpfs tmpfs /etc && mkdir /etc/timewaitd && mount --bind "$folder" /etc/timewaitd && exec "$program" "$@"
"""


class Watcher(Daemon):
    """The daemon with the shipped configuration and drop-ins; its records carry SINCE, the seconds since the onset."""

    prefix = ("sh", "-c", INSTALLED, "sh")

    def __init__(self, stage, drop_ins):
        folder = stage.directory / "timewaitd"
        (folder / "timewaitd.conf.d").mkdir(parents=True)
        for name, text in drop_ins.items():
            (folder / "timewaitd.conf.d" / name).write_text(text)
        self._stage = stage
        super().__init__(stage.watched, folder, SHIPPED_CONF.read_text())

    def records(self, event=None, **fields):
        found = super().records(event, **fields)
        for record in found:
            record["SINCE"] = round(int(record["__REALTIME_TIMESTAMP"]) / 1e6 - self._stage.onset, 2)
        return found

    def wait(self, event, timeout=90, **fields):
        """Waits for the first record of that event with these fields (rule="x"); returns it, or None when it is too late."""
        with contextlib.suppress(AssertionError):
            return self.wait_for(event, seconds=timeout, **{key.upper(): value for key, value in fields.items()})
        return None

    def _unsettled(self):
        """Whether a rule is still raised or a change not put back, by the records."""
        owed = len(self.records("adjusted")) and not self._stage.sysctls_as_before()
        return owed or len(self.records("raised")) > len(self.records("cleared"))

    def wait_for_peace(self, timeout=180):
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self._unsettled(), "peace", timeout)

    def end(self):
        """Stops it. Returns what was wrong with that, in words; nothing where all was well."""
        try:
            self.stop()
        except AssertionError as error:
            return str(error).splitlines()[0] + " " + self.errors()
        return ""


class Stage:
    """
    The watched namespace, and what a scene adds to it. All of it vanishes with close(). Threads: a stage belongs to the
    thread that made it, for what it starts dies with that thread.
    """

    all = set()  # those that are not closed yet

    def __init__(self, scene, short, watching):
        self.short = short
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tw-scene-"))
        self.facts = {}  # what a scene has measured and its judge() wants to know
        self.onset = time.time()
        self.daemon = None
        self._kept = contextlib.ExitStack()
        self._kept.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._scene, self._watching = scene, watching
        self._veths = 0
        self._before = {}
        self.watched = self._namespace()
        Stage.all.add(self)

    def _namespace(self):
        made = Namespace()
        self._kept.callback(made.close)
        return made

    def peer(self, *addresses):
        """
        A neighbour with these addresses ("10.1.0.2/24", "fd00:1::2/64") at the other end of a veth. The watched end has
        the first address of each network: 10.1.0.1, fd00:1::1.
        """
        peer = self._namespace()
        link = f"veth{self._veths}"
        self._veths += 1
        run(*f"ip link add {link} netns {self.watched.name} type veth peer name veth0 netns {peer.name}".split())
        faces = [ipaddress.ip_interface(address) for address in addresses]
        for face in faces:
            self.add_address(peer, "veth0", str(face))
        for network in dict.fromkeys(face.network for face in faces):
            self.add_address(self.watched, link, f"{network.network_address + 1}/{network.prefixlen}")
        peer.ip("link", "set", "veth0", "up")
        self.watched.ip("link", "set", link, "up")
        return peer

    @staticmethod
    def add_address(namespace, link, address):
        namespace.ip("addr", "add", address, "dev", link, *(["nodad"] if ":" in address else []))

    def program(self, name):
        """The path of a program: of an unpacked package first, then of the system."""
        path = ":".join([*(f"{ROOT}/{part}" for part in ("usr/sbin", "usr/bin")), os.environ["PATH"], "/usr/sbin", "/sbin"])
        found = shutil.which(name, path=path)
        if not found:
            raise FileNotFoundError(f"there is no {name}: its package must be in tests/scenes/packages")
        return found

    def start(self, namespace, program, *arguments, **options):
        """Starts a program in a namespace; it ends with the stage at the latest."""
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return namespace.start(self.program(program), *map(str, arguments), **{**quiet, "env": ENVIRONMENT, **options})

    def output(self, process, timeout):
        """What a program that was started with stdout=PIPE said, when it has ended."""
        return process.communicate(timeout=timeout)[0]

    def wait_listening(self, namespace, port, timeout=60):
        wait_until(lambda: namespace.run("ss", "-Hltn", f"sport = :{port}").strip(), f"a listener on port {port}", timeout)

    def drop_ins(self):
        """The drop-ins that the scene is played with, by the names of their files."""
        drop_ins = {"90-short.conf": SHORT, "zz-shorter.conf": self._scene.shorter} if self.short else {}
        if self._scene.drop_in:
            drop_ins[self._scene.drop_in] = (EXAMPLES / self._scene.drop_in).read_text()
        return drop_ins

    def watch(self):
        """The daemon enters, if it plays: after prepare(), before load()."""
        self._before = self.watched.all_sysctls()
        if not self._watching:
            return
        self.daemon = Watcher(self, self.drop_ins())

    def mark(self):
        """The onset: the trouble begins now."""
        self.onset = time.time()

    def changes(self):
        """The sysctls of the watched namespace that are not what they were before the daemon came: (before, now)."""
        now = self.watched.all_sysctls()
        return {
            key.removeprefix("/proc/sys/").replace("/", "."): (was.strip(), now[key].strip())
            for key, was in self._before.items()
            if now.get(key, was) != was
        }

    def sysctls_as_before(self):
        return not self.changes()

    def close(self):
        Stage.all.discard(self)
        self._kept.close()
