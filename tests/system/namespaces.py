# SPDX-License-Identifier: GPL-2.0-or-later
"""Private network namespaces, joined in pairs by a veth, with everything that runs in them."""

import contextlib
import ctypes
import itertools
import os
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_PREFIX = "twtest"
_numbers = itertools.count()
# Of a test that waits for something, in seconds: more than any busy machine takes.
PATIENCE = 60


def run(*command, **options):
    """Runs a command to its end; an error says what the command said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wait_until(condition, what, seconds=PATIENCE):
    """Polls until condition() is true and returns its value; fails with what() or `what` when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def comes_soon(condition, seconds):
    """
    Whether condition() comes true within so many seconds of a machine that is on time: in turns of a wait of our own, so
    that what the machine is late by is not held against who is looked at.
    """
    for _ in range(round(seconds / 0.02)):
        if condition():
            return True
        time.sleep(0.02)
    return False


def end_process(process, timeout=PATIENCE):
    """Ends a process that we started, by its pid: kindly, then for sure. Returns its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def _made_by_tests():
    return [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.startswith(_PREFIX)]


def ours():
    """The names of the namespaces that this process has made and that are there now."""
    return [name for name in _made_by_tests() if name.startswith(f"{_PREFIX}{os.getpid()}-")]


def delete_name(name):
    """The namespace itself lasts for as long as somebody is in it."""
    run("ip", "netns", "del", name)


def prune():
    """Removes what a killed process left: its namespaces carry its pid. Others may do the same at this moment."""
    for name in _made_by_tests():
        if os.path.exists("/proc/" + name[len(_PREFIX) :].split("-")[0]):
            continue
        try:
            delete_name(name)
        except RuntimeError:
            if name in _made_by_tests():
                raise


class Namespace:
    """A network namespace with a name under /run/netns, removed with all its processes by close()."""

    def __init__(self, name=None):
        self.name = name or f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
        self._processes = []
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        return run("ip", "-n", self.name, *arguments)

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.name, *command, **options)

    def try_run(self, *command, **options):
        """The same for commands that may fail: what subprocess.run() returns."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *command], capture_output=True, text=True, timeout=2 * PATIENCE, **options
        )

    def start(self, *command, **options):
        """Starts a command, which lives until end_process() or close(), and not longer than this process."""
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.name, *command], **options
        )
        self._processes.append(process)
        return process

    @contextlib.contextmanager
    def entered(self):
        """This thread is in the namespace; sockets made here stay in it."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            _setns(there)
            try:
                yield
            finally:
                _setns(home)

    def sysctl(self, key):
        with self.entered(), open("/proc/sys/" + key.replace(".", "/")) as file:
            return " ".join(file.read().split())

    def set_sysctl(self, key, value):
        with self.entered(), open("/proc/sys/" + key.replace(".", "/"), "w") as file:
            file.write(str(value))

    def all_sysctls(self):
        """Every sysctl of TCP/IP and of sockets that can be read here, by its path."""
        values = {}
        with self.entered():
            for folder in ("/proc/sys/net/ipv4", "/proc/sys/net/core"):
                for name in sorted(os.listdir(folder)):
                    with contextlib.suppress(OSError), open(f"{folder}/{name}") as file:
                        values[f"{folder}/{name}"] = file.read()
        return values

    def close(self):
        for process in self._processes:
            end_process(process)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        run("ip", "netns", "del", self.name)


def _setns(file):
    if _libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def wire(device, near, far):
    """Joins two namespaces by a veth, which has this name at both ends: (namespace, IPv4 address) each."""
    run(*f"ip link add {device} netns {near[0].name} type veth peer name {device} netns {far[0].name}".split())
    for namespace, address in (near, far):
        namespace.ip("addr", "add", f"{address}/24", "dev", device)
        namespace.ip("link", "set", device, "up")


class Pair:
    """Two namespaces on one wire: the daemon and the clients in `near`, the servers in `far`."""

    NEAR, FAR = "10.99.0.1", "10.99.0.2"
    NEAR6, FAR6 = "fd99::1", "fd99::2"
    # An Ethernet address that no one on the wire has: what is sent there is lost without a word.
    NOWHERE = "02:00:00:00:00:99"

    def __init__(self):
        with contextlib.ExitStack() as stack:
            self.near = Namespace()
            stack.callback(self.near.close)
            self.far = Namespace()
            stack.callback(self.far.close)
            wire("veth0", (self.near, self.NEAR), (self.far, self.FAR))
            for namespace, address in ((self.near, self.NEAR6), (self.far, self.FAR6)):
                namespace.ip("addr", "add", f"{address}/64", "dev", "veth0", "nodad")
            self._close = stack.pop_all().close

    def lose(self, *addresses):
        """From now on what `near` sends to these addresses is lost; what they send still arrives."""
        for address in addresses:
            self.near.ip("neigh", "replace", address, "lladdr", self.NOWHERE, "nud", "permanent", "dev", "veth0")

    def close(self):
        self._close()
