# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the system tests: real sockets, real netlink, real sysctls, in network namespaces of their own."""

import contextlib
import os
import socket

import pytest

import able
import buses
import clients
import namespaces
import standins
import unable
from programs import TIMEWAITD, Daemon, read_sysctls


def pytest_configure(config):
    config.addinivalue_line("markers", "long: not in the quick set")
    if not os.access(TIMEWAITD, os.X_OK):
        raise pytest.UsageError(f"there is no {TIMEWAITD}: build first, and point TW_BUILDDIR to the build directory")


def pytest_collection_modifyitems(config, items):
    """Where they run side by side, those of one file do not, but for files whose tests wait long and share nothing."""
    unable.pytest_collection_modifyitems(items)
    if config.pluginmanager.has_plugin("xdist"):
        for item in items:
            if not getattr(item.module, "SCATTERED", False):
                item.add_marker(pytest.mark.xdist_group(item.module.__name__))


@pytest.fixture(scope="session", autouse=True)
def no_namespace_is_left():
    if able.why_not(*able.NAMESPACES):
        yield
        return
    namespaces.prune()
    yield
    assert namespaces.ours() == []


@pytest.fixture
def home():
    made = namespaces.Namespace()
    yield made
    made.close()


@pytest.fixture
def pair():
    made = namespaces.Pair()
    yield made
    made.close()


@pytest.fixture
def near(pair):
    return pair.near


@pytest.fixture
def stack():
    """What a test keeps until its end."""
    with contextlib.ExitStack() as kept:
        yield kept


@pytest.fixture
def baseline(near):
    """What the sysctls are before a daemon comes."""
    return read_sysctls(near)


@pytest.fixture
def listener(near):
    """Something listens on the near side: while it is entered, and for the whole test if it is left entered."""

    @contextlib.contextmanager
    def listen():
        with near.entered():
            made = socket.create_server(("127.0.0.1", 0))
        with made:
            yield made

    return listen


@pytest.fixture
def hold():
    """Makes connections that stay for the whole test: Clients.connect()."""
    made = clients.Clients()
    yield made.connect
    made.close()


@pytest.fixture
def bus(tmp_path):
    made = buses.Bus(tmp_path / "bus")
    yield made.start()
    made.stop()


@pytest.fixture
def stand_in(bus, tmp_path):
    """What answers in the daemon's name."""
    made = standins.StandIn(bus, tmp_path, standins.WHOLE)
    yield made
    made.close()


@pytest.fixture
def daemon(near, tmp_path):
    """A daemon by its configuration; one that a test leaves running has to stop well."""
    started = []

    def start(config, *arguments):
        started.append(Daemon(near, tmp_path / f"daemon{len(started)}", config, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture
def terminal(tmp_path):
    """A terminal with a shell in it."""
    made = standins.Terminal(tmp_path)
    yield made
    made.close()
