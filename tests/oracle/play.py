# SPDX-License-Identifier: GPL-2.0-or-later
"""
Plays scripts of scripts/ with real sockets, each in a network namespace of its own, some of them at a time, and prints
what came of it, as script.c does in the simulated kernel: the two have to print the same.

    play.py FILE...
"""

import collections
import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

from reading import COUNTERS, STATES, counters, dump, sockstat

IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE = 24, 51
RESET = struct.pack("=ii", 1, 0)
CLONE_NEWNET = 0x40000000
ADDRESSES = ("10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4")
ADDRESSES6 = ("fd00::1", "fd00::2")
# On a connection whose other end is there, for a moment only.
PASSING = ("fin-wait-1", "last-ack", "closing")
HEAD = "== "
# What is farther has passed something by.
PACE_MAX = 16
# Most of the time they wait.
AT_A_TIME = 16
# An answer on the loopback takes microseconds: from a server that may have a full queue, what is not there after this
# does not come; from the others it comes, however slow the machine is.
PATIENCE, PATIENCE_FOR_ALL = 0.4, 60


def version():
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


def error_name(error):
    return "no answer" if error == errno.EINPROGRESS else errno.errorcode[error]


class Script:
    def __init__(self):
        self.groups = collections.defaultdict(list)  # of [near, far]
        self.listeners = {}
        self.slow = set()
        self.low, self.high = 32768, 60999
        self.told = []

    def say(self, text):
        self.told.append(text)

    @staticmethod
    def set_sysctl(name, value):
        path = name.replace(".", "/") if name.startswith("net.") else f"net/ipv4/{name}"
        with open(f"/proc/sys/{path}", "w") as file:
            file.write(str(value))

    # ---- the words

    def do_needs(self, wanted, options):
        if version() >= tuple(int(part) for part in wanted.split(".")):
            return False
        self.say(f"needs Linux {wanted}")
        return True

    def do_range(self, low, high, options):
        self.low, self.high = int(low), int(high)
        self.set_sysctl("ip_local_port_range", f"{low} {high}")

    def do_reserve(self, low, high, options):
        with open("/proc/sys/net/ipv4/ip_local_reserved_ports", "r+") as file:
            before = file.read().strip()
            file.seek(0)
            file.write(f"{before},{low}-{high}" if before else f"{low}-{high}")

    def do_sysctl(self, name, value, options):
        self.set_sysctl(name, value)

    @staticmethod
    def split(where):
        host, _, port = where.rpartition(":")
        return "" if host == "*" else host, int(port)

    @staticmethod
    def family(host):
        return socket.AF_INET6 if ":" in host else socket.AF_INET

    def do_listen(self, where, options):
        host, port = self.split(where)
        made = socket.socket(self.family(host))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
            made.listen(int(options.get("backlog", 4096)))
        except OSError as error:
            self.say(f"listen {where}: {error_name(error.errno)}")
            made.close()
            return
        made.setblocking(False)
        self.listeners[where] = made
        if "slow" in options:
            self.slow.add(where)

    def do_unlisten(self, where, options):
        self.listeners.pop(where).close()

    def new_socket(self, family, options):
        made = socket.socket(family)
        if "reuse" in options:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if "late" in options:
            made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        if "device" in options:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
        if "within" in options:
            low, high = map(int, options["within"].split("-"))
            made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", high << 16 | low))
        return made

    @staticmethod
    def port_of(options, number):
        port = int(options.get("port", 0))
        return port + number * int(options.get("every", 1)) if port else 0

    def accept_one(self, far_address):
        """The far end of the connection that was made last: listeners that are not slow have an empty queue else."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for where, listener in self.listeners.items():
                if where not in self.slow:
                    try:
                        made, _ = listener.accept()
                    except BlockingIOError:
                        continue
                    made.setblocking(True)
                    return made
            if all(where in self.slow for where in self.listeners) or any(
                self.split(where) == far_address for where in self.slow
            ):
                return None
        raise AssertionError("nothing to accept")

    def open_one(self, group, where, number, options):
        host, port = self.split(where)
        mapped = "mapped" in options
        near = self.new_socket(socket.AF_INET6 if mapped else self.family(host), options)
        source = options.get("source", "")
        prefix = "::ffff:" if mapped else ""
        try:
            if "bind" in options or "late" in options or "port" in options:
                near.bind((prefix + source if source else "", self.port_of(options, number)))
            near.settimeout(PATIENCE if where in self.slow else PATIENCE_FOR_ALL)
            near.connect((prefix + host, port))
        except TimeoutError:
            self.groups[group].append([near, None])
            return errno.EINPROGRESS
        except OSError as error:
            near.close()
            return error.errno
        self.groups[group].append([near, self.accept_one((host, port))])
        return 0

    def say_all(self, what, good, bad):
        errors = collections.Counter(bad)
        self.say(what + "".join(f", {count} {error_name(error)}" for error, count in errors.items()))

    def do_open(self, group, count, where, options):
        results = [self.open_one(group, where, number, options) for number in range(int(count))]
        self.say_all(f"{group}: {results.count(0)} opened", 0, [error for error in results if error])

    def do_left(self, where, options):
        parities, count = [0, 0], 0
        while not (error := self.open_one("left", where, count, options)):
            near, _ = self.groups["left"][-1]
            parities[(near.getsockname()[1] - self.low) % 2] += 1
            count += 1
        self.say(f"left to {where}: {count} ({parities[0]} + {parities[1]}), then {error_name(error)}")

    def do_pace(self, group, options):
        ports = [near.getsockname()[1] for near, _ in self.groups[group]]
        width = self.high - self.low + 1
        steps = [(port - before) % width for before, port in zip(ports, ports[1:])]
        steps = [step for step in steps if step <= PACE_MAX]
        self.say(f"pace of {group}: {sum(steps) / len(steps):.0f}")

    def do_bound(self, group, count, options):
        source = options.get("source", "")
        good, bad = 0, []
        for number in range(int(count)):
            made = self.new_socket(self.family(source), options)
            try:
                made.bind((source, self.port_of(options, number)))
                if "listen" in options:
                    made.listen(16)
            except OSError as error:
                bad.append(error.errno)
                made.close()
                continue
            good += 1
            self.groups[group].append([made, None])
        self.say_all(f"{group}: {good} bound", good, bad)

    def _end(self, what, group, side, most, options):
        index = 0 if side == "near" else 1
        chosen = [ends for ends in self.groups[group] if ends[index] is not None][: int(most) if most else None]
        for ends in chosen:
            if what == "reset":
                ends[index].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                continue
            with contextlib.suppress(OSError):  # one that is not connected
                ends[index].shutdown(socket.SHUT_WR)
        self.settle()
        for ends in chosen if what != "shutdown" else []:
            ends[index].close()
            ends[index] = None
        self.settle()

    @staticmethod
    def settle():
        """
        Until each FIN is acknowledged: the other end's, closed too early, would cross it on the way, and an orphan that
        is still busy with an acknowledgement becomes no mini-socket.
        """
        end = time.monotonic() + PATIENCE_FOR_ALL
        while any(STATES[row.state] in PASSING for row in dump()) and time.monotonic() < end:
            time.sleep(0.01)

    def do_close(self, group, side, most=None, options=()):
        self._end("close", group, side, most, options)

    def do_reset(self, group, side, most=None, options=()):
        self._end("reset", group, side, most, options)

    def do_shutdown(self, group, side, most=None, options=()):
        self._end("shutdown", group, side, most, options)

    def do_wait(self, milliseconds, options):
        time.sleep(int(milliseconds) / 1000)

    # ---- what came of it

    def end_text(self, host, port):
        return f"{host} *" if self.low <= port <= self.high else f"{host} {port}"

    def describe(self, row):
        state = STATES[row.state]
        # A timer of 3 is that of a mini-socket.
        mini = " mini" if row.timer == 3 else ""
        text = f"{state}{mini} {4 if row.family == socket.AF_INET else 6} {self.end_text(row.local, row.local_port)}"
        if state not in ("listen", "bound"):
            text += f" > {self.end_text(row.remote, row.remote_port)}"
        if row.device:
            text += f" device {row.device}"
        if state == "listen":
            text += f" queue {row.rqueue} of {row.wqueue}"
        return text

    def picture(self):
        rows = collections.defaultdict(lambda: [0, 0])
        for row in dump():
            rows[self.describe(row)][(row.local_port - self.low) % 2] += 1
        lines = [f"  {text}: {near} + {other}" for text, (near, other) in sorted(rows.items())]
        stat, counted = sockstat(), counters()
        last = f"  inuse {stat['TCP']['inuse']}, inuse6 {stat['TCP6']['inuse']}, tw {stat['TCP']['tw']}"
        last += f", established {counted['CurrEstab']}"
        last += "".join(f", {name} {counted[key]}" for name, key in COUNTERS if counted[key])
        return [*lines, last]

    def do_show(self, options):
        """What was closed a moment ago settles in microseconds, on a busy machine in milliseconds."""
        before, now = None, self.picture()
        while now != before:
            time.sleep(0.05)
            before, now = now, self.picture()
        self.told += ["show", *now]

    def do_states(self, options):
        """Counters move while SYN is sent again."""
        self.told += ["states", *self.picture()[:-1]]

    def do_alone(self, options):
        """Until it ends no other script that says so is played: where connect() goes on is not a namespace's."""
        self.lock = open(sys.executable)  # noqa: SIM115
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def do_long(self, options):
        """For those who choose what to play: it takes a minute."""

    def play(self, text):
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            if not words:
                continue
            verb, *rest = words
            plain, options = [], {}
            for word in rest:
                name, is_given, value = word.partition("=")
                if is_given or name in ("bind", "late", "mapped", "reuse", "listen", "slow", "device"):
                    options[name] = value
                else:
                    plain.append(word)
            if getattr(self, f"do_{verb}")(*plain, options=options):
                break
        return "\n".join(self.told) + "\n"


def isolate():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    commands = ["link set lo up"]
    commands += [f"address add {address} dev lo" for address in ADDRESSES]
    commands += [f"address add {address}/128 dev lo nodad" for address in ADDRESSES6]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def play(path):
    isolate()
    with open(path) as file:
        return Script().play(file.read())


def begin(path):
    """In a process of its own, which has its namespace for as long as it lives. Its pid, and where it writes to."""
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115
    pid = os.fork()
    if pid == 0:
        try:
            output.write(play(path))
        except Exception:
            traceback.print_exc(file=output)
        output.flush()
        os._exit(0)
    return pid, output


def play_all(paths):
    """Prints what each of these came to, or what went wrong, below a line with its path."""
    waiting, playing, results = list(paths), {}, {}
    while waiting or playing:
        while waiting and len(playing) < AT_A_TIME:
            path = waiting.pop(0)
            pid, output = begin(path)
            playing[pid] = path, output
        pid, _ = os.wait()
        path, output = playing.pop(pid)
        with output:
            output.seek(0)
            results[path] = output.read()
    for path in paths:
        sys.stdout.write(f"{HEAD}{path}\n{results[path]}")


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    play_all(sys.argv[1:])
