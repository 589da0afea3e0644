# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitd-exporter as installed: started by its socket, in its sandbox, beside the service."""

import re

import pytest

from machine import SOURCE, UNIT

EXPORTER, SOCKET = "timewaitd-exporter.service", "timewaitd-exporter.socket"
GET = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:9817/metrics', timeout=20).read().decode())"


@pytest.fixture
def scraped(machine):
    machine.run("systemctl", "start", UNIT, SOCKET)
    yield machine
    machine.run("systemctl", "stop", SOCKET, EXPORTER)


def scrape(machine):
    return machine.run("/usr/bin/python3", "-c", GET)


def test_a_scrape_starts_it(scraped):
    assert scraped.property("ActiveState", EXPORTER) == "inactive"
    assert "\ntimewaitd_up 1\n" in scrape(scraped)
    # The daemon has been started as well: it may not have counted yet.
    listening = re.compile(r'\ntimewaitd_sockets\{namespace="host",state="listen"\} [1-9]')
    scraped.wait_until(lambda: listening.search(scrape(scraped)), "the listeners are counted")
    assert scraped.property("ActiveState", EXPORTER) == "active"


def test_the_daemon_goes_and_comes(scraped):
    assert "\ntimewaitd_up 1\n" in scrape(scraped)
    scraped.run("systemctl", "stop", UNIT)
    scraped.wait_until(lambda: "timewaitd_up 0\n" in scrape(scraped), "it is down")
    scraped.run("systemctl", "start", UNIT)
    scraped.wait_until(lambda: "\ntimewaitd_up 1\n" in scrape(scraped), "it is up")


def test_it_has_nothing(scraped):
    """Neither a capability nor a way to the network but the socket that it was given."""
    scrape(scraped)
    pid = scraped.property("MainPID", EXPORTER)
    status = dict(
        line.split(":\t", 1) for line in scraped.run("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line
    )
    assert "0" not in status["Uid"].split()
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    links = scraped.run("readlink", f"/proc/{pid}/ns/net", "/proc/1/ns/net").split()
    assert links[0] != links[1]


def test_its_sandbox_is_tight(scraped):
    (said,) = re.findall(r"exposure\s+level of ([\d.]+) for the exporter", (SOURCE / "SECURITY.md").read_text())
    report = scraped.run("systemd-analyze", "security", "--no-pager", EXPORTER)
    (exposure,) = re.findall(r"Overall exposure level for timewaitd-exporter.service: ([\d.]+)", report)
    assert float(exposure) <= float(said)


def test_units_are_sound(scraped):
    for unit in (EXPORTER, SOCKET):
        done = scraped.try_run("systemd-analyze", "verify", f"/usr/lib/systemd/system/{unit}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
