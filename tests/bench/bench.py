# SPDX-License-Identifier: GPL-2.0-or-later
"""
What timewaitd costs, against the least that the kernel lets a program pay, and against what others pay for the same.

bench.py JSON [quick | namespaces | SIZE...]; sizes such as 10000, 100k, 1M. NODE_EXPORTER names that program, where there is one.
"""

import itertools
import json
import os
import platform
import re
import signal
import sys
import time

import neighbours
import report
import trials
from field import BUILD, Field, prune

DEFAULT_SIZES = [1000, 10_000, 100_000, report.MILLION]
STATES = ("time-wait", "established")
STEADY_SECONDS = 60
# At a million sockets cpu-budget leaves a dump every 20 to 40 seconds.
STEADY_SECONDS_FULL = 180


def parse_size(text):
    match = re.fullmatch(r"([1-9]\d*)([kKmM]?)", text)
    if not match:
        sys.exit(f"bench: not a number of sockets: {text}")
    return int(match[1]) * {"": 1, "k": 1000, "m": report.MILLION}[match[2].lower()]


def destinations_for(size):
    """One, a hundred, ten thousand: those that so many sockets go to in the field."""
    if size >= report.MILLION:
        return [10_000]
    return [100, 10_000] if size >= 100_000 else [1, 100]


def rounds_for(size):
    if size >= report.MILLION:
        return 5
    return 9 if size >= 100_000 else 21


def cpu_model():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def machine():
    return {
        "kernel": platform.release().split("-")[0],  # what a distribution adds says nothing elsewhere
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "compiler": trials.compiler(BUILD),
        "node_exporter": bool(os.environ.get("NODE_EXPORTER")),
    }


def say(what):
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


def measure(sizes, seconds, reloads):
    exporter = os.environ.get("NODE_EXPORTER")
    found = {"machine": machine(), "contests": []}
    of_daemon = f"{seconds} s of the daemon, its ticks, {reloads} reloads"
    say(f"nothing: {of_daemon}")
    with Field() as field:
        found["idle"] = trials.life(field, seconds, reloads)
    largest = max(sizes)
    for size, state in itertools.product(sizes, STATES):
        for destinations in destinations_for(size):
            say(f"{report.count(size)} {state}, {report.count(destinations)} destinations")
            with Field(state, size, destinations) as field:
                found["contests"].append(trials.contest(field, rounds_for(size), exporter))
                if (size, state, destinations) == (largest, STATES[0], destinations_for(largest)[-1]):
                    whole = largest >= report.MILLION
                    span = STEADY_SECONDS_FULL if whole else seconds
                    say(f"the same: {span} s of the daemon, its ticks, {reloads} reloads")
                    found["steady"] = trials.life(field, span, reloads, whole)
    if largest >= report.MILLION:
        say(f"{report.count(largest)} {STATES[0]}, 100 k destinations: memory")
        with Field(STATES[0], largest, 100_000) as field:
            found["memory"] = trials.memory(field, seconds // 2)
    return found


def write(path, found):
    with open(path, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


def measure_neighbours(path, seconds):
    """Many network namespaces, and nothing else."""
    found = {"machine": machine(), "neighbours": neighbours.measure(seconds, say)}
    found["contract"] = neighbours.verdicts(found["neighbours"])
    write(path, found)
    report.machine(found["machine"], sys.stdout)
    neighbours.show(found["neighbours"], sys.stdout)
    report.contract(found["contract"], sys.stdout)


def main(path, arguments):
    if arguments == ["namespaces"]:
        prune()
        measure_neighbours(path, STEADY_SECONDS)
        return
    quick = arguments == ["quick"]
    sizes = [10_000] if quick else sorted({parse_size(text) for text in arguments}) or DEFAULT_SIZES
    prune()
    began = time.monotonic()
    found = measure(sizes, 10 if quick else STEADY_SECONDS, 30 if quick else 100)
    found["seconds"] = time.monotonic() - began
    found["contract"] = report.verdicts(found)
    write(path, found)
    report.machine(found["machine"], sys.stdout)
    report.contests(found["contests"], sys.stdout)
    report.daemon(found, sys.stdout)
    report.contract(found["contract"], sys.stdout)


if __name__ == "__main__":
    # A signal must take the namespaces down too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main(sys.argv[1], sys.argv[2:])
