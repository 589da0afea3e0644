# SPDX-License-Identifier: GPL-2.0-or-later
"""Each TCP state is counted, whatever the family, and told apart from its neighbours."""

import contextlib
import platform

import pytest

from programs import QUICK, once
from states import PORT, STATES, Zoo, expected, wait_for_states

# No two alike, so that no two can be mixed up.
NUMBERS = {state: number for number, state in enumerate([*STATES, "orphan"], start=2)}
FAMILIES = {"ipv4": Zoo.V4, "ipv6": Zoo.V6, "v4-mapped": Zoo.MAPPED}
# Told since Linux 6.8.
TELLS_BOUND = tuple(int(part) for part in platform.release().split(".")[:2]) >= (6, 8)


def states_of(page):
    states = page["states"]
    assert list(states) == STATES
    if not TELLS_BOUND:
        assert states["bound"] is None
    return states


def told(counts):
    return counts if TELLS_BOUND else {**counts, "bound": None}


@pytest.fixture
def zoo(pair):
    with contextlib.ExitStack() as stack:

        def populate(addresses, numbers, port=PORT):
            made = Zoo(pair, addresses, numbers, port)
            stack.callback(made.close)
            return made

        yield populate


def test_an_empty_namespace_has_none(near):
    page = once(near)
    assert states_of(page) == told(dict.fromkeys(STATES, 0))
    assert page["partial"] is False
    assert page["destinations"] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_state_is_counted(near, zoo, family):
    zoo(FAMILIES[family], NUMBERS)
    wait_for_states(near, expected(NUMBERS))
    assert states_of(once(near)) == told(expected(NUMBERS))


def test_the_families_add_up(near, zoo):
    for port, addresses in zip((PORT, PORT, PORT + 100), FAMILIES.values()):
        zoo(addresses, NUMBERS, port)
    wait_for_states(near, expected(NUMBERS, NUMBERS, NUMBERS))
    assert states_of(once(near)) == told(expected(NUMBERS, NUMBERS, NUMBERS))


def test_an_orphan_in_fin_wait_2_is_no_time_wait(near, zoo):
    """The kernel counts both in sockstat's tw, which is also where a census that leaves TIME-WAIT out derives it from."""
    zoo(Zoo.V4, {**dict.fromkeys(NUMBERS, 0), "orphan": 7})
    wait_for_states(near, {**dict.fromkeys(STATES, 0), "fin-wait-2": 7})
    assert "tw 7" in near.run("cat", "/proc/net/sockstat")
    states = states_of(once(near))
    assert (states["time-wait"], states["fin-wait-2"]) == (0, 7)


def test_v4_mapped_sockets_are_of_the_ipv4_destination(near, zoo):
    numbers = {**dict.fromkeys(NUMBERS, 0), "established": 3, "time-wait": 4}
    zoo(Zoo.V4, numbers)
    zoo(Zoo.MAPPED, {**numbers, "established": 5}, PORT + 100)
    wait_for_states(near, expected(numbers, {**numbers, "established": 5}))
    rows = {row["destination"]: row for row in once(near)["destinations"]}
    assert rows[f"10.99.0.2:{PORT}"]["ports"] == 7
    assert rows[f"10.99.0.2:{PORT + 100}"]["ports"] == 9
    assert {row["source"] for row in rows.values()} == {"10.99.0.1"}


def test_the_daemon_records_what_it_counts(near, zoo, daemon):
    zoo(Zoo.V4, NUMBERS)
    wait_for_states(near, expected(NUMBERS))
    started = daemon(QUICK.replace("sample-record = 0", "sample-record = 1s"))
    sample = started.wait_for("sample")
    counts = {state: sample.get("TIMEWAITD_" + state.upper().replace("-", "_")) for state in STATES}
    wanted = {state: str(number) for state, number in expected(NUMBERS).items()}
    if not TELLS_BOUND:
        del counts["bound"], wanted["bound"]
    assert counts == wanted
