# SPDX-License-Identifier: GPL-2.0-or-later
"""What it costs to watch hundreds of network namespaces: quiet ones, busy ones among them, and a hostile one."""

import contextlib
import os
import resource
import statistics
import subprocess
import tempfile
import time

from field import BUILD, SHIPPED_CONF, Bus, Daemon, cpu_seconds, memory_kib
from report import duration, table

import cages
from namespaces import Namespace, end_process

COUNT = 500
BUSY = 20
BUDGET = 0.02
CONNECTIONS_A_SECOND = 50
HOSTILE = 1_000_000
ARRIVAL = 20  # seconds
PREFIX = f"twtest{os.getpid()}-b"


def _config():
    text = SHIPPED_CONF.read_text()
    for key, value in (("namespaces", f"host {PREFIX}*"), ("cpu-budget", f"{BUDGET:.0%}")):
        (before,) = [line for line in text.splitlines() if line.startswith(f"{key} = ")]
        text = text.replace(f"\n{before}\n", f"\n{key} = {value}\n")
    return text


def _tool(name):
    return str(BUILD / "tests/tools" / name)


def _keep_busy(stack, name, seconds):
    """Connections within it, all the while."""
    prefix = ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", name]
    server = subprocess.Popen([*prefix, _tool("sinkd"), "127.0.0.1", "9"], stdout=subprocess.PIPE)
    stack.callback(end_process, server)
    server.stdout.readline()
    churn = [_tool("churn"), f"--rate={CONNECTIONS_A_SECOND}", f"--seconds={seconds}", "127.0.0.1", "9"]
    stack.callback(end_process, subprocess.Popen([*prefix, *churn], stdout=subprocess.DEVNULL))


def _time_of(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def _ages(bus, names, looks):
    """The oldest census and the oldest gauge of these, in so many looks, some seconds apart."""
    oldest = {"census": 0.0, "gauge": 0.0}
    for _ in range(looks):
        for namespace in bus.snapshot()["namespaces"]:
            if namespace["name"] in names:
                for key in oldest:
                    oldest[key] = max(oldest[key], namespace["ages"][key] or float("inf"))
        time.sleep(3)
    return oldest


def _span(daemon, bus, names, seconds):
    """What it costs while nobody asks; then it is asked."""
    pid = daemon.process.pid
    cpu, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    used, lasted = cpu_seconds(pid) - cpu, time.monotonic() - began
    ages = _ages(bus, names, 5)
    return {
        "share": used / lasted,
        "oldest_census": ages["census"],
        "oldest_gauge": ages["gauge"],
        "rss_kib": memory_kib(pid)[0],
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "answer_seconds": statistics.median(_time_of(bus.snapshot) for _ in range(5)),
    }


def _with_hostile(stack, daemon, bus, busy, seconds):
    namespace = stack.enter_context(contextlib.closing(Namespace(f"{PREFIX}-hostile")))
    namespace.ip("route", "add", "local", "10.0.0.0/8", "dev", "lo")
    namespace.set_sysctl("net.ipv4.ip_local_port_range", "10000 60999")
    maker = namespace.start(
        str(BUILD / "tests/bench/makesockets"), "established", str(HOSTILE), "10000", stdout=subprocess.PIPE, text=True
    )
    maker.stdout.readline()
    pid = daemon.process.pid
    cpu = cpu_seconds(pid)
    daemon.wait_for("namespace-new", seconds=60, NAMESPACE=namespace.name)
    # What it looks at for the first time it looks at whatever that costs, and owes the time to the minutes that follow.
    time.sleep(ARRIVAL)
    return {"arrival_seconds": cpu_seconds(pid) - cpu, **_span(daemon, bus, busy, seconds)}


def measure(seconds, say):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the daemon's too
    found = {"count": COUNT, "busy": BUSY}
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        home = stack.enter_context(contextlib.closing(Namespace()))
        stack.enter_context(cages.make(PREFIX, COUNT))
        bus = Bus(f"{directory}/bus").start()
        stack.callback(bus.stop)
        say(f"{COUNT} namespaces: until what was made in them has expired")
        daemon = Daemon(home, f"{directory}/daemon", _config(), f"--bus={bus.address}")
        stack.callback(daemon.stop)
        bus.wait_for_owner()
        time.sleep(150)
        say(f"{COUNT} quiet namespaces, {seconds} s")
        names = {f"{PREFIX}-{i}" for i in range(COUNT)}
        found["quiet"] = _span(daemon, bus, names, seconds)
        say(f"{BUSY} of them busy, {seconds} s")
        busy = {f"{PREFIX}-{i}" for i in range(BUSY)}
        for name in sorted(busy):
            _keep_busy(stack, name, 6 * seconds + 300)
        time.sleep(30)
        found["some busy"] = _span(daemon, bus, busy, seconds)
        say(f"one of {HOSTILE} sockets beside them, {3 * seconds} s")
        found["hostile"] = _with_hostile(stack, daemon, bus, busy, 3 * seconds)
    return found


def show(found, out):
    rows = [(f"{found['count']} namespaces", "share of a core", "oldest gauge", "oldest census", "RSS", "descriptors", "answer")]
    titles = {
        "quiet": "all quiet",
        "some busy": f"{found['busy']} busy: ages of these",
        "hostile": "and one with 1 M sockets: ages of the busy",
    }
    for key, title in titles.items():
        one = found[key]
        rows.append(
            (
                title,
                f"{one['share']:.3%}",
                duration(one["oldest_gauge"]),
                duration(one["oldest_census"]),
                f"{one['rss_kib'] / 1024:.1f} MiB",
                str(one["descriptors"]),
                duration(one["answer_seconds"]),
            )
        )
    table(rows, out)
    print(f"The arrival of the last one took {duration(found['hostile']['arrival_seconds'])} of CPU time.", file=out)
    print(file=out)


def verdicts(found):
    rows = [
        {
            "work": f"{found['count']} namespaces, {key}",
            "limit": f"<= {BUDGET:.3%}",
            "found": f"{found[key]['share']:.3%}",
            "holds": found[key]["share"] <= BUDGET,
        }
        for key in ("quiet", "some busy", "hostile")
    ]
    delay = found["hostile"]["oldest_gauge"] - found["some busy"]["oldest_gauge"]
    rows.append(
        {
            "work": "later gauges beside a hostile one, worst",
            "limit": f"<= {duration(1)}",
            "found": duration(max(0, delay)),
            "holds": delay <= 1,
        }
    )
    return rows

