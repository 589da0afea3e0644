# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulated kernel does with ports what this one does: each script of tests/oracle/scripts, played in both."""

import os
import pathlib
import subprocess
import sys

import pytest

from programs import BUILD

ORACLE = pathlib.Path(__file__).resolve().parents[1] / "oracle"
SCRIPTS = sorted(str(path) for path in (ORACLE / "scripts").iterdir() if path.name != "README.md")


def is_long(path):
    return "\nlong\n" in pathlib.Path(path).read_text()


LONG = [path for path in SCRIPTS if is_long(path)]
SHORT = [path for path in SCRIPTS if path not in LONG]


def name(path):
    return pathlib.Path(path).name


def simulated(path):
    command = [BUILD / "tests/oracle/script", os.uname().release, path]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout


def played(paths):
    """What each of these comes to with real sockets."""
    command = [sys.executable, "-B", ORACLE / "play.py", *paths]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600, check=True).stdout
    parts = (part.partition("\n") for part in ("\n" + printed).split("\n== ")[1:])
    return {path: text if text.endswith("\n") or not text else text + "\n" for path, _, text in parts}


@pytest.fixture(scope="module")
def real(request):
    asked = {item.callspec.params.get("path") for item in request.session.items if hasattr(item, "callspec")}
    return played([path for path in SHORT if path in asked])


@pytest.mark.parametrize("path", SHORT, ids=name)
def test_as_the_real_one(path, real):
    assert simulated(path) == real[path]


@pytest.mark.long
@pytest.mark.parametrize("path", LONG, ids=name)
def test_as_the_real_one_for_a_minute(path):
    assert simulated(path) == played([path])[path]
