# SPDX-License-Identifier: GPL-2.0-or-later
"""What the system tests have for namespaces and programs serves here too; the daemon runs under $TW_MEMCHECK."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import namespaces  # noqa: E402
import programs  # noqa: E402
from unable import pytest_collection_modifyitems  # noqa: E402, F401

MEMCHECK = tuple(os.environ.get("TW_MEMCHECK", "").split())


class Checked(programs.Daemon):
    prefix = MEMCHECK


def pytest_configure(config):
    if not os.access(programs.TIMEWAITD, os.X_OK):
        raise pytest.UsageError(f"there is no {programs.TIMEWAITD}: build first, and point TW_BUILDDIR to the build")
    if not MEMCHECK:
        raise pytest.UsageError("TW_MEMCHECK has to be a command that fails where memcheck finds something")


@pytest.fixture
def near():
    namespaces.prune()
    made = namespaces.Namespace()
    yield made
    made.close()


@pytest.fixture
def daemon(near, tmp_path):
    """Starts one; what is found in it shows when it is stopped."""

    def start(config, *arguments):
        return Checked(near, tmp_path / "daemon", config, *arguments)

    return start


@pytest.fixture
def run(near, tmp_path):
    """Runs a program of ours to its end, which must be this one, and nothing may be found in it."""

    def run(status, name, *arguments):
        done = near.try_run(*MEMCHECK, str(programs.BUILD / name), *arguments, env=programs.ENVIRONMENT)
        assert done.returncode == status, done.stderr
        assert "==" not in done.stderr, done.stderr
        return done

    return run
