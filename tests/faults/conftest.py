# SPDX-License-Identifier: GPL-2.0-or-later
"""What the system tests have for namespaces and programs serves here too."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import namespaces  # noqa: E402
import programs  # noqa: E402
import stage  # noqa: E402


def pytest_configure(config):
    for needed in (programs.TIMEWAITD, stage.LIBRARY):
        if not os.path.exists(needed):
            raise pytest.UsageError(f"there is no {needed}: build first, and point TW_BUILDDIR to the build directory")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="network namespaces need root"))


@pytest.fixture(scope="session")
def stages(tmp_path_factory):
    """Two, so that two runs go on side by side."""
    if os.geteuid() != 0:
        yield []
        return
    namespaces.prune()
    made = [stage.Stage(tmp_path_factory.mktemp(f"stage{number}")) for number in range(2)]
    yield made
    for one in made:
        one.close()
    assert namespaces.ours() == []


@pytest.fixture
def one_stage(stages):
    return stages[0]


@pytest.fixture(scope="session")
def golden(stages):
    """The run in which nothing fails."""
    return stages[0].play() if stages else None
