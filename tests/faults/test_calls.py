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

PHASES = ("start", "tick", "raise", "reload", "stop")


@pytest.fixture(scope="module")
def chains(golden):
    return symbols.chains(golden.report.points)


def test_nothing_fails(stages, golden):
    """The script does what the faults are to disturb, and leaves nothing; a second time it makes the same calls."""
    assert golden.status == 0 and golden.errors == ""
    told = [event for event, *_ in golden.story().elements()]
    for event in ("started", "raised", "adjusted", "reloaded", "restored", "stopped"):
        assert event in told, golden.told()
    assert faults.what_is_lost(golden) == [] and golden.kept
    assert golden.report.overflow == 0
    assert {point.phase for point in golden.report.points} == set(PHASES)
    assert {point.thread for point in golden.report.points} == {"loop", "worker"}
    again = stages[1].play()
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


def test_every_call_has_its_errors(golden):
    assert {point.function for point in golden.report.points} - set(faults.ERRORS) == set()


def test_every_explanation_is_needed(golden, chains):
    """What explains nothing any more could hide something new."""
    texts = [faults.text_of(fault, chains[fault.point]) for fault in faults.faults_of(golden.report.points)]
    assert [pattern for pattern in HARMLESS if not any(re.search(pattern, text) for text in texts)] == []
    calls = {(point.function, point.object) for point in golden.report.points}
    assert set(NEVER_FAILS) - calls == set()


@pytest.mark.parametrize("phase", PHASES)
def test_every_call_fails(stages, golden, chains, phase):
    only = os.environ.get("TW_FAULT_ONLY", "")
    found = [fault for fault in faults.faults_of(golden.report.points) if fault.point.phase == phase]
    found = [fault for fault in found if re.search(only, str(fault))]
    assert len(found) > 20 or only
    shares = [found[number :: len(stages)] for number in range(len(stages))]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        played = pool.map(lambda stage, share: list(_play_all(stage, share, golden, chains)), stages, shares)
        told = [line for lines in played for line in lines]
    print(f"{phase}: {len(found)} faults")
    assert told == [], "\n" + "\n".join(told)


def _play_all(stage, found, golden, chains):
    """What is wrong, a line each."""
    for fault in found:
        chain = chains[fault.point]
        for problem in faults.problems(fault, stage.play(fault.text()), golden, chain):
            yield f"{fault}: {problem}\n    {chain}"
