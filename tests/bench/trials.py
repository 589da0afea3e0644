# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured. Each trial returns a dictionary of figures; seconds, nanoseconds and KiB as their names say."""

import pathlib
import re
import signal
import statistics
import tempfile
import time

from field import SHIPPED_CONF, Bus, Daemon, Speaker, Worker, cpu_seconds, memory_kib

WARM_UP_SECONDS = 6  # after the first survey: a census
FIRST_SURVEY_SECONDS = 60  # long, for a machine that is busy with others
# Counting without a pause, so that a signal always comes in the middle of a dump.
RESTLESS = {"interval": "100ms", "census": "100ms", "survey": "100ms", "cpu-budget": "100%", "sample-record": "0"}
# A dump of a million sockets takes 200 ms and more, a tick a fifth of one.
POLL_SECONDS = 0.1
DUMP_SECONDS = 0.02
QUIET_POLLS = 20
TICKS = {"interval": "100ms", "census": "1h", "survey": "1h", "sample-record": "1h"}


def _median(runs):
    return {key: statistics.median(run[key] for run in runs) for key in ("cpu_ns", "wall_ns")} | {"runs": runs}


def contest(field, rounds, exporter):
    """The same sockets, read by each contestant in turn."""
    sockets = field.raw.do("count")["sockets"]
    contestants = {
        "gauge": lambda: field.wing.do("gauge"),
        "raw family": lambda: field.raw.do("family"),
        "raw legacy": lambda: field.raw.do("legacy"),
        "raw masked": lambda: field.raw.do("masked"),
        "census": lambda: field.wing.do("census"),
        "census-all": lambda: field.wing.do("census-all"),
        "survey": lambda: field.wing.do("survey"),
        "ss | wc": field.ss,
    }
    if exporter:
        field.start_exporter(exporter)
        contestants["node_exporter"] = field.scrape
    field.wing.do("survey")  # its tables grow once
    runs = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            runs[name].append(run())
    if exporter:
        field.stop_exporter()
    return field.about | {
        "sockets": sockets,
        "rounds": rounds,
        "figures": {name: _median(of_one) for name, of_one in runs.items()},
    }


def shipped():
    return SHIPPED_CONF.read_text()


def shipped_but(values):
    """The shipped configuration with other values of these keys in [daemon]."""
    text = shipped()
    for key, value in values.items():
        text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        assert count == 1, key
    return text


def ticks_only():
    """
    Nothing but ticks, ten a second. Without the rule about ports, which asks for a survey wherever there are more
    sockets than ports.
    """
    text, count = re.subn(r"(?ms)^\[rule port-exhaustion\]\n.*?(?=^\[rule )", "", shipped_but(TICKS))
    assert count == 1
    return text


def _after_a_dump(pid, deadline):
    """
    Waits until a dump that takes more than a few milliseconds has ended, and for as long as one may be held up by other
    work without an end; until `deadline` at the most.
    """
    seen, dumped, quiet = cpu_seconds(pid), False, 0
    while time.monotonic() < deadline and not (dumped and quiet >= QUIET_POLLS):
        time.sleep(POLL_SECONDS)
        now = cpu_seconds(pid)
        busy = now - seen > DUMP_SECONDS
        dumped, quiet, seen = dumped or busy, 0 if busy else quiet + 1, now


def live(field, config, seconds, warm_up=WARM_UP_SECONDS, whole_dumps=False):
    """
    The daemon for so long: its share of a core, and its memory at the beginning and at the end. `whole_dumps`: from the
    end of one dump to the end of another, where dumps are few and cost what a minute may cost.
    """
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(field.namespace, directory, config)
        daemon.wait_for("sample", seconds=FIRST_SURVEY_SECONDS)  # told once a survey has ended
        time.sleep(warm_up)
        pid = daemon.process.pid
        if whole_dumps:
            _after_a_dump(pid, time.monotonic() + seconds)
        cpu, began, rss = cpu_seconds(pid), time.monotonic(), memory_kib(pid)[0]
        time.sleep(seconds)
        if whole_dumps:
            _after_a_dump(pid, time.monotonic() + seconds)
        used, lasted = cpu_seconds(pid) - cpu, time.monotonic() - began
        rss_after, rss_most = memory_kib(pid)
        records = [record["TIMEWAITD_EVENT"] for record in daemon.records()]
        daemon.stop()
    return {
        "seconds": lasted,
        "cpu_seconds": used,
        "share": used / lasted,
        "rss_kib": rss,
        "rss_kib_after": rss_after,
        "rss_kib_most": rss_most,
        "records": {event: records.count(event) for event in sorted(set(records))},
    }


def ticks(field, seconds):
    """CPU time of one tick, all that belongs to it, from a daemon that does nothing else."""
    figures = live(field, ticks_only(), seconds, warm_up=1)
    return figures | {"tick_cpu_ns": int(figures["cpu_seconds"] * 1e9 / (figures["seconds"] * 10))}


def _patience(field, times, wait, share):
    """
    How long each of these waits took; `share` tells of the daemon while they did, and `late_seconds` how long this
    machine meanwhile let a process wait at the worst that only sleeps.
    """
    late = Worker(field.namespace, "late")
    late.do("begin")
    cpu, began, took = share(), time.monotonic(), []
    for i in range(times):
        time.sleep(0.03 + 0.007 * (i % 11))  # not in step with the dumps
        took.append(wait())
    busy = (share() - cpu) / (time.monotonic() - began)
    worst = late.do("end")["worst_ns"] / 1e9
    late.stop()
    took.sort()
    return {
        "times": times,
        "share": busy,
        "median_seconds": statistics.median(took),
        "p99_seconds": took[max(0, -(-99 * times // 100) - 1)],
        "max_seconds": took[-1],
        "late_seconds": worst,
    }


def reloads(field, times):
    """From SIGHUP to its record, while the daemon counts without a pause."""
    with tempfile.TemporaryDirectory() as directory:
        speaker = Speaker(field.namespace, directory, shipped_but(RESTLESS))
        time.sleep(1)
        pid = speaker.process.pid
        found = _patience(field, times, lambda: speaker.reload(signal.SIGHUP), lambda: cpu_seconds(pid))
        speaker.stop()
    return found


def answers(field, times):
    """From a call of GetSnapshot to its answer, over a bus of its own, while the daemon counts without a pause."""
    with tempfile.TemporaryDirectory() as directory:
        bus = Bus(f"{directory}/bus").start()
        daemon = Daemon(field.namespace, f"{directory}/daemon", shipped_but(RESTLESS), f"--bus={bus.address}")
        bus.wait_for_owner()
        time.sleep(1)
        asker, pid = Worker(field.namespace, "ask", bus.address), daemon.process.pid
        found = _patience(field, times, lambda: asker.do("ask")["wall_ns"] / 1e9, lambda: cpu_seconds(pid))
        asker.stop()
        daemon.stop()
        bus.stop()
    return found


def life(field, seconds, times, whole_dumps=False):
    """
    The daemon as shipped, its ticks alone, its reloads and answers; sockets expire and are made anew all the while.
    Beside its ticks: what a process pays that wakes up as often and does nothing, and one that reads the same and does
    no more.
    """
    return field.about | {
        "live": live(field, shipped(), seconds, whole_dumps=whole_dumps),
        "ticks": ticks(field, min(10, seconds / 2)),
        "wake": field.wing.do("wake"),
        "wake_gauge": field.wing.do("wake-gauge"),
        "reloads": reloads(field, times),
        "answers": answers(field, times),
    }


def memory(field, seconds):
    return field.about | {"live": live(field, shipped(), seconds)}


def compiler(build):
    """The compiler and the flags of the daemon that was measured, but for those that only warn."""
    lines = (pathlib.Path(build) / "Makefile").read_text()
    words = [re.search(rf"(?m)^{name} = (.*)$", lines).group(1) for name in ("CC", "CFLAGS", "TW_CFLAGS")]
    return " ".join(word for word in " ".join(words).split() if not word.startswith("-W"))
