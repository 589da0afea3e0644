# SPDX-License-Identifier: GPL-2.0-or-later
"""What a server accepts uses none of its ports, and costs no survey but the routine one."""

import resource

import pytest

from namespaces import Pair, wait_until
from programs import PORTS, start_sink
from settings import daemon_section

COUNT = 3000


@pytest.fixture
def descriptors():
    """As many as may be: for all ends of these connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < COUNT + 500:
        pytest.skip(f"no more than {before[1]} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_accepted_connections_cost_no_survey(near, pair, daemon, hold, descriptors):
    """They are six times as many as there are ports: not one of them is held towards a destination."""
    near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40499")
    pair.far.set_sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    start_sink(near, Pair.NEAR, 8080, "--hold")
    hold(pair.far, (Pair.NEAR, 8080), COUNT)
    watching = daemon(daemon_section(survey="1min", sample_record="100ms") + PORTS)
    wait_until(lambda: len(watching.records("sample")) > 20, watching.story)
    samples = watching.records("sample")
    assert int(samples[-1]["TIMEWAITD_ESTABLISHED"]) == COUNT
    assert len({sample["TIMEWAITD_SURVEY_AT"] for sample in samples[1:]}) == 1, "one survey, that of its start"
    assert watching.records("raised") == []
