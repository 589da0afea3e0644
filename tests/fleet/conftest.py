# SPDX-License-Identifier: GPL-2.0-or-later
"""A real daemon under load, its exporter, and Debian's Prometheus and Alertmanager beside them, in one namespace."""

import contextlib
import os
import pathlib
import sys

import pytest

# Behind this folder: some of its tests have names that are there too.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import fleet  # noqa: E402
import namespaces  # noqa: E402
from unable import pytest_collection_modifyitems  # noqa: E402, F401


def pytest_configure(config):
    for needed in (fleet.EXPORTER, fleet.PROMTOOL):
        if not os.path.exists(needed):
            raise pytest.UsageError(f"there is no {needed}: `./dev test fleet` builds and unpacks what is needed")


@pytest.fixture(scope="session")
def watched(tmp_path_factory):
    """See above: for all tests, and for as long as they take."""
    namespaces.prune()
    with contextlib.closing(fleet.Fleet(tmp_path_factory.mktemp("fleet"))) as made:
        yield made
    assert namespaces.ours() == []
