# SPDX-License-Identifier: GPL-2.0-or-later
"""What sock_diag can answer beside the truth: it is asked again, or it is told; the daemon stays answerable."""

import pytest

import faults

# Answers that fail a dump in a passing way: it is read again.
PASSING = ("lost", "interrupted", "truncated", "stale")
NO_MODULE = ("no-module-error", "no-module-done")


def is_well(life):
    """It lived to the end of the script, and left nothing."""
    assert life.status is not None, "hangs"
    assert life.status in faults.EXIT_STATUSES, life.told()
    assert faults.what_is_lost(life) == [] and life.kept
    assert life.report.hits > 0
    return True


@pytest.mark.parametrize("how", PASSING)
def test_once(one_stage, golden, how):
    life = one_stage.play(netlink=f"once tick {how}")
    assert is_well(life)
    assert life.story() == golden.story()


@pytest.mark.parametrize("how", PASSING[:3])
def test_for_ever(one_stage, golden, how):
    """No action rests on what could not be read, and that is told."""
    life = one_stage.play(netlink=f"forever tick {how}")
    assert is_well(life)
    assert life.status == 0
    assert any(record["TIMEWAITD_EVENT"] == "partial" for record in life.records), life.told()
    assert not any(record["TIMEWAITD_EVENT"] == "adjusted" for record in life.records)


@pytest.mark.parametrize("how", NO_MODULE)
def test_no_module_at_the_start(one_stage, how):
    life = one_stage.play(netlink=f"forever start {how}")
    assert is_well(life)
    assert life.status == 1
    assert "cannot take a first sample" in life.errors and "tcp_diag" in life.errors


@pytest.mark.parametrize("how", NO_MODULE)
def test_the_module_goes(one_stage, how):
    life = one_stage.play(netlink=f"forever tick {how}")
    assert is_well(life)
    degraded = [record["MESSAGE"] for record in life.records if record["TIMEWAITD_EVENT"] == "degraded"]
    assert any("cannot read the kernel's sockets" in message and "tcp_diag" in message for message in degraded)


def test_a_dump_that_never_ends(one_stage, golden):
    """A scan is tried three times and given up; the next one is whole again."""
    life = one_stage.play(netlink="once tick endless")
    assert is_well(life)
    assert life.story() == golden.story(), life.told()
