# SPDX-License-Identifier: GPL-2.0-or-later
"""Other network namespaces, with the capabilities that the drop-in file gives to the unit and no other."""

import json
import re

import pytest

from machine import BUILD, SOURCE, UNIT
from settings import PORTS, daemon_section

CAGES = str(SOURCE / "tests/system/cages.py")
SHIPPED = "/usr/share/timewaitd/namespaces.conf"
UNIT_DROP_IN = f"/etc/systemd/system/{UNIT}.d"
CONFIG = "/etc/timewaitd/timewaitd.conf.d/10-test.conf"
REUSE = "net.ipv4.tcp_tw_reuse"
COUNT = 500

# The same is tried faster without systemd, but for the capabilities.
pytestmark = pytest.mark.long


@pytest.fixture
def wide(machine):
    """The service as the manual says that it is made able to see them."""
    machine.run("mkdir", "-p", UNIT_DROP_IN)
    machine.run("ln", "-s", SHIPPED, UNIT_DROP_IN)
    machine.run("systemctl", "daemon-reload")
    yield machine
    machine.run("systemctl", "stop", UNIT)
    machine.run("rm", "-r", UNIT_DROP_IN)
    machine.run("systemctl", "daemon-reload")


@pytest.fixture
def town(wide):
    """Hundreds of namespaces with sockets in every state. Yields what is in each."""
    wide.start_command("cages", "sh", "-c", f"sleep 300 | /usr/bin/python3 {CAGES} web {COUNT}")
    said = ("journalctl", "-u", "cages", "-o", "cat", "-q", "-g", "listen")
    wide.wait_until(lambda: wide.try_run(*said).stdout.startswith("{"), "they are made")
    yield json.loads(wide.run(*said).splitlines()[-1])
    wide.run("systemctl", "stop", "cages")
    wide.run("ip", "-all", "netns", "del")


@pytest.fixture
def short_of_ports(wide):
    """A namespace `near` with a thousand ports, and a server in `far`."""
    for name in ("near", "far"):
        wide.run("ip", "netns", "add", name)
    wide.run(*"ip -n near link add veth0 type veth peer name veth0 netns far".split())
    for name, address in (("near", "10.98.0.1/24"), ("far", "10.98.0.2/24")):
        wide.run("ip", "-n", name, "addr", "add", address, "dev", "veth0")
        wide.run("ip", "-n", name, "link", "set", "veth0", "up")
    inside(wide, "sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40999")
    wide.start_command("far-server", "ip", "netns", "exec", "far", f"{BUILD}/tests/tools/sinkd", "10.98.0.2", "80")
    yield wide
    wide.run("systemctl", "stop", UNIT, "far-server")
    for name in ("near", "far"):
        wide.run("ip", "netns", "del", name)


def inside(machine, *command):
    return machine.run("ip", "netns", "exec", "near", *command)


def sysctls(machine, *prefix):
    """All of the network, but for what counts something, or is another one at each look."""
    said = machine.try_run(*prefix, "sysctl", "-a", "-r", r"^net\.").stdout
    return {line for line in said.splitlines() if not re.match(r"[\w.]*(count|random|uuid|secret|key)", line)}


def test_the_capabilities_are_these(wide):
    wide.write(CONFIG, daemon_section(namespaces="all"))
    wide.run("systemctl", "start", UNIT)
    pid = wide.property("MainPID")
    status = dict(line.split(":\t", 1) for line in wide.run("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split()
    wanted = sum(1 << number for number in (12, 19, 21))  # NET_ADMIN, SYS_PTRACE, SYS_ADMIN
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == wanted, kind
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_the_sandbox_is_as_tight_as_it_can_be(wide):
    (said,) = re.findall(r"exposure\s+level of ([\d.]+) with the drop-in", (SOURCE / "SECURITY.md").read_text())
    report = wide.run("systemd-analyze", "security", "--no-pager", UNIT)
    (exposure,) = re.findall(r"Overall exposure level for timewaitd.service: ([\d.]+)", report)
    assert float(exposure) <= float(said)
    done = wide.try_run("systemd-analyze", "verify", f"/usr/lib/systemd/system/{UNIT}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hundreds_are_counted_exactly(town, wide):
    wide.write(CONFIG, daemon_section(namespaces="host web-*", interval="1s", census="1h", survey="1h"))
    wide.run("systemctl", "start", UNIT)
    page = json.loads(wide.run("timewaitctl", "status", "--json"))
    found = {namespace["name"]: namespace["states"] for namespace in page["namespaces"]}
    assert set(found) == {"host"} | {f"web-{i}" for i in range(COUNT)}
    assert {name: states for name, states in found.items() if name != "host" and states != town} == {}
    assert wide.journal("partial") == wide.journal("degraded") == []


def test_by_its_process(wide):
    """What has no name is found by its processes, and called by their unit."""
    wide.run("systemd-run", "--quiet", "--unit=server", "--collect", "-p", "PrivateNetwork=yes", "sleep", "300")
    wide.write(CONFIG, daemon_section(namespaces="all"))
    wide.run("systemctl", "start", UNIT)
    wide.wait_for("namespace-new", NAMESPACE="server.service")
    wide.run("systemctl", "stop", "server")
    wide.wait_for("namespace-gone", NAMESPACE="server.service")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_one_is_healed_alone(short_of_ports, end):
    """And put back, also by ExecStopPost= behind a SIGKILL."""
    machine = short_of_ports
    machine.write(CONFIG, daemon_section(namespaces="host near far") + PORTS + "namespaces = all\n")
    machine.write(f"/run/systemd/system/{UNIT}.d/10-test.conf", "[Service]\nRestart=no\n")
    machine.run("systemctl", "daemon-reload")
    host, far = sysctls(machine), sysctls(machine, "ip", "netns", "exec", "far")
    near = sysctls(machine, "ip", "netns", "exec", "near")
    machine.run("systemctl", "start", UNIT)
    load = inside(machine, f"{BUILD}/tests/tools/churn", "--rate=400", "--seconds=6", "10.98.0.2", "80").splitlines()
    assert '"failed":0' in load[-1], load
    record = machine.wait_for("adjusted", NAMESPACE="near")
    assert (record["TIMEWAITD_SYSCTL"], record["TIMEWAITD_NEW"]) == (REUSE, "1")
    assert inside(machine, "sysctl", "-n", REUSE).strip() == "1"
    assert sysctls(machine) == host and sysctls(machine, "ip", "netns", "exec", "far") == far
    if end == "stop":
        machine.run("systemctl", "stop", UNIT)
    else:
        machine.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", UNIT)
        machine.wait_until(lambda: machine.property("ActiveState") == "failed", "failed")
    assert sysctls(machine, "ip", "netns", "exec", "near") == near
    assert machine.wait_for("restored", NAMESPACE="near")["TIMEWAITD_SYSCTL"] == REUSE


def test_without_the_drop_in_it_says_what_is_missing(machine):
    machine.run("ip", "netns", "add", "near")
    try:
        machine.write(CONFIG, daemon_section(namespaces="host near"))
        machine.run("systemctl", "start", UNIT)
        degraded = machine.wait_for("degraded", NAMESPACE="near")
        assert "CAP_SYS_ADMIN" in degraded["TIMEWAITD_REASON"]
    finally:
        machine.run("ip", "netns", "del", "near")
