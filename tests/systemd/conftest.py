# SPDX-License-Identifier: GPL-2.0-or-later
"""A booted machine for all tests, and for each the service as installed: stopped, without drop-ins, well."""

import pathlib
import sys

import pytest

# Behind this folder: some of its tests have names that are there too.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from machine import UNIT, Machine, why_not  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: not in the quick set")


def pytest_collection_modifyitems(items):
    reason = why_not()
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def booted(tmp_path_factory):
    machine = Machine(tmp_path_factory.mktemp("machine") / "place")
    try:
        machine.install()
        yield machine
    finally:
        machine.stop()


@pytest.fixture
def machine(booted):
    booted.mark()
    yield booted
    booted.run("systemctl", "stop", UNIT)
    booted.try_run("systemctl", "reset-failed", UNIT)
    booted.try_run("systemctl", "stop", "server", "far-server")
    booted.try_run("ip", "netns", "del", "far")
    booted.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=32768 60999")
    booted.run("rm", "-rf", "/etc/timewaitd/timewaitd.conf.d", f"/run/systemd/system/{UNIT}.d")
    booted.run("systemctl", "daemon-reload")
