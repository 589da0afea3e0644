# SPDX-License-Identifier: GPL-2.0-or-later
"""What the system tests have for namespaces and programs serves here too."""

import contextlib
import dataclasses
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import able  # noqa: E402
import namespaces  # noqa: E402
import programs  # noqa: E402
import stage  # noqa: E402
import symbols  # noqa: E402
from unable import pytest_collection_modifyitems  # noqa: E402, F401


def pytest_configure(config):
    for needed in (programs.TIMEWAITD, stage.LIBRARY):
        if not os.path.exists(needed):
            raise pytest.UsageError(f"there is no {needed}: build first, and point TW_BUILDDIR to the build directory")


@contextlib.contextmanager
def _two_stages(tmp_path_factory, apart):
    """Two, so that two runs go on side by side."""
    if able.why_not(*able.NAMESPACES):
        yield []
        return
    made = [stage.Stage(tmp_path_factory.mktemp("stage"), apart) for number in range(2)]
    yield made
    for one in made:
        one.close()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left():
    namespaces.prune()
    yield
    assert namespaces.ours() == []


@pytest.fixture(scope="session")
def stages(tmp_path_factory):
    with _two_stages(tmp_path_factory, False) as made:
        yield made


@dataclasses.dataclass
class Theatre:
    """Where the same is played again and again: its stages, the run in which nothing fails, and who calls in it."""

    stages: list
    golden: stage.Life | None
    chains: dict

    @classmethod
    def of(cls, stages):
        golden = stages[0].play() if stages else None
        return cls(stages, golden, symbols.chains(golden.report.points) if golden else {})


@pytest.fixture(scope="session")
def here(stages):
    return Theatre.of(stages)


@pytest.fixture(scope="session")
def there(tmp_path_factory):
    """Where the daemon watches another namespace than its own."""
    with _two_stages(tmp_path_factory, True) as made:
        yield Theatre.of(made)


@pytest.fixture(params=["here", "there"])
def theatre(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def one_stage(stages):
    return stages[0]


@pytest.fixture(scope="session")
def golden(here):
    return here.golden
