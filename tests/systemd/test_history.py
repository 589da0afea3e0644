# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl's verbs about the past, on the journal of a booted machine."""

import json

import pytest

from machine import BUILD, UNIT
from settings import adjusting, daemon_section

DROP_IN = "/etc/timewaitd/timewaitd.conf.d/10-test.conf"
RULES = adjusting({"net.ipv4.tcp_fin_timeout": "30"}, daemon_section(sample_record="100ms"))


@pytest.fixture
def told(machine):
    """The machine after a rule was raised and cleared, and when that began."""
    machine.run("sleep", "1.1")  # since is in whole seconds: nothing of the test before
    since = machine.run("date", "+%Y-%m-%d %H:%M:%S").strip()
    machine.write(DROP_IN, RULES)
    machine.run("systemctl", "start", UNIT)
    machine.wait_for("sample")
    machine.start_command("server", f"{BUILD}/tests/tools/sinkd", "127.0.0.1", "7000")
    machine.wait_for("adjusted")
    machine.run("systemctl", "stop", "server")
    machine.wait_for("restored")
    # One of them at least is of after the end: what is simulated sees samples alone.
    machine.wait_for("sample", count=max(6, len(machine.journal("sample")) + 1))
    machine.run("systemctl", "stop", UNIT)
    machine.wait_for("stopped")
    return machine, since


def test_the_journal_is_the_history(told):
    machine, since = told
    page = json.loads(machine.run("timewaitctl", "history", "--since", since, "--json", "--metric", "listen"))
    (series,) = page["series"]
    known = [record for record in machine.journal("sample") if "TIMEWAITD_LISTEN" in record]
    assert len(series["points"]) == len(known)
    assert [event["event"] for event in page["events"]] == ["raised", "adjusted", "cleared", "restored"]
    assert "listen (sockets)" in machine.run("timewaitctl", "history", "--since", since, "--metric", "listen")


def test_simulate_and_report_read_it_too(told):
    machine, since = told
    machine.write("/tmp/same.conf", RULES)
    page = json.loads(machine.run("timewaitctl", "simulate", "--since", since, "--config", "/tmp/same.conf", "--json"))
    assert [(alert["rule"], alert["mark"]) for alert in page["alerts"]] == [("servers", "same")]
    machine.run("timewaitctl", "report", "--since", since, "-o", "/tmp/page.html")
    text = machine.run("cat", "/tmp/page.html")
    assert machine.run("uname", "-r").strip() in text
    assert "net.ipv4.tcp_fin_timeout" in text and machine.run("hostname").strip() in text
    # Another namespace has no records.
    done = machine.try_run("timewaitctl", "history", "--since", since, "--namespace", "nowhere")
    assert (done.returncode, done.stdout) == (1, "") and "no record" in done.stderr


def test_who_may_not_read_is_told_what_to_do(told):
    machine, _ = told
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = machine.try_run(*nobody, "timewaitctl", "history")
    assert (done.returncode, done.stdout) == (1, "")
    assert "systemd-journal" in done.stderr
