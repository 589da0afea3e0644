# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Prometheus on a real daemon under load: what it is told, what it makes of it, and whom it tells."""

import json
import re
import subprocess

import pytest
from prometheus_client.openmetrics import parser

from fleet import CONTRIB, PROMTOOL
from namespaces import Pair, wait_until

OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


def test_metrics_are_sound(watched):
    status, text = watched.get("exporter", "/metrics")
    assert status == 200
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_open_metrics_are_sound(watched):
    """By the reference implementation's parser, which refuses what the standard does not allow."""
    _, text = watched.get("exporter", "/metrics", OPEN_METRICS)
    families = list(parser.text_string_to_metric_families(text))
    assert len(families) > 40
    for family in families:
        assert family.documentation.endswith("."), family.name
        assert re.fullmatch(r"timewaitd_[a-z]+(_[a-z]+)*", family.name)
        assert family.unit == "" or family.name.endswith(f"_{family.unit}")
        assert family.unit in ("", "seconds", "ratio"), family.name
        assert family.type in ("gauge", "counter")
        if family.name.endswith("_ratio"):
            assert all(0 <= sample.value <= 1.5 or sample.value != sample.value for sample in family.samples)


def by_census(pages):
    """Of each census that was seen, by its time: the namespace as `timewaitctl status --json` tells it."""
    return {page["now"] - page["namespaces"][0]["ages"]["census"]: page["namespaces"][0] for page in pages}


def series(watched, expression):
    """{time: value} of one series."""
    (found,) = watched.query(expression)
    return {float(at): float(value) for at, value in found["values"]}


def matching(watched):
    """The sockets in TIME-WAIT of each scrape of which the census was seen by status too, which says the same of all."""
    pages = by_census(watched.record(15))
    told = series(watched, "timewaitd_snapshot_timestamp_seconds[20s]")
    ages = series(watched, 'timewaitd_age_seconds{namespace="host",part="census"}[20s]')
    states = {
        state: series(watched, f'timewaitd_sockets{{namespace="host",state="{state}"}}[20s]')
        for state in next(iter(pages.values()))["states"]
    }
    for at in told.keys() & ages.keys():
        census = told[at] - ages[at]
        nearest = min(pages, key=lambda known: abs(known - census))
        # A census every half a second: within a tenth of that it is the same one.
        if abs(nearest - census) < 0.05:
            assert {state: values[at] for state, values in states.items()} == pages[nearest]["states"]
            yield pages[nearest]["states"]["time-wait"]


def test_prometheus_knows_what_status_says(watched):
    """Scrape by scrape, under load: what has the time of one census has its numbers."""
    matched = []
    wait_until(lambda: matched.extend(matching(watched)) or len(matched) >= 5, lambda: matched)
    assert max(matched) > 100
    assert len(set(matched)) > 1, "the load does not move"


def test_prometheus_has_the_rest(watched):
    namespace = watched.status()["namespaces"][0]
    assert watched.query("timewaitd_up")[0]["value"][1] == "1"
    (usable,) = watched.query('timewaitd_usable_ports{namespace="host"}')
    assert float(usable["value"][1]) == namespace["limits"]["usable-ports"]
    rules = {found["metric"]["rule"] for found in watched.query("timewaitd_rule_raised")}
    assert rules == {rule["name"] for rule in namespace["rules"]}
    (busiest,) = watched.query("topk(1, timewaitd_destination_ports)")
    assert busiest["metric"]["destination"] == f"{Pair.FAR}:80" == namespace["destinations"][0]["destination"]


def test_the_alert_arrives(watched):
    """From the kernel's sockets to Alertmanager, by the rules as they are shipped."""
    wait_until(lambda: "TimewaitdPortExhaustion" in watched.alerts(), lambda: list(watched.alerts()), 120)
    alert = watched.alerts()["TimewaitdPortExhaustion"]
    assert alert["status"]["state"] == "active"
    assert (alert["labels"]["namespace"], alert["labels"]["severity"]) == ("host", "warning")
    assert f"{Pair.FAR}:80" in alert["annotations"]["description"]
    (changed,) = watched.query('timewaitd_sysctl_changed{sysctl="net.ipv4.tcp_tw_reuse"}')
    assert (changed["metric"]["owner"], changed["metric"]["rule"]) == ("ours", "port-exhaustion")


def expressions():
    """Of each panel, and of each variable."""
    page = json.loads((CONTRIB / "grafana/timewaitd.json").read_text())
    for panel in page["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


@pytest.mark.parametrize("title, expression", expressions())
def test_the_dashboard_has_data(watched, title, expression):
    for variable, value in (("$__rate_interval", "15s"), ("$__interval", "5s"), ("$__range", "1m")):
        expression = expression.replace(variable, value)
    expression = re.sub(r"\$(instance|namespace|job)\b", ".*", expression)
    assert "$" not in expression.replace("$1", "")
    wait_until(lambda: watched.query(expression), expression)
