# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of contrib, by the tools that their users have."""

import json
import re
import subprocess

import pytest

from fleet import AMTOOL, CONTRIB, PROMTOOL, SOURCE

CHECKS = {
    "rules": (PROMTOOL, "check", "rules", CONTRIB / "prometheus/timewaitd.rules.yml"),
    "tests of the rules": (PROMTOOL, "test", "rules", CONTRIB / "prometheus/timewaitd.rules.test.yml"),
    "prometheus": (PROMTOOL, "check", "config", CONTRIB / "prometheus/prometheus.yml"),
    "alertmanager": (AMTOOL, "check-config", CONTRIB / "alertmanager/alertmanager.yml"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_it_is_right(name):
    done = subprocess.run(CHECKS[name], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested():
    rules = (CONTRIB / "prometheus/timewaitd.rules.yml").read_text()
    tests = (CONTRIB / "prometheus/timewaitd.rules.test.yml").read_text()
    alerts = set(re.findall(r"- alert: (\w+)", rules))
    assert len(alerts) > 10
    assert alerts == set(re.findall(r"alertname: (\w+)", tests))
    for alert in alerts:
        sections = re.findall(rf"alertname: {alert}\n((?:(?!alertname).)*)", tests, re.DOTALL)
        # There is a time when it is silent, and one when it is not.
        assert {"exp_labels" in section for section in sections} == {True, False}, alert


def test_a_bad_rule_is_found(tmp_path):
    """The test of the test: the tools do look."""
    bad = tmp_path / "bad.yml"
    bad.write_text(CHECKS["rules"][3].read_text().replace("timewaitd_rule_raised{", "timewaitd_rule_raised{{", 1))
    assert subprocess.run([PROMTOOL, "check", "rules", bad], capture_output=True).returncode != 0


def test_every_metric_is_in_the_manual():
    """And none is there that is not exported."""
    source = "".join((SOURCE / f"src/exporter/{name}.c").read_text() for name in ("namespace-families", "page-text"))
    counters = set(re.findall(r'COUNTER\("(\w+)"', source)) | set(
        re.findall(r'\.name = "(\w+)",\n(?:\t+\.unit = "\w+",\n)?\t+\.kind = TW_FAMILY_COUNTER', source)
    )
    names = set(re.findall(r'(?:\.family = \{ |\.name = |ROWS\()"(\w+)"', source)) | counters
    names |= {f"{name}_ratio" for name in re.findall(r'RATIO\("(\w+)"', source)}
    names |= {f"{name}_seconds" for name in re.findall(r'SECONDS\("(\w+)"', source)}
    exported = {f"timewaitd_{name}" + ("_total" if name in counters else "") for name in names}
    manual = set(re.findall(r"timewaitd_\w+", (SOURCE / "man/timewaitd-exporter.8.in").read_text()))
    assert exported == manual


def test_what_is_asked_for_is_exported():
    """In rules and dashboard, every name of a metric is one of the manual's."""
    manual = set(re.findall(r"timewaitd_\w+", (SOURCE / "man/timewaitd-exporter.8.in").read_text()))
    for path in ("prometheus/timewaitd.rules.yml", "grafana/timewaitd.json"):
        asked = set(re.findall(r"(?<![:\w])timewaitd_[a-z_]+(?![:\w])", (CONTRIB / path).read_text()))
        assert asked and asked - manual == set(), path


def test_the_dashboard_is_whole():
    page = json.loads((CONTRIB / "grafana/timewaitd.json").read_text())
    ids = [panel["id"] for panel in page["panels"]]
    assert len(ids) == len(set(ids)) and len(ids) > 10
    assert {one["name"] for one in page["templating"]["list"]} >= {"instance", "namespace"}
