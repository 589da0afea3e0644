# SPDX-License-Identifier: GPL-2.0-or-later
"""The spec: what it makes, and its scriptlets under a real systemd, over this machine's root, which has an rpm."""

import re

import pytest

import workshop
from conftest import Debian
from machine import UNIT
from test_debian import CONFIGURATION, KEY, SOCKET, adjust, ours


def packages(place):
    return sorted(path for path in place.glob("*.rpm") if ".src." not in path.name and "-debug" not in path.name)


def run_rpm(machine, *words):
    """Without what Fedora calls the dependencies. Some of Debian's install nothing unless they are told this twice."""
    twice = ("--force-debian",) if machine.try_run("rpm", "--force-debian", "--version").returncode == 0 else ()
    machine.run("rpm", "--dbpath", "/var/lib/rpm-of-test", *twice, "--nodeps", *map(str, words))


@pytest.fixture
def machine(rpm, tmp_path):
    with Debian.booted(tmp_path / "place") as machine:
        yield machine


@pytest.fixture
def installed(machine, rpm):
    run_rpm(machine, "-i", *packages(rpm))
    return machine


def test_the_packages_are_three_and_their_source(rpm):
    names = sorted(workshop.run("rpm", "-qp", "--qf", "%{NAME}\n", *packages(rpm)).split())
    assert names == ["timewaitctl", "timewaitd", "timewaitd-exporter"]
    assert list(rpm.glob("timewaitd-*.src.rpm"))


def test_the_tests_were_run(rpm):
    passed, failed = workshop.tests_of(rpm)
    assert passed > 500 and failed == 0


def test_every_file_is_in_one_of_them(rpm, deb):
    """The same as in Debian's packages, but for what each system has of its own."""

    def plain(path):
        path = re.sub(r"\.gz$", "", re.sub(r"^/lib/", "/usr/lib/", path))
        own = ("/usr/share/doc/", "/usr/share/licenses/", "/usr/lib/.build-id", "/usr/share/lintian/")
        return None if path.startswith(own) or not path.rsplit("/", 1)[1].count("timewait") else path

    of_rpm = [plain(line) for line in workshop.run("rpm", "-qpl", *packages(rpm)).splitlines()]
    of_deb = []
    for package in workshop.debs(deb):
        lines = workshop.run("dpkg-deb", "-c", package).splitlines()
        of_deb += [plain(line.split()[5][1:].rstrip("/")) for line in lines if line.split()[5] != "./"]
    assert sorted(filter(None, of_rpm)) == sorted(filter(None, of_deb))


def test_the_configuration_is_the_administrator_s(rpm):
    assert workshop.run("rpm", "-qpc", *packages(rpm)).split() == [CONFIGURATION]


def test_no_scriptlet_has_a_macro_left(rpm):
    said = workshop.run("rpm", "-qp", "--scripts", *packages(rpm))
    assert "systemctl" in said and "%" not in said


def test_installed_and_erased(machine, rpm):
    """The service is started by who installs it, as Fedora has it; the erasure stops it, and leaves nothing."""
    sysctls, files = machine.sysctls(), machine.files()
    run_rpm(machine, "-i", *packages(rpm))
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", UNIT, SOCKET)
    assert re.match("timewaitd ", machine.run("timewaitctl", "status"))
    assert not machine.journal("degraded")
    adjust(machine)
    run_rpm(machine, "-e", "timewaitd-exporter", "timewaitd", "timewaitctl")
    machine.wait_for("restored", SYSCTL=KEY)
    machine.run("systemctl", "stop", "server.socket")
    assert machine.sysctls() == sysctls
    # Of the configuration, what was edited is kept under another name.
    assert ours(machine.files() - files) == ["/etc/timewaitd", f"{CONFIGURATION}.rpmsave"]
    assert machine.run("systemctl", "list-units", "--all", "--no-legend", "timewait*") == ""
    assert machine.try_run("pgrep", "-x", "timewaitd").stdout == ""


def test_installed_over_itself(installed, rpm):
    """As an upgrade is: what was edited stays, and the service runs anew."""
    installed.run("systemctl", "daemon-reload")
    installed.run("systemctl", "start", UNIT)
    pid = installed.property("MainPID")
    adjust(installed)
    before = installed.run("cat", CONFIGURATION)
    run_rpm(installed, "-U", "--replacepkgs", *packages(rpm))
    assert installed.run("cat", CONFIGURATION) == before
    assert installed.is_active(UNIT) and installed.property("MainPID") != pid
