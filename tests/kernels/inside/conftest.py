# SPDX-License-Identifier: GPL-2.0-or-later
"""Of the tests that make sense in a virtual machine alone. What the system tests have serves here too."""

import importlib.util
import pathlib
import sys

SYSTEM = pathlib.Path(__file__).resolve().parents[2] / "system"
sys.path.insert(0, str(SYSTEM))

_spec = importlib.util.spec_from_file_location("system_fixtures", SYSTEM / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

pair, near, listener, daemon = _fixtures.pair, _fixtures.near, _fixtures.listener, _fixtures.daemon
no_namespace_is_left = _fixtures.no_namespace_is_left
