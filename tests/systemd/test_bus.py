# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed service on the system bus, with the policy that it came with."""

import json

import pytest

from machine import UNIT

NAME, PATH, MANAGER = "org.timewaitd1", "/org/timewaitd1", "org.timewaitd1.Manager"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ITSELF = ("setpriv", "--reuid=timewaitd", "--regid=timewaitd", "--clear-groups")


@pytest.fixture
def on_bus(machine):
    machine.run("systemctl", "start", UNIT)
    machine.wait_until(lambda: owner(machine) is not None, "the name")
    return machine


def owner(machine):
    """The user that owns the name; None while nobody does."""
    done = machine.try_run(
        "busctl", "--json=short", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus",
        "GetConnectionUnixUser", "s", NAME,
    )  # fmt: skip
    return json.loads(done.stdout)["data"][0] if done.returncode == 0 else None


def try_call(machine, method, *arguments, user=()):
    return machine.try_run(*user, "busctl", "--json=short", "call", NAME, PATH, MANAGER, method, *arguments)


def test_the_name_is_the_service_s_user_s(on_bus):
    uid = int(on_bus.run("id", "-u", "timewaitd"))
    status = on_bus.run("cat", f"/proc/{on_bus.property('MainPID')}/status")
    assert owner(on_bus) == uid
    assert f"Uid:\t{uid}\t" in status
    assert not on_bus.journal("degraded")


@pytest.mark.parametrize("user", [(), NOBODY], ids=["root", "nobody"])
def test_everybody_may_ask(on_bus, user):
    done = try_call(on_bus, "GetSnapshot", user=user)
    assert done.returncode == 0, done.stderr
    assert json.loads(json.loads(done.stdout)["data"][0])["mode"] == "enforce"
    assert on_bus.try_run(*user, "busctl", "introspect", NAME, PATH).returncode == 0


def test_nobody_else_may_own_the_name(machine):
    done = machine.try_run(
        *NOBODY, "busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName", "su", NAME, "0"
    )
    assert done.returncode != 0


def test_root_and_the_service_itself_may_change(on_bus):
    for user in ((), ITSELF):
        for call in (("Reload",), ("Restore",), ("SetMode", "s", "enforce")):
            done = try_call(on_bus, *call, user=user)
            assert done.returncode == 0, (user, call, done.stderr)
    on_bus.wait_for("reloaded", count=2)
    on_bus.wait_until(lambda: on_bus.property("ActiveState") == "active", "active")
    assert len(on_bus.journal("reloaded")) == 2


def test_others_may_not(on_bus):
    for call in (("Reload",), ("Restore",), ("SetMode", "s", "observe")):
        assert try_call(on_bus, *call, user=NOBODY).returncode != 0
    assert not on_bus.journal("requested")
    done = try_call(on_bus, "SetMode", "s", "observe", user=(*NOBODY, "--inh-caps=+net_admin", "--ambient-caps=+net_admin"))
    assert done.returncode != 0


def test_a_bus_that_comes_again(on_bus):
    on_bus.run("systemctl", "kill", "--signal=KILL", "dbus.service")
    on_bus.wait_until(lambda: owner(on_bus) is not None, "the name again")
    assert on_bus.property("NRestarts") == "0"


def test_asking_starts_nothing(machine):
    assert try_call(machine, "GetSnapshot").returncode != 0
    assert machine.property("ActiveState") == "inactive"
