# SPDX-License-Identifier: GPL-2.0-or-later
"""Who calls bind() before connect() finds ports taken that others hold towards other destinations: it is told in time."""

import errno

import pytest

from clients import bound_first, reset
from namespaces import Pair, wait_until
from programs import PORTS, QUICK, start_sink

PLAIN, AGENT = 8000, 8001  # whom a plain client connects to, and one that binds first
USABLE = 400


@pytest.fixture
def near(near):
    near.set_sysctl("net.ipv4.ip_local_port_range", f"40000 {40000 + USABLE - 1}")
    return near


def of_the_address(watching, event):
    """What is told of the source address, and of no destination."""
    return [record for record in watching.records(event) if "TIMEWAITD_DESTINATION" not in record]


def test_it_is_told_before_bind_fails(near, pair, daemon, hold):
    for port in (PLAIN, AGENT):
        start_sink(pair.far, Pair.FAR, port, "--hold")
    hold(near, (Pair.FAR, AGENT), 20, bound_first(Pair.NEAR))
    # One half of the range, and much of the other.
    plain = hold(near, (Pair.FAR, PLAIN), 330)
    watching = daemon(QUICK + PORTS)
    wait_until(lambda: of_the_address(watching, "refused"), watching.story)
    raised, refused = of_the_address(watching, "raised")[0], of_the_address(watching, "refused")[0]
    for record in (raised, refused):
        assert record["TIMEWAITD_SOURCE"] == Pair.NEAR
        assert f"350 of {USABLE}" in record["MESSAGE"]
    assert float(raised["TIMEWAITD_VALUE"]) == 75  # 130 and its own 20 of 200
    assert "(ESTABLISHED)" in refused["MESSAGE"]
    assert "IP_BIND_ADDRESS_NO_PORT" in refused["TIMEWAITD_ADVICE"]
    # As many as it says are left to bind(), and not one more.
    hold(near, (Pair.FAR, AGENT), 50, bound_first(Pair.NEAR))
    with pytest.raises(OSError) as failed:
        hold(near, (Pair.FAR, AGENT), 1, bound_first(Pair.NEAR))
    assert failed.value.errno == errno.EADDRINUSE
    assert watching.records("adjusted") == [], watching.story()
    reset(plain)
    wait_until(lambda: of_the_address(watching, "cleared"), watching.story)


def test_one_half_in_use_is_no_news(near, pair, daemon, hold):
    """connect() takes the other one first: there is room for bind(), though the plain client's alert stands."""
    for port in (PLAIN, AGENT):
        start_sink(pair.far, Pair.FAR, port, "--hold")
    hold(near, (Pair.FAR, AGENT), 20, bound_first(Pair.NEAR))
    hold(near, (Pair.FAR, PLAIN), 200)
    watching = daemon(QUICK + PORTS)
    watching.wait_for("refused", DESTINATION=f"{Pair.FAR}:{PLAIN}")
    assert of_the_address(watching, "raised") == [], watching.story()
