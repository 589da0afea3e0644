# SPDX-License-Identifier: GPL-2.0-or-later
"""Where is measured: a private network namespace full of sockets, and the programs that look at them."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from buses import Bus  # noqa: E402
from namespaces import Namespace, end_process, prune  # noqa: E402
from programs import BUILD, ENVIRONMENT, SHIPPED_CONF, TIMEWAITD, Daemon  # noqa: E402

EXPORTER_PORT = 9100
# What makesockets takes its local ports from, so that they are such as connect() picks.
PORT_RANGE = "10000 60999"
# Nearly as long as TIME-WAIT lasts, so that what expires is spread over it, but for the kernel's own lumps. Fewer are
# made in no time.
SPREAD_SECONDS = 57
SPREAD_FROM = 1_000_000


def tool(name):
    return str(BUILD / "tests/bench" / name)


def cpu_seconds(pid):
    """CPU time of all threads of a process, those that have ended too: the kernel's clock of it, clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_kib(pid):
    """What a process holds now, and the most that it ever held."""
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return int(fields["VmRSS"].split()[0]), int(fields["VmHWM"].split()[0])


class Worker:
    """rawdump, measure or ask: lives on, and does one piece of work for each word."""

    def __init__(self, namespace, name, *arguments):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = namespace.start(tool(name), *arguments, **pipes, text=True)

    def do(self, word):
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{word}: {self._process.args[-1]} ended")
        return json.loads(line)

    def stop(self):
        end_process(self._process)


class Field:
    """A namespace with `number` sockets in `state` ("time-wait", "established"; None: nothing) towards `destinations`."""

    def __init__(self, state=None, number=0, destinations=0):
        with contextlib.ExitStack() as stack:
            self.namespace = self._isolated(stack)
            self.namespace.ip("route", "add", "local", "10.0.0.0/8", "dev", "lo")
            self.namespace.set_sysctl("net.ipv4.ip_local_port_range", PORT_RANGE)
            self.about = {"state": state, "number": number, "destinations": destinations}
            if state:
                self.namespace.set_sysctl("net.ipv4.tcp_max_tw_buckets", 4 * number)
                self.about["fill_seconds"] = self._fill(state, number, destinations)
            self.raw = Worker(self.namespace, "rawdump")
            self.wing = Worker(self.namespace, "measure")
            self._exporter = None
            self._close = stack.pop_all().close

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    @staticmethod
    def _isolated(stack):
        """
        With a socket table of its own, as large as the machine's: every dump walks over the whole table, and other
        namespaces' sockets in it would be paid for here. Before Linux 6.1 they are.
        """
        parent = stack.enter_context(contextlib.closing(Namespace()))
        with contextlib.suppress(FileNotFoundError), open("/proc/sys/net/ipv4/tcp_ehash_entries") as file:
            parent.set_sysctl("net.ipv4.tcp_child_ehash_entries", abs(int(file.read())))
        with parent.entered():
            return stack.enter_context(contextlib.closing(Namespace()))

    def _fill(self, state, number, destinations):
        spread = (str(SPREAD_SECONDS),) if state == "time-wait" and number >= SPREAD_FROM else ()
        command = (tool("makesockets"), state, str(number), str(destinations), *spread)
        maker = self.namespace.start(*command, stdout=subprocess.PIPE, text=True)
        said = maker.stdout.readline().split()
        if said[:1] != ["ready"]:
            raise RuntimeError("makesockets ended")
        return int(said[1]) / 1000

    def ss(self):
        """`ss -Htan | wc -l`, both counted."""
        began = time.monotonic()
        with self.namespace.entered():
            ss = subprocess.Popen(["ss", "-Htan"], stdout=subprocess.PIPE)
        wc = subprocess.Popen(["wc", "-l"], stdin=ss.stdout, stdout=subprocess.DEVNULL)
        ss.stdout.close()
        usages = [os.wait4(process.pid, 0)[2] for process in (ss, wc)]
        for process in (ss, wc):
            process.returncode = 0
        cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        return {"cpu_ns": int(cpu * 1e9), "wall_ns": int((time.monotonic() - began) * 1e9)}

    def start_exporter(self, program):
        self._exporter = self.namespace.start(
            program,
            "--collector.disable-defaults",
            "--collector.tcpstat",
            "--web.disable-exporter-metrics",
            f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}",
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.scrape()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{program} does not answer")

    def scrape(self):
        """node_exporter's tcpstat, asked for once."""
        before, began = cpu_seconds(self._exporter.pid), time.monotonic()
        with self.namespace.entered():
            page = urllib.request.urlopen(f"http://127.0.0.1:{EXPORTER_PORT}/metrics", timeout=120).read()
        if b"node_tcp_connection_states" not in page:
            raise RuntimeError("node_exporter told nothing of TCP")
        used = cpu_seconds(self._exporter.pid) - before
        return {"cpu_ns": int(used * 1e9), "wall_ns": int((time.monotonic() - began) * 1e9)}

    def stop_exporter(self):
        end_process(self._exporter)


class Speaker:
    """timewaitd whose records are read the moment they come."""

    def __init__(self, namespace, directory, config):
        path = pathlib.Path(directory) / "speaker.conf"
        path.write_text(config)
        self.process = namespace.start(
            TIMEWAITD,
            f"--config={path}",
            "--log=json",
            f"--state-dir={directory}",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self._wait_for("started")

    def _wait_for(self, event):
        for line in self.process.stdout:
            if json.loads(line)["TIMEWAITD_EVENT"] == event:
                return
        raise RuntimeError(f"timewaitd ended before it said: {event}")

    def reload(self, signal):
        """Seconds from the signal to the record."""
        began = time.monotonic()
        self.process.send_signal(signal)
        self._wait_for("reloaded")
        return time.monotonic() - began

    def stop(self):
        end_process(self.process)


__all__ = ["BUILD", "Bus", "SHIPPED_CONF", "Daemon", "Field", "Speaker", "Worker", "cpu_seconds", "memory_kib", "prune"]
