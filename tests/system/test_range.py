# SPDX-License-Identifier: GPL-2.0-or-later
"""A wider range of local ports takes no port from who listens there."""

import socket

import pytest

from programs import adjusting

RANGE, RESERVED = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"
NARROW, WIDE = "32768 60999", "1024 65535"
SERVICE = 2222
BEFORE, WITH_SERVICE = "5000,61000-61003", f"{SERVICE},5000,61000-61003"


@pytest.fixture
def widened(near, daemon):
    """A daemon that has widened the range, and what it did so for."""
    near.set_sysctl(RANGE, NARROW)
    near.set_sysctl(RESERVED, BEFORE)
    with near.entered():
        service = socket.create_server(("127.0.0.1", SERVICE))
    with service:
        started = daemon(adjusting({RANGE: WIDE}))
        started.wait_for("adjusted")
        yield started, service


def test_who_listens_is_reserved_first(near, widened):
    daemon, service = widened
    assert (near.sysctl(RANGE), near.sysctl(RESERVED)) == (WIDE, WITH_SERVICE)
    assert f"({SERVICE}) went into {RESERVED}" in daemon.records("adjusted")[0]["MESSAGE"]
    service.close()
    daemon.wait_for("restored", count=2)
    assert (near.sysctl(RANGE), near.sysctl(RESERVED)) == (NARROW, BEFORE)
    assert RESERVED in daemon.records("restored")[1]["MESSAGE"]
    assert not (daemon.state / "ledger").exists()


def test_a_killed_daemon_owes_both(near, widened):
    daemon, _ = widened
    daemon.kill()
    assert len(daemon.restore()) == 2
    assert (near.sysctl(RANGE), near.sysctl(RESERVED)) == (NARROW, BEFORE)


@pytest.mark.parametrize("theirs", ["7777", BEFORE])
def test_a_list_that_somebody_else_changed_is_theirs(near, widened, theirs):
    daemon, service = widened
    near.set_sysctl(RESERVED, theirs)
    service.close()
    daemon.wait_for("restored")
    yielded = daemon.wait_for("yielded")
    assert RESERVED in yielded["MESSAGE"] and theirs in yielded["MESSAGE"]
    daemon.stop()
    assert (near.sysctl(RANGE), near.sysctl(RESERVED)) == (NARROW, theirs)


def test_a_list_that_is_too_long_keeps_the_range_as_it_is(near, daemon, listener):
    near.set_sysctl(RANGE, NARROW)
    near.set_sysctl(RESERVED, ",".join(str(port) for port in range(10001, 11363, 2)))  # 4085 bytes
    before = near.sysctl(RESERVED)
    with near.entered():
        services = [socket.create_server(("127.0.0.1", port)) for port in (2001, 2003, 2005)]
    started = daemon(adjusting({RANGE: WIDE}))
    assert "longer than the 4095 bytes" in started.wait_for("refused")["MESSAGE"]
    started.stop()
    for service in services:
        service.close()
    assert (near.sysctl(RANGE), near.sysctl(RESERVED)) == (NARROW, before)
