# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitd.service as it is installed, under a real systemd with a real journal."""

import re

import pytest

from machine import BUILD, SOURCE, UNIT
from settings import QUICK, adjusting, daemon_section

DROP_IN = "/etc/timewaitd/timewaitd.conf.d/10-test.conf"
UNIT_DROP_IN = f"/run/systemd/system/{UNIT}.d/10-test.conf"
KEY, BASELINE, OURS = "net.ipv4.tcp_fin_timeout", "60", "30"
# Of tests, in seconds: shorter than the shipped one, and more than a busy machine keeps a process from its work.
WATCHDOG = 10

# Raised while anything listens: a server that the test starts.
ADJUSTING = adjusting({KEY: OURS})


@pytest.fixture
def raised(machine):
    """The service with a sysctl set, which it owes back."""
    assert machine.sysctl(KEY) == BASELINE
    machine.write(DROP_IN, ADJUSTING)
    machine.start_command("server", f"{BUILD}/tests/tools/sinkd", "127.0.0.1", "7000")
    machine.run("systemctl", "start", UNIT)
    machine.wait_for("adjusted", SYSCTL=KEY)
    assert machine.sysctl(KEY) == OURS
    return machine


def test_starts_and_stops(machine):
    machine.run("systemctl", "start", UNIT)
    assert machine.property("ActiveState") == "active"
    assert "rules raised" in machine.property("StatusText")
    started = machine.wait_for("started")
    assert started["_SYSTEMD_UNIT"] == UNIT
    assert started["SYSLOG_IDENTIFIER"] == "timewaitd"
    machine.run("systemctl", "stop", UNIT)
    assert machine.property("Result") == "success"
    assert machine.property("ActiveState") == "inactive"
    machine.wait_for("stopped")


def test_counts_real_sockets(machine):
    """Sixty connections over the loopback, each closed by the client first."""
    machine.write(DROP_IN, daemon_section(sample_record="1s"))
    machine.start_command("server", f"{BUILD}/tests/tools/sinkd", "127.0.0.1", "7001")
    machine.run("systemctl", "start", UNIT)
    machine.run(f"{BUILD}/tests/tools/churn", "--rate=60", "--seconds=1", "127.0.0.1", "7001")
    machine.wait_until(
        lambda: any(int(record["TIMEWAITD_TIME_WAIT"]) >= 30 for record in machine.journal("sample")), "30 sockets"
    )


def test_runs_with_one_capability(machine):
    machine.run("systemctl", "start", UNIT)
    pid = machine.property("MainPID")
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split()
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 1 << 12, "CAP_NET_ADMIN"
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_unit_is_sound(machine):
    """An unknown key is but a line on standard error."""
    done = machine.try_run("systemd-analyze", "verify", f"/usr/lib/systemd/system/{UNIT}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_sandbox_is_tight(machine):
    """As tight as is said of it."""
    (said,) = re.findall(r"exposure level of ([\d.]+) or less", (SOURCE / "SECURITY.md").read_text())
    report = machine.run("systemd-analyze", "security", "--no-pager", UNIT)
    (exposure,) = re.findall(r"Overall exposure level for timewaitd.service: ([\d.]+)", report)
    assert float(exposure) <= float(said)


def test_is_started_at_boot(machine):
    """An enabled unit is one that the target of the boot wants."""
    assert machine.try_run("systemctl", "is-enabled", UNIT).stdout.strip() == "disabled"
    machine.run("systemctl", "enable", UNIT)
    try:
        assert machine.run("systemctl", "is-enabled", UNIT).strip() == "enabled"
        assert UNIT in machine.property("Wants", "multi-user.target").split()
        assert machine.property("ActiveState") == "inactive"
        machine.run("systemctl", "start", "multi-user.target")
        machine.wait_for("started")
        assert machine.property("ActiveState") == "active"
    finally:
        machine.run("systemctl", "disable", UNIT)
    assert machine.try_run("systemctl", "is-enabled", UNIT).stdout.strip() == "disabled"


def test_exhaustion_is_healed_and_told(machine):
    """The shipped rule with a shorter hold: 1000 ports, 400 connections a second to a server in another namespace."""
    before = machine.sysctl("net.ipv4.tcp_tw_reuse")
    machine.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40999")
    machine.write(DROP_IN, QUICK)
    machine.run("ip", "netns", "add", "far")
    machine.run(*"ip link add veth0 type veth peer name veth0 netns far".split())
    machine.run(*"ip addr add 10.99.0.1/24 dev veth0".split())
    machine.run(*"ip -n far addr add 10.99.0.2/24 dev veth0".split())
    machine.run(*"ip link set veth0 up".split())
    machine.run(*"ip -n far link set veth0 up".split())
    machine.start_command("far-server", "ip", "netns", "exec", "far", f"{BUILD}/tests/tools/sinkd", "10.99.0.2", "80")
    machine.run("systemctl", "start", UNIT)
    load = machine.run(f"{BUILD}/tests/tools/churn", "--rate=400", "--seconds=6", "10.99.0.2", "80").splitlines()
    assert '"failed":0' in load[-1], load
    for event in ("raised", "adjusted"):
        record = machine.wait_for(event)
        assert record["TIMEWAITD_RULE"] == "port-exhaustion"
        assert record["TIMEWAITD_DESTINATION"] == "10.99.0.2:80"
    assert machine.sysctl("net.ipv4.tcp_tw_reuse") == "1"
    machine.run("systemctl", "stop", UNIT)
    assert machine.sysctl("net.ipv4.tcp_tw_reuse") == before
    assert machine.wait_for("restored")["TIMEWAITD_SYSCTL"] == "net.ipv4.tcp_tw_reuse"


def test_a_stop_gives_back(raised):
    raised.run("systemctl", "stop", UNIT)
    assert raised.sysctl(KEY) == BASELINE
    assert raised.wait_for("restored", SYSCTL=KEY)["TIMEWAITD_BASELINE"] == BASELINE
    raised.wait_for("stopped")


@pytest.mark.parametrize("name", ["KILL", "SEGV", "ABRT"])
def test_a_violent_end_gives_back(raised, name):
    """By ExecStopPost; the restart is left out, it would set the value again at once."""
    raised.write(UNIT_DROP_IN, "[Service]\nRestart=no\n")
    raised.run("systemctl", "daemon-reload")
    raised.run("systemctl", "kill", f"--signal={name}", "--kill-who=main", UNIT)
    raised.wait_until(lambda: raised.property("ActiveState") == "failed", "failed")
    assert raised.sysctl(KEY) == BASELINE
    assert not raised.journal("stopped")
    # Of a process that has ended before journald reads what it has sent nobody knows the unit any more.
    by_name = ("SYSLOG_IDENTIFIER=timewaitd",)
    raised.wait_until(lambda: raised.journal("restored", by_name, SYSCTL=KEY), "restored")


def test_after_a_crash_it_comes_again(raised):
    raised.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", UNIT)
    raised.wait_for("adjusted", count=2, SYSCTL=KEY)
    assert raised.property("NRestarts") == "1"
    assert [record["TIMEWAITD_BASELINE"] for record in raised.journal("adjusted", SYSCTL=KEY)] == [BASELINE, BASELINE]
    raised.run("systemctl", "stop", UNIT)
    assert raised.sysctl(KEY) == BASELINE


@pytest.mark.long
def test_a_hang_is_ended_by_the_watchdog(raised):
    assert raised.property("WatchdogUSec") == "30s"
    raised.run("systemctl", "stop", UNIT)
    raised.write(UNIT_DROP_IN, f"[Service]\nWatchdogSec={WATCHDOG}\nRestart=no\n")
    raised.run("systemctl", "daemon-reload")
    raised.run("systemctl", "start", UNIT)
    raised.wait_for("adjusted", count=2, SYSCTL=KEY)
    raised.wait_until(lambda: raised.property("ActiveState") == "active", "active")
    raised.run("sleep", str(WATCHDOG + 2))
    assert raised.property("ActiveState") == "active", "it does not feed its watchdog"
    raised.run("kill", "-STOP", raised.property("MainPID"))
    raised.wait_until(lambda: raised.property("ActiveState") == "failed", "failed")
    assert raised.property("Result") == "watchdog"
    assert raised.sysctl(KEY) == BASELINE


@pytest.mark.long
def test_after_a_hang_it_comes_again(raised):
    """The watchdog ends it; what it owed is put back before it starts anew, and is then its own again."""
    raised.write(UNIT_DROP_IN, f"[Service]\nWatchdogSec={WATCHDOG}\n")
    raised.run("systemctl", "daemon-reload")
    raised.run("systemctl", "restart", UNIT)
    raised.wait_for("adjusted", count=2, SYSCTL=KEY)
    raised.mark()
    before = raised.property("MainPID")
    raised.run("kill", "-STOP", before)
    raised.wait_for("started")
    adjusted = raised.wait_for("adjusted", SYSCTL=KEY)
    assert adjusted["TIMEWAITD_BASELINE"] == BASELINE
    assert raised.property("NRestarts") == "1"
    assert raised.property("MainPID") != before
    events = [record.get("TIMEWAITD_EVENT") for record in raised.journal()]
    assert events.index("restored") < events.index("started"), raised.story()
    raised.run("systemctl", "stop", UNIT)
    assert raised.sysctl(KEY) == BASELINE


def test_a_reload_takes_over(raised):
    raised.write(DROP_IN, ADJUSTING.replace(f"{KEY}={OURS}", f"{KEY}=25"))
    raised.run("systemctl", "reload", UNIT)
    raised.wait_for("reloaded")
    raised.wait_until(lambda: raised.sysctl(KEY) == "25", "25")
    assert raised.property("ActiveState") == "active"


def test_a_reload_without_a_bus(raised):
    raised.run("systemctl", "stop", "dbus.socket", "dbus.service")
    try:
        raised.write(DROP_IN, ADJUSTING.replace(f"{KEY}={OURS}", f"{KEY}=25"))
        raised.run("systemctl", "reload", UNIT)
        raised.wait_for("reloaded")
        raised.wait_until(lambda: raised.sysctl(KEY) == "25", "25")
    finally:
        raised.run("systemctl", "start", "dbus.socket")


def test_a_bad_reload_changes_nothing(raised):
    raised.write(DROP_IN, ADJUSTING + "rise = 3\n")
    raised.wait_until(lambda: raised.try_run("busctl", "status", "org.timewaitd1").returncode == 0, "on the bus")
    reloading = raised.try_run("systemctl", "reload", UNIT)
    # Over the bus the service manager hears of it.
    assert reloading.returncode != 0
    failed = raised.wait_for("reload-failed")
    assert re.search(re.escape(DROP_IN) + r":\d+: .*rise.*raise", failed["MESSAGE"])
    assert raised.property("ActiveState") == "active"
    assert raised.sysctl(KEY) == OURS
    assert not raised.journal("reloaded")


def test_a_start_with_a_mistake_says_where(machine):
    machine.write(DROP_IN, "[daemon]\nintervall = 1s\n")
    assert machine.try_run("systemctl", "start", UNIT).returncode != 0
    assert machine.property("ExecMainStatus") == "78"
    assert any(f"{DROP_IN}:2: " in str(record["MESSAGE"]) for record in machine.journal()), machine.story()


def test_each_message_is_explained(machine):
    ids = dict(
        re.findall(r"\[TW_EVENT_(\w+)\] = { \"(\w{32})\"", (SOURCE / "src/tell/message.c").read_text()),
    )
    assert len(ids) >= 20
    catalog = machine.run("journalctl", "--dump-catalog")
    for name, number in ids.items():
        assert f"-- {number}" in catalog, name
    machine.run("systemctl", "start", UNIT)
    machine.wait_for("started")
    explained = machine.run("journalctl", "-x", "-q", f"MESSAGE_ID={ids['STARTED']}", "-n", "1")
    assert "Subject: timewaitd watches TCP" in explained
    assert "To see the present numbers: timewaitd --once" in explained


def test_the_explanation_knows_the_rule(raised):
    text = raised.run("journalctl", "-x", "-q", "-u", "timewaitd", "TIMEWAITD_EVENT=adjusted", "-n", "1")
    assert f"Subject: {KEY} was set to {OURS}" in text
    assert "The rule servers is raised in the network namespace host" in text
    assert f"The value that it had before timewaitd came, {BASELINE}, is kept" in text


def test_the_manuals_are_there(machine):
    for page in ("timewaitd.8", "timewaitd.conf.5"):
        section = page[-1]
        text = machine.run("cat", f"/usr/share/man/man{section}/{page}")
        assert ".Sh DESCRIPTION" in text
        assert not re.search(r"@\w+@", text), "a word is left that the build fills in"
