# SPDX-License-Identifier: GPL-2.0-or-later
"""What the healthy scenes share: clients and servers of Debian, and the proof that a scene does come near an alarm."""

import collections
import re
import resource
import subprocess
import time

from namespaces import wait_until
from scene import Scene

# Some servers here hold thousands of connections, and haproxy asks for two descriptors each.
DESCRIPTORS = 20000


class Busy(Scene):
    """A healthy scene: `tempts` is the rule that it comes near to, and near() shows how near it came."""

    healthy = True
    must = "no alarm; nothing written; no client fails"
    tempts = ""

    def why_not(self):
        hard = allow_descriptors()
        return f"a program may have {hard} descriptors here, not {DESCRIPTORS}" if hard < DESCRIPTORS else None

    def near(self, stage, what, value, least):
        """Notes how near it came. Below `least` the scene would be too light to prove anything, and does not pass."""
        stage.facts.setdefault("near", {})[what] = {"value": value, "least": least}

    def after(self, stage):
        """A census more, or at least some looks: what is to be seen may be seen a little later."""
        if stage.daemon:
            time.sleep(2 if stage.short else 6)

    def judge(self, outcome):
        found = []
        for play in filter(None, (outcome.alone, outcome.watched)):
            if play.load.failed:
                found.append(f"{play.load.failed} clients failed")
            for what, had in play.facts["near"].items():
                if had["value"] < had["least"]:
                    found.append(f"too light to tempt {self.tempts}: {what} is {had['value']}, not {had['least']}")
        return found


def allow_descriptors():
    """Lets the programs to come have as many descriptors as this machine gives; returns how many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def count_sockets(namespace, *choice):
    """How many TCP sockets `ss` shows: count_sockets(namespace, "state", "established", "dport", "=", ":80")."""
    return namespace.run("ss", "-Htan", *choice).count("\n")


def count_by_peer(namespace):
    """How many sockets `ss` shows towards each peer's address and port."""
    lines = namespace.run("ss", "-Htan", "state", "connected").splitlines()
    return collections.Counter(line.split()[4] for line in lines)


def usable_ports(namespace):
    low, high = map(int, namespace.sysctl("net.ipv4.ip_local_port_range").split())
    return high - low + 1


def port_share(namespace):
    """Per cent of the ports that the busiest destination has, as `ss` shows it."""
    most = max(count_by_peer(namespace).values(), default=0)
    return round(100 * most / usable_ports(namespace), 1)


def counter(namespace, name):
    """A counter of the kernel by its name in nstat(8), since the namespace was made."""
    return int(namespace.run("nstat", "-asz", name).split()[-2])


class H2load:
    """h2load as a client of HTTP/1.1: it paces itself, by a timer, and counts what failed."""

    def __init__(self, stage, namespace, url, *options):
        self._process = stage.start(
            namespace, "h2load", "--h1", *options, url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def finish(self, timeout=120):
        """Waits for its end; returns how many requests there were, and how many failed."""
        said, _ = self._process.communicate(timeout=timeout)
        total = re.search(r"^requests: (\d+) total, .* (\d+) succeeded", said, re.M)
        if not total:
            raise RuntimeError(f"h2load said: {said}")
        return int(total[1]), int(total[1]) - int(total[2])


def churn(stage, namespace, url, rate, seconds):
    """`rate` connections a second, with one request each, which the client closes first: TIME-WAIT is here."""
    count = rate * seconds // 10 * 10
    return H2load(stage, namespace, url, "-n", count, "-c", count, "-r", rate // 10, "--rate-period=100ms")


def pool(stage, namespace, url, connections, seconds):
    """So many connections, kept open, with one request a second on each."""
    return H2load(stage, namespace, url, "-c", connections, "--rps=1", "-D", seconds)


def finish_all(clients):
    """What all of them counted."""
    counts = [client.finish() for client in clients]
    return sum(attempts for attempts, _ in counts), sum(failed for _, failed in counts)


def start_redis(stage, namespace, address, port):
    """redis-server without a memory on disk; it listens when this returns."""
    options = ("--port", port, "--bind", address, "--protected-mode", "no", "--save", "", "--tcp-backlog", 4096)
    started = stage.start(namespace, "redis-server", *options, "--maxclients", 15000, cwd=stage.directory)
    stage.wait_listening(namespace, port)
    return started


def idle_clients(stage, namespace, address, port, count):
    """redis-benchmark with so many connections that only stand; it closes them by its end."""
    return stage.start(namespace, "redis-benchmark", "-h", address, "-p", port, "-I", "-c", count)


def start_haproxy(stage, namespace, config, *ports):
    """haproxy with this configuration; it listens on these ports when this returns."""
    file = stage.directory / f"haproxy-{namespace.name}.cfg"
    file.write_text(config)
    started = stage.start(namespace, "haproxy", "-db", "-f", file)
    for port in ports:
        stage.wait_listening(namespace, port)
    return started


def wait_for_sockets(namespace, count, *choice, timeout=60):
    """Waits until there are at least so many; see count_sockets()."""
    wait_until(lambda: count_sockets(namespace, *choice) >= count, f"{count} sockets {' '.join(choice)}", timeout)
