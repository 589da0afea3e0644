# SPDX-License-Identifier: GPL-2.0-or-later
"""A hook of pytest for the kinds that need network namespaces: where there are none, each of their tests is skipped."""

import pytest

import able


def pytest_collection_modifyitems(items):
    reason = able.why_not(*able.NAMESPACES)
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))
