# SPDX-License-Identifier: GPL-2.0-or-later
"""
Each call that can fail, failed in turn: nothing crashes, leaks or is lost, and what makes the daemon blind or wrong is
told. TW_FAULT_ONLY takes a pattern of the faults to play.
"""

import concurrent.futures
import os
import re

import pytest

import faults
import symbols
from explained import HARMLESS, NEVER_FAILS, NOT_INTERPOSED
from programs import TIMEWAITD
from stage import LIBRARY

ONLY = os.environ.get("TW_FAULT_ONLY", "")
PHASES = ("start", "tick", "raise", "reload", "stop")


def test_nothing_fails(theatre):
    """The script does what the faults are to disturb, and leaves nothing; a second time it makes the same calls."""
    golden = theatre.golden
    assert golden.status == 0 and golden.errors == ""
    told = [event for event, *_ in golden.story().elements()]
    for event in ("started", "raised", "adjusted", "reloaded", "restored", "stopped"):
        assert event in told, golden.told()
    assert faults.what_is_lost(golden) == [] and golden.kept
    assert golden.report.overflow == 0
    assert {point.phase for point in golden.report.points} == set(PHASES)
    assert {point.thread for point in golden.report.points} == {"loop", "worker"}
    again = theatre.stages[1].play()
    assert set(again.report.points) == set(golden.report.points)
    assert again.story() == golden.story()


def test_every_import_is_interposed_or_explained():
    known = set(" ".join(NOT_INTERPOSED.values()).split())
    offered = symbols.functions(LIBRARY)
    files = [TIMEWAITD, *(path for name, path in symbols.libraries().items() if re.match("lib(mnl|inih)", name))]
    for path in files:
        # A fortified call is the call.
        names = {re.sub(r"^__(\w+)_chk$", r"\1", name) for name in symbols.imports(path)}
        assert names - offered - known == set(), path


def test_every_call_has_its_errors(theatre):
    assert {point.function for point in theatre.golden.report.points} - set(faults.ERRORS) == set()


def test_every_explanation_is_needed(here, there):
    """What explains nothing any more could hide something new."""
    texts = [
        faults.text_of(fault, theatre.chains[fault.point])
        for theatre in (here, there)
        for fault in faults.faults_of(theatre.golden.report.points)
    ]
    assert [pattern for pattern in HARMLESS if not any(re.search(pattern, text) for text in texts)] == []
    calls = {(point.function, point.object) for point in here.golden.report.points}
    assert set(NEVER_FAILS) - calls == set()


@pytest.mark.parametrize("phase", PHASES)
def test_every_call_fails(here, phase):
    assert _play_phase(here, phase, set()) > 20 or ONLY


@pytest.mark.parametrize("phase", PHASES)
def test_every_call_for_another_namespace_fails(here, there, phase):
    """Those that are not made, on the same way, for its own."""
    assert _play_phase(there, phase, set(here.golden.report.points)) > 5 or ONLY


def _play_phase(theatre, phase, known):
    """Plays all faults of the phase in points that are not known. Returns how many these are."""
    found = [fault for fault in faults.faults_of(theatre.golden.report.points) if fault.point.phase == phase]
    found = [fault for fault in found if fault.point not in known and re.search(ONLY, str(fault))]
    shares = [found[number :: len(theatre.stages)] for number in range(len(theatre.stages))]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        played = pool.map(lambda stage, share: list(_play_all(stage, share, theatre)), theatre.stages, shares)
        told = [line for lines in played for line in lines]
    print(f"{phase}: {len(found)} faults")
    assert told == [], "\n" + "\n".join(told)
    return len(found)


def _play_all(stage, found, theatre):
    """What is wrong, a line each."""
    for fault in found:
        chain = theatre.chains[fault.point]
        for problem in faults.problems(fault, _play_until_reached(stage, fault), theatre.golden, chain):
            yield f"{fault}: {problem}\n    {chain}"


def _play_until_reached(stage, fault):
    """The kernel's own time, which is not played, may put a call of one life into another phase, or leave it out."""
    for _ in range(3):
        life = stage.play(fault.text())
        if life.status not in faults.EXIT_STATUSES or life.report.hits:
            break
    return life
