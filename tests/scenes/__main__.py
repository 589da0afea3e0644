#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays the scenes: python3 tests/scenes [--short] [--json FILE] [--document FILE] [--list] [NAME...]"""

import argparse
import contextlib
import importlib
import pathlib
import resource
import signal
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent / "system", HERE):
    sys.path.insert(0, str(folder))

import able  # noqa: E402
import report  # noqa: E402
from namespaces import prune  # noqa: E402
from scene import Outcome, Play, Scene, faults  # noqa: E402
from stage import Stage  # noqa: E402

# Loads that are played at a time; a heavy one is alone. Waiting for what the daemon does afterwards takes no place.
PLACES = 3
# Scenes that are under way at a time, those that only wait among them.
COMPANY = 10
# For clients that hold as many connections as there are ports, and servers that hold their other ends.
DESCRIPTORS = 262144


class Turns:
    """Places on the machine, given in the order in which they were asked for."""

    def __init__(self, places):
        self._free = self._all = places
        self._queue = []
        self._change = threading.Condition()

    def take(self, heavy):
        mine, places = object(), self._all if heavy else 1
        with self._change:
            self._queue.append(mine)
            self._change.wait_for(lambda: self._queue[0] is mine and self._free >= places)
            self._queue.pop(0)
            self._free -= places
            self._change.notify_all()
        return places

    def give(self, places):
        with self._change:
            self._free += places
            self._change.notify_all()


def find_scenes():
    """Every scene of the folders, the failing ones first."""
    found = []
    for folder in ("failing", "healthy"):
        for path in sorted((HERE / folder).glob("*.py")):
            module = importlib.import_module(f"{folder}.{path.stem}")
            found += [
                made()
                for made in vars(module).values()
                if isinstance(made, type) and issubclass(made, Scene) and made.__module__ == module.__name__ and made.name
            ]
    return found


def play(scene, turns, short, watching):
    """One playing, to the end of everything."""
    places = turns.take(scene.heavy)
    began, stage = time.monotonic(), None
    try:
        stage = scene.stage(scene, short, watching)
        scene.prepare(stage)
        stage.watch()
        stage.mark()
        load = scene.load(stage)
        turns.give(places)
        places, loaded = 0, time.monotonic() - began
        scene.after(stage)
        if not stage.daemon:
            return Play(load, loaded, facts=stage.facts)
        changed = stage.changes()
        complaint = stage.daemon.end()
        return Play(load, loaded, stage.daemon.records(), {**changed, **stage.changes()}, complaint, stage.facts)
    finally:
        if stage:
            stage.close()
        turns.give(places)


class Run(threading.Thread):
    """One scene, both times. Its thread lives as long as what it starts."""

    ending = False  # the stages are being closed under the feet of the players

    def __init__(self, scene, turns, company, short):
        super().__init__(name=scene.name, daemon=True)
        self.scene, self.outcome, self.faults, self.seconds = scene, Outcome(), [], 0
        self._turns, self._company, self._short = turns, company, short

    def run(self):
        with self._company:
            began = time.monotonic()
            try:
                self._play()
            except Exception as error:
                if Run.ending:
                    return
                traceback.print_exc()
                self.faults = [f"could not be played: {type(error).__name__}: {error}".splitlines()[0]]
            self.seconds = time.monotonic() - began
            print(f"{self.scene.name}: ended as it must? {report.verdict(self)} ({self.seconds:.0f} s)", flush=True)

    def _play(self):
        self.outcome.skipped = able.why_not(*able.NAMESPACES) or self.scene.why_not() or ""
        if self.outcome.skipped:
            return
        # The short form asks of healthy scenes only that the daemon is silent.
        if not (self._short and self.scene.healthy):
            self.outcome.alone = play(self.scene, self._turns, self._short, False)
        self.outcome.watched = play(self.scene, self._turns, self._short, True)
        self.faults = faults(self.scene, self.outcome)


def parse():
    parser = argparse.ArgumentParser(prog="scenes", description="Plays the scenes, each without and with timewaitd.")
    parser.add_argument("--short", action="store_true", help="shorter loads, and shorter holds by a drop-in")
    parser.add_argument("--json", type=pathlib.Path, help="also everything, as JSON, into this file")
    parser.add_argument("--document", type=pathlib.Path, help="also docs/outcomes.md anew, into this file")
    parser.add_argument("--list", action="store_true", help="only list the scenes")
    parser.add_argument("names", nargs="*", metavar="NAME")
    return parser.parse_args()


def choose(names):
    scenes = find_scenes()
    unknown = set(names) - {scene.name for scene in scenes}
    if unknown:
        sys.exit(f"no such scene: {' '.join(sorted(unknown))}")
    return [scene for scene in scenes if not names or scene.name in names]


def main():
    options = parse()
    scenes = choose(options.names)
    if options.list:
        print("\n".join(f"{scene.name:<20} {scene.title}" for scene in scenes))
        return 0
    # As Ctrl-C: whatever ends it, what was started goes.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if not able.why_not(*able.NAMESPACES):
        prune()
        with contextlib.suppress(ValueError, OSError):  # in a container that may not
            resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    turns, company = Turns(PLACES), threading.Semaphore(COMPANY)
    runs = [Run(scene, turns, company, options.short) for scene in scenes]
    try:
        # Those that need the machine for themselves first: what comes after their loads is waiting, beside the others.
        for one in sorted(runs, key=lambda one: not one.scene.heavy):
            one.start()
        for one in runs:
            one.join()
    except KeyboardInterrupt:
        Run.ending = True
        for stage in list(Stage.all):
            stage.close()
        print("(ended)", flush=True)
        return 130
    return report.tell(runs, options)


if __name__ == "__main__":
    sys.exit(main())
