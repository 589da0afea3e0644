# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian packages: installed, upgraded, removed and purged by apt under a real systemd."""

import re
import shutil

import pytest

import workshop
from machine import UNIT
from settings import adjusting

SOCKET, EXPORTER = "timewaitd-exporter.socket", "timewaitd-exporter.service"
CONFIGURATION = "/etc/timewaitd/timewaitd.conf"
KEY, OURS = "net.ipv4.tcp_fin_timeout", "30"
# Raised while anything listens, and here nothing does but what a test lets listen.
ADJUSTING = adjusting({KEY: OURS})
NAMES = ("timewaitd", "timewaitctl", "timewaitd-exporter")


def adjust(machine):
    """The configuration is edited, something listens, and the service owes a sysctl back."""
    machine.write(CONFIGURATION, ADJUSTING)
    machine.run("systemctl", "reload", UNIT)
    machine.run("systemd-run", "--quiet", "--socket-property=ListenStream=127.0.0.1:7000", "--unit=server", "true")
    machine.wait_for("adjusted", SYSCTL=KEY)
    assert machine.sysctl(KEY) == OURS


def ours(paths):
    """What bears our name, but for what dpkg and journald keep as a record of what was."""
    return sorted(path for path in paths if "timewait" in path and not path.startswith("/var/lib/dpkg/info/"))


def test_lintian_has_nothing_to_say(deb):
    (changes,) = deb.glob("*.changes")
    said = workshop.run("lintian", "--fail-on", "error,warning", "--allow-root", changes)
    assert not re.findall(r"^[EW]: .*", said, re.MULTILINE)


def test_the_tests_were_run(deb):
    passed, failed = workshop.tests_of(deb)
    assert passed > 500 and failed == 0


def test_it_watches_at_once(installed):
    assert installed.is_active(UNIT) and installed.is_enabled(UNIT)
    assert "rules raised" in installed.property("StatusText")
    assert re.match(r"timewaitd [\d.]+, mode enforce, running for ", installed.run("timewaitctl", "status"))
    installed.wait_for("started")


def test_the_bus_knew_it_in_time(installed):
    """The user and the policy were there before the service asked for its name."""
    assert not installed.journal("degraded")
    owner = installed.run(
        "busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixUser", "s", "org.timewaitd1"
    )
    assert owner.split() == ["u", installed.run("id", "-u", "timewaitd").strip()]
    assert f"Uid:\t{owner.split()[1]}\t" in installed.run("cat", f"/proc/{installed.property('MainPID')}/status")


def test_the_exporter_waits_to_be_wanted(installed):
    assert not installed.is_enabled(SOCKET)
    assert not installed.is_active(SOCKET) and not installed.is_active(EXPORTER)
    installed.run("systemctl", "enable", "--now", SOCKET)
    said = scrape(installed)
    assert "\ntimewaitd_up 1\n" in said


def scrape(machine):
    """There is nothing in a bare root that speaks HTTP, but bash can."""
    ask = r"exec 3<>/dev/tcp/127.0.0.1/9817 && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && cat <&3"
    return machine.run("bash", "-c", ask).replace("\r", "")


def test_the_client_alone(machine, deb):
    (client,) = (path for path in workshop.debs(deb) if path.name.startswith("timewaitctl_"))
    machine.install_debs(client)
    assert "TIME-WAIT" in machine.run("timewaitctl", "explain", "time-wait")
    assert machine.try_run("systemctl", "cat", UNIT).returncode != 0


def test_the_journal_explains(installed):
    assert "Defined-By: timewaitd" in installed.run("journalctl", "--dump-catalog")
    installed.apt("remove", *NAMES)
    assert "Defined-By: timewaitd" not in installed.run("journalctl", "--dump-catalog")


def test_namespaces_by_a_link(installed):
    """The manual's way to give the service what it needs for other namespaces."""
    installed.run("mkdir", "-p", f"/etc/systemd/system/{UNIT}.d")
    installed.run("ln", "-s", "/usr/share/timewaitd/namespaces.conf", f"/etc/systemd/system/{UNIT}.d/")
    installed.run("systemctl", "daemon-reload")
    installed.run("systemctl", "restart", UNIT)
    assert "cap_sys_admin" in installed.property("AmbientCapabilities")
    assert installed.is_active(UNIT)


def test_an_upgrade_keeps_what_was_edited(installed, newer):
    baseline = installed.sysctl(KEY)
    adjust(installed)
    before, pid = installed.version("timewaitd"), installed.property("MainPID")
    installed.mark()
    installed.install_debs(*workshop.debs(newer))
    assert installed.version("timewaitd") == before + "+1"
    assert installed.run("cat", CONFIGURATION) == ADJUSTING
    assert installed.is_active(UNIT) and installed.property("MainPID") != pid
    # The old one gave it back, the new one found it so.
    installed.wait_for("restored", SYSCTL=KEY)
    installed.wait_for("adjusted", SYSCTL=KEY, BASELINE=baseline)
    assert installed.sysctl(KEY) == OURS
    assert not installed.journal("degraded")
    assert re.match("timewaitd ", installed.run("timewaitctl", "status"))


def test_a_release_with_another_configuration(installed, newer):
    """dpkg keeps what was edited, and lays the new one beside it; what was not edited is replaced."""
    (package,) = newer.glob("timewaitd_*.deb")
    place = workshop.PLACE / "another"
    shutil.rmtree(place, ignore_errors=True)
    package = workshop.with_another_configuration(package, place)
    installed.write(CONFIGURATION, ADJUSTING)
    newer_ones = [path for path in workshop.debs(newer) if path.name != package.name]
    installed.apt("-o", "Dpkg::Options::=--force-confold", "install", package, *newer_ones)
    assert installed.run("cat", CONFIGURATION) == ADJUSTING
    assert "# As the next release has it." in installed.run("cat", f"{CONFIGURATION}.dpkg-dist")
    assert installed.is_active(UNIT)
    installed.apt("purge", *NAMES)
    assert not ours(installed.files())


def test_an_upgrade_leaves_a_stopped_one_alone(installed, newer):
    installed.run("systemctl", "disable", "--now", UNIT)
    installed.install_debs(*workshop.debs(newer))
    assert not installed.is_active(UNIT) and not installed.is_enabled(UNIT)


def test_an_upgrade_restarts_the_exporter(installed, newer):
    installed.run("systemctl", "enable", "--now", SOCKET)
    scrape(installed)
    pid = installed.property("MainPID", EXPORTER)
    installed.install_debs(*workshop.debs(newer))
    assert installed.is_active(SOCKET)
    assert "\ntimewaitd_up 1\n" in scrape(installed)
    assert installed.property("MainPID", EXPORTER) not in (pid, "0")


def test_removed_and_installed_again(installed, deb):
    installed.write(CONFIGURATION, ADJUSTING)
    installed.apt("remove", *NAMES)
    assert installed.run("cat", CONFIGURATION) == ADJUSTING
    installed.install_debs(*workshop.debs(deb))
    assert installed.run("cat", CONFIGURATION) == ADJUSTING
    assert installed.is_active(UNIT) and installed.is_enabled(UNIT)


@pytest.mark.parametrize("steps", [("purge",), ("remove", "purge")], ids=["at once", "after a removal"])
def test_a_purge_leaves_nothing(machine, deb, steps):
    """No file, unit or process of ours, and every sysctl as it was; the users stay, as Debian's do."""
    sysctls, files = machine.sysctls(), machine.files()
    assert KEY in sysctls and not ours(files)
    machine.install_debs(*workshop.debs(deb))
    machine.run("systemctl", "enable", "--now", SOCKET)
    scrape(machine)
    adjust(machine)
    assert ours(machine.files())
    for step in steps:
        machine.apt(step, *NAMES)
        assert machine.sysctl(KEY) == sysctls[KEY]
    machine.wait_for("restored", SYSCTL=KEY)
    machine.run("systemctl", "stop", "server.socket")
    assert machine.sysctls() == sysctls
    assert not ours(machine.files())
    assert not [path for path in machine.files() - files if path.startswith(("/etc/systemd/", "/usr/lib/systemd/"))]
    assert machine.try_run("pgrep", "-f", "timewait").stdout == ""
    assert "timewait" not in machine.run("systemctl", "list-unit-files", "--no-pager")
    assert machine.run("systemctl", "list-units", "--all", "--no-legend", "timewait*") == ""
    assert "timewaitd" in machine.run("cat", "/etc/passwd")


def test_a_purge_after_a_kill(installed):
    baseline = installed.sysctl(KEY)
    adjust(installed)
    installed.run("systemctl", "kill", "--signal=KILL", UNIT)
    installed.apt("purge", *NAMES)
    assert installed.sysctl(KEY) == baseline
    assert not ours(installed.files())


def test_where_no_systemd_runs(machine, deb):
    """As in an image that is being made: nothing is started, and the next boot starts it."""
    install = "mount -t tmpfs none /run/systemd && apt-get -y --no-install-recommends install " + " ".join(
        map(str, workshop.debs(deb))
    )
    machine.run("unshare", "--mount", "sh", "-c", install, timeout=300)
    assert not machine.is_active(UNIT)
    assert machine.is_enabled(UNIT)


def test_where_services_may_not_be_started(machine, deb):
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    machine.run("chmod", "755", "/usr/sbin/policy-rc.d")
    machine.install_debs(*workshop.debs(deb))
    assert not machine.is_active(UNIT) and machine.is_enabled(UNIT)
