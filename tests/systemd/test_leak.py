# SPDX-License-Identifier: GPL-2.0-or-later
"""A service that leaks CLOSE-WAIT is named by its unit, in the sandbox of the installed unit, without more capabilities."""

import json
import time

import pytest

from machine import BUILD, UNIT

DROP_IN = "/etc/timewaitd/timewaitd.conf.d/10-test.conf"
LEAK = """\
[daemon]
census = 1s

[rule close-wait-leak]
metric = close-wait-aged
age = 3s
raise = 40
clear = 0
raise-for = 0s
clear-for = 0s
severity = error
"""


@pytest.mark.long
def test_the_leaking_unit_is_named_and_not_its_neighbour(machine):
    machine.write(DROP_IN, LEAK)
    sinkd, churn = f"{BUILD}/tests/tools/sinkd", f"{BUILD}/tests/tools/churn"
    machine.start_command("server", sinkd, "--hold", "127.0.0.1", "7100")
    machine.start_command("far-server", sinkd, "127.0.0.1", "7101")
    machine.run("systemctl", "start", UNIT)
    began = time.monotonic()
    machine.run(churn, "--rate=40", "--seconds=1", "127.0.0.1", "7100")
    connected = time.monotonic()
    machine.run(churn, "--rate=40", "--seconds=1", "127.0.0.1", "7101")
    raised = machine.wait_for("raised", RULE="close-wait-leak")
    assert raised["TIMEWAITD_UNIT"] == "server.service"
    assert raised["TIMEWAITD_COUNT"] == "40"
    assert "far-server" not in raised["MESSAGE"]
    assert raised["PRIORITY"] == "3"
    time.sleep(2)
    asked = time.monotonic()
    page = json.loads(machine.run("timewaitd", "--once", "--json"))
    (row,) = page["namespaces"][0]["close-wait"]
    assert row["unit"] == "server.service" and row["count"] == 40
    assert asked - connected - 0.1 < row["oldest"] < time.monotonic() - began + 0.1
    machine.run("systemctl", "stop", "server")
    machine.wait_for("cleared", RULE="close-wait-leak")
