# SPDX-License-Identifier: GPL-2.0-or-later
"""
Each call that a bus adds to the daemon's life, failed in turn: it goes on as if there were no bus, and loses nothing.

The bus is a socket that can be connected to and never answers, so that each life makes the same calls. Left out is what
follows an answer (the name, calls and signals): with two processes no life is as the one before. Where there is no
memory for the table of methods libsystemd 252 itself aborts the process, which is taken as it is: it happens at the
start alone, and no sysctl is left changed.
"""

import concurrent.futures
import re
import signal

import pytest

import faults
import symbols

ABORTS = r"^start loop .* ENOMEM in .*\bsd_bus_add_object_vtable\b"


@pytest.fixture(scope="module")
def with_bus(stages):
    return stages[0].play(bus=True) if stages else None


@pytest.fixture(scope="module")
def chains(with_bus):
    return symbols.chains(with_bus.report.points)


@pytest.fixture(scope="module")
def added(golden, with_bus):
    """The calls that a life without a bus does not have."""
    without = set(golden.report.points)
    return [point for point in with_bus.report.points if point not in without]


def test_nothing_fails(stages, golden, with_bus):
    """A second time it makes the same calls; what it does and tells is what it does and tells without a bus."""
    assert with_bus.status == 0 and with_bus.errors == ""
    assert faults.what_is_lost(with_bus) == [] and with_bus.kept
    assert with_bus.report.overflow == 0
    assert with_bus.story() == golden.story()
    assert set(stages[1].play(bus=True).report.points) == set(with_bus.report.points)


def test_every_call_fails(stages, golden, added, chains):
    found = list(faults.faults_of(added))
    assert len(found) > 100 and {point.phase for point in added} >= {"start", "stop"}
    shares = [found[number :: len(stages)] for number in range(len(stages))]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        played = pool.map(lambda stage, share: list(_play_all(stage, share, golden, chains)), stages, shares)
        told = [line for lines in played for line in lines]
    print(f"{len(found)} faults")
    assert told == [], "\n" + "\n".join(told)


def _play_all(stage, found, golden, chains):
    for fault in found:
        for problem in _problems(fault, stage.play(fault.text(), bus=True), golden, chains[fault.point]):
            yield f"{fault}: {problem}\n    {chains[fault.point]}"


def _problems(fault, life, golden, chain):
    """A start may be refused, in words; a life that has begun goes on to its end."""
    if life.status is None:
        return ["hangs"]
    if life.status == -signal.SIGABRT and re.search(ABORTS, faults.text_of(fault, chain)):
        return [] if life.kept and life.recovered else ["loses a baseline"]
    found = faults.what_is_lost(life)
    if life.report.hits == 0:
        found.append("was not reached")
    if not life.kept:
        found.append("leaves sysctls")
    if life.status == 0:
        missing = golden.story() - life.story()
        found += [f"does not do or tell {missing}"] if missing else []
    elif life.status not in faults.EXIT_STATUSES:
        found.append(f"ends with {life.status}")
    elif fault.point.phase != "start" or not faults.tells(life, golden):
        found.append(f"ends with {life.status} without a word, or in the middle of its life")
    return found
