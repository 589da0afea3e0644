#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The daemon for a long time under load, in network namespaces: does it stay as it began?

python3 tests/soak [--seconds N] [--rate CONNECTIONS] [--row SECONDS]

A row of the table each minute, then what came of it: memory and descriptors flat, no late sign of life, no missed tick,
each raise with its clear, every sysctl as before, nothing on standard error. All the while network namespaces with
sockets in them are made and deleted, half a dozen of them there at a time. Exit status 0 where all of it holds.
"""

import argparse
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import able  # noqa: E402
from loads import Namespaces, Reloads, Traffic, Waves  # noqa: E402
from namespaces import Pair, ours, prune, wait_until  # noqa: E402
from programs import Daemon  # noqa: E402
from settings import PORTS, daemon_section, prompt_rule  # noqa: E402
from watching import Clock, Manager, Records, Vitals  # noqa: E402

WATCHDOG = 2.0
INTERVAL = 0.5
# That the machine is late excuses the daemon for no longer than this: a third of the watchdog it is shipped with.
EXCUSE = 10.0
# Tables grow to what the load needs, the allocator's own stock with them. Two TIME-WAITs.
WARM_UP = 120
GROWTH_KIB = 256

HEAD = daemon_section(
    interval=f"{INTERVAL * 1000:g}ms",
    census="1s",
    survey="5s",
    cpu_budget="20%",
    sample_record=f"{INTERVAL * 1000:g}ms",
    max_changes="0",
)
WAVES = (
    prompt_rule("servers", "listen", 2, 0, {"net.ipv4.tcp_fin_timeout": "30", "net.core.somaxconn": "8192"})
    + prompt_rule("connected", "established", 50, 40, {"net.ipv4.tcp_fin_timeout": "20"})
    + prompt_rule("failing", "connect-fail", "20/s", "10/s", {}, always=False)
)
RULES = ("servers", "connected", "failing", "port-exhaustion")

COLUMNS = "  time   conn/s  failed/s  time-wait  RSS KiB  fds  CPU %  late ms  raised  cleared  reloads  namespaces"
ROW = "{:>6}  {:>7.0f}  {:>8.0f}  {:>9}  {:>7}  {:>3}  {:>5.1f}  {:>7.0f}  {:>6}  {:>7}  {:>7}  {:>10}"


class Soak:
    def __init__(self, directory, seconds, rate, row):
        self._seconds, self._row = seconds, row
        self._warm_up = min(WARM_UP, seconds / 2)
        self._pair = Pair()
        self._sysctls = self._pair.near.all_sysctls()
        self._clock = Clock()
        self._manager = Manager(directory / "notify", WATCHDOG)

        class Notified(Daemon):
            def start(daemon, wait=True):
                daemon.environment = self._manager.environment
                super().start(wait)

        self._daemon = Notified(self._pair.near, directory / "daemon", HEAD + WAVES + "\n" + PORTS)
        self._records = Records(directory / "daemon/records")
        self._vitals = Vitals(self._daemon.process.pid)
        self._traffic = Traffic(self._pair, rate, seconds + 60)
        self._waves = Waves(self._pair)
        self._beside = [self._waves, Reloads(self._daemon.process), Namespaces()]
        self._memory, self._descriptors = [], []  # each second: (time, KiB), (time, number)

    def run(self):
        """To the end of the time; the daemon still runs then, with no rule raised."""
        began = time.monotonic()
        row_at, before = began + self._row, (0, 0, 0.0)
        print(COLUMNS)
        while (now := time.monotonic()) < began + self._seconds:
            assert self._daemon.process.poll() is None, "it has ended: " + self._daemon.errors()
            self._memory.append((now - began, self._vitals.memory_kib()))
            self._descriptors.append((now - began, self._vitals.descriptors()))
            self._records.read()
            if now >= row_at:
                before = self._print_row(now - began, before)
                row_at += self._row
            time.sleep(1)
        if time.monotonic() >= row_at:
            self._print_row(self._seconds, before)
        self._reloads = self._beside[1].count
        for one in self._beside:
            one.stop()
        self._traffic.finish()
        self._daemon.reload(HEAD)
        wait_until(self._all_clear, lambda: f"raised and not cleared: {self._owed()}")

    def _all_clear(self):
        self._records.read()
        return not self._owed()

    def _owed(self):
        return [
            rule for rule in RULES if self._records.count("raised", rule) != self._records.count("cleared", rule)
        ]

    def _print_row(self, at, before):
        sums = (self._traffic.ok, self._traffic.failed, self._vitals.cpu_seconds())
        ok, failed, cpu = (new - old for new, old in zip(sums, before))
        late = max(self._records.take_longest() - INTERVAL, 0)
        print(
            ROW.format(
                f"{int(at) // 60}:{int(at) % 60:02}",
                ok / self._row,
                failed / self._row,
                self._records.time_wait,
                self._memory[-1][1],
                self._descriptors[-1][1],
                100 * cpu / self._row,
                1000 * late,
                self._records.events["raised"],
                self._records.events["cleared"],
                self._records.events["reloaded"],
                self._beside[2].count,
            ),
            flush=True,
        )
        return sums

    def _split(self, values):
        """Those of the second half of the warm-up, and of the last part of the same length."""
        part = self._warm_up / 2
        return (
            [value for at, value in values if self._warm_up - part <= at < self._warm_up],
            [value for at, value in values if at >= self._seconds - part],
        )

    def findings(self):
        """What has to hold: (what, whether, the figure)."""
        stopped = self._stop()
        records, turns = self._records, self._seconds / (3 * Waves.PERIOD)
        warm, last = self._split(self._memory)
        growth = max(last) - max(warm)
        # In between are those that a reload or a change has open for a moment.
        warm_fds, last_fds = (min(values) for values in self._split(self._descriptors))
        yield "memory is flat", growth < GROWTH_KIB, f"{growth:+} KiB"
        # One is open from one survey to the next while the kernel is asked about ports.
        yield "descriptors are flat", abs(last_fds - warm_fds) <= 1, f"{warm_fds}, at the end {last_fds}"
        late = min(self._clock.latest, EXCUSE)
        yield "no sign of life is late", 0 < self._manager.longest <= WATCHDOG + late, (
            f"{self._manager.beats}, at most {self._manager.longest:.2f} s apart, of {WATCHDOG:g} s"
        )
        yield "no tick is missed", 0 < records.longest <= 2 * INTERVAL + late, (
            f"{records.samples}, at most {records.longest:.2f} s apart, of {INTERVAL:g} s; the machine is late by"
            f" {self._clock.latest:.2f} s, of which {EXCUSE:g} s at most count"
        )
        for rule in RULES:
            raised, cleared = records.count("raised", rule), records.count("cleared", rule)
            # By turns; the ports may last where the machine reaches no more.
            enough = raised >= turns / 2 or rule == "port-exhaustion"
            yield f"each raise of {rule} has its clear", raised == cleared and enough, f"{raised}, {cleared}"
        reloaded = records.events["reloaded"]
        yield "reloads are taken", reloaded >= self._reloads / 2, f"{reloaded} of {self._reloads}"
        made, least = self._beside[2].count, int(self._seconds / (4 * Namespaces.PAUSE))
        yield "namespaces come and go", made >= least, f"{made}, at least {least}"
        yield "no trouble is told", not records.told, "; ".join(f"{n}x {what}" for what, n in records.told.items())
        yield "it stops well, and standard error is empty", not stopped, stopped
        differ = [key for key, value in self._pair.near.all_sysctls().items() if self._sysctls.get(key) != value]
        yield "every sysctl is as before", not differ, " ".join(differ)

    def _stop(self):
        """What was wrong with it; "" where nothing was."""
        self._daemon.process.terminate()
        status = self._daemon.process.wait(20)
        self._records.read()
        return "" if status == 0 and not self._daemon.errors() else f"status {status}: {self._daemon.errors()}"

    def close(self):
        for one in self._beside:
            one.stop()
        self._traffic.finish()
        self._pair.close()
        self._manager.close()
        self._clock.close()


def play(options):
    """Prints all; returns how many findings are good, and how many bad."""
    results = []
    with tempfile.TemporaryDirectory(prefix="timewaitd-soak") as directory:
        soak = Soak(pathlib.Path(directory), options.seconds, options.rate, options.row)
        try:
            soak.run()
            for what, holds, figure in soak.findings():
                print(f"{'ok' if holds else 'NOT OK'}: {what}{': ' if figure else ''}{figure}", flush=True)
                results.append(holds)
        finally:
            soak.close()
    return sum(results), len(results) - sum(results)


def main():
    parser = argparse.ArgumentParser(prog="soak", description="The daemon for a long time under load.")
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--rate", type=int, default=20000, help="connections a second, as many as the machine does")
    parser.add_argument("--row", type=int, default=60, help="seconds from one row of the table to the next")
    options = parser.parse_args()
    if reason := able.why_not(*able.NAMESPACES):
        sys.exit(f"soak: {reason}")
    prune()
    passed, failed = play(options)
    if ours():
        print("NOT OK: namespaces are left: " + " ".join(ours()))
        failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
