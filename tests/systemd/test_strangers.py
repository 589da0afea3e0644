# SPDX-License-Identifier: GPL-2.0-or-later
"""What a local user cannot do to the service, and what the service itself cannot do: SECURITY.md names these."""

import json

import pytest

from machine import UNIT
from test_service import BASELINE, KEY, UNIT_DROP_IN, raised  # noqa: F401

NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups".split()
STATE = "/run/timewaitd"


def refused(machine, *command, **options):
    """What an ordinary user is told; it must be an error."""
    done = machine.try_run(*NOBODY, *command, **options)
    assert done.returncode != 0, f"{' '.join(command)}: {done.stdout}"
    return done.stderr


@pytest.mark.parametrize("name", ["HUP", "TERM", "STOP", "KILL"])
def test_a_user_cannot_signal_it(machine, name):
    machine.run("systemctl", "start", UNIT)
    pid = machine.property("MainPID")
    assert "Operation not permitted" in refused(machine, "kill", f"-{name}", pid)
    refused(machine, "systemctl", "--no-ask-password", "stop", UNIT)
    assert (machine.property("MainPID"), machine.property("ActiveState")) == (pid, "active")


def test_a_user_cannot_touch_its_ledger(raised):  # noqa: F811
    assert raised.run("ls", STATE).split() == ["ledger", "lock"]
    for command in (
        ("cat", f"{STATE}/ledger"),
        ("rm", "-f", f"{STATE}/ledger"),
        ("touch", f"{STATE}/other"),
        ("sh", "-c", f"echo >>{STATE}/ledger"),
    ):
        assert "Permission denied" in refused(raised, *command), command
    # Nor by the daemon's own program: nobody may make the sysctls go back.
    assert "Permission denied" in refused(raised, "timewaitd", "--restore")
    raised.run("systemctl", "stop", UNIT)
    assert raised.sysctl(KEY) == BASELINE


def raised_so_far(machine):
    """What timewaitctl tells of the last hour, the tests before this one included."""
    told = json.loads(machine.run("timewaitctl", "history", "--since", "-1h", "--json"))
    return [event["at"] for event in told["events"] if event["event"] == "raised"]


def test_a_forged_record_is_not_the_units(machine):
    """Anybody may write to the journal, with any field but those that journald adds itself."""
    machine.run("systemctl", "start", UNIT)
    machine.wait_for("started")
    before = raised_so_far(machine)
    forged = "MESSAGE=forged\nSYSLOG_IDENTIFIER=timewaitd\nTIMEWAITD_EVENT=raised\n_SYSTEMD_UNIT=timewaitd.service\n"
    machine.run(*NOBODY, "logger", "--journald", input=forged)
    machine.wait_until(
        lambda: "forged" in machine.run("journalctl", "-q", "-t", "timewaitd", "-o", "cat"), "the forged record"
    )
    assert not machine.journal("raised")
    assert raised_so_far(machine) == before


# Where the service may write; /dev and both /tmp are its own.
WRITABLE = ("/proc/sys/net", STATE, "/run/private/timewaitd", "/tmp", "/var/tmp", "/dev")


def is_writable(place):
    return any(place == one or place.startswith(one + "/") for one in WRITABLE)


def test_it_can_write_nowhere_else(machine):
    """What is not mounted read-only is not its own: looked for with its user and in its view of the machine."""
    machine.run("systemctl", "start", UNIT)
    pid = machine.property("MainPID")
    rows = [line.split() for line in machine.run("cat", f"/proc/{pid}/mountinfo").splitlines()]
    top = {row[4]: row[5].split(",") for row in rows}  # a later mount hides an earlier one at its place
    assert "ro" in top["/"] and "ro" in top["/proc/sys"] and "rw" in top["/proc/sys/net"]
    uid = machine.run("stat", "-c", "%u", f"/proc/{pid}")
    enter = f"nsenter -t {pid} -m setpriv --reuid {uid.strip()} --regid {uid.strip()} --clear-groups".split()
    mounted = [place for place, options in top.items() if "rw" in options and place != "/proc"]
    places = [place for place in mounted if not is_writable(place)]
    found = machine.try_run(*enter, "find", *places, "-xdev", "-type", "d", "-writable").stdout.split()
    assert [place for place in found if not is_writable(place)] == []
    # The search finds what there is to find.
    assert "/var/tmp" in machine.try_run(*enter, "find", "/var/tmp", "-writable").stdout.split()


# Runs in the sandbox of the service, before its daemon.
PROBE = """\
import errno, socket
for name in ("AF_INET6", "AF_PACKET", "AF_VSOCK", "AF_UNIX", "AF_NETLINK"):
    try:
        socket.socket(getattr(socket, name), socket.SOCK_RAW if name == "AF_PACKET" else socket.SOCK_DGRAM).close()
        print("probe", name, "open")
    except OSError as error:
        print("probe", name, errno.errorcode[error.errno])
def tried(what, action):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        try:
            action(made)
            print("probe", what, "done")
        except OSError as error:
            print("probe", what, errno.errorcode[error.errno])
tried("send", lambda made: made.sendto(b"x", ("127.0.0.1", 9)))
"""


def test_it_can_use_no_socket_of_the_network(machine):
    """Tried from within its sandbox."""
    machine.write("/usr/local/lib/probe.py", PROBE)
    machine.write(UNIT_DROP_IN, "[Service]\nExecStartPre=/usr/bin/python3 /usr/local/lib/probe.py\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", UNIT)
    said = dict(
        record["MESSAGE"].split()[1:] for record in machine.journal() if str(record["MESSAGE"]).startswith("probe ")
    )
    assert said == {
        **dict.fromkeys(("AF_INET6", "AF_PACKET", "AF_VSOCK"), "EAFNOSUPPORT"),
        **dict.fromkeys(("AF_UNIX", "AF_NETLINK"), "open"),
        "send": "EPERM",
    }
    assert set(machine.property("IPAddressDeny").split()) == {"0.0.0.0/0", "::/0"}
