# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitd on a D-Bus of the test's own: what it tells, who may steer it, and a bus that comes and goes."""

import concurrent.futures
import socket
import time

import pytest

from buses import MANAGER, NAME, NOBODY, PATH, Bus, Listener
from namespaces import comes_soon, wait_until
from programs import QUICK, WANTED, adjusting, once, read_sysctls

WITH_CAPABILITY = (*NOBODY, "--inh-caps=+net_admin", "--ambient-caps=+net_admin")
CHANGING = [("Reload",), ("Restore",), ("SetMode", "s", "observe")]


@pytest.fixture
def on_bus(bus, daemon):
    def start(config=QUICK, *arguments):
        started = daemon(config, f"--bus={bus.address}", *arguments)
        bus.wait_for_owner()
        return started

    return start


@pytest.fixture
def raised(near, listener, on_bus, bus):
    """A daemon that has set all of WANTED."""
    with listener():
        baseline = read_sysctls(near)
        started = on_bus(adjusting())
        started.baseline = baseline
        started.wait_for("adjusted", count=len(WANTED))
        yield started


def test_it_is_described(on_bus, bus):
    on_bus()
    rows = [line.split() for line in bus.busctl("introspect", NAME, PATH, MANAGER).splitlines()[1:]]
    members = {row[0]: row[1:3] for row in rows}
    assert members == {
        ".GetSnapshot": ["method", "-"],
        ".Reload": ["method", "-"],
        ".Restore": ["method", "-"],
        ".SetMode": ["method", "s"],
        ".Mode": ["property", "s"],
        ".Raised": ["property", "as"],
        ".RulesTotal": ["property", "u"],
        ".Started": ["property", "t"],
        ".Status": ["property", "s"],
        ".Version": ["property", "s"],
        ".Event": ["signal", "ssss"],
    }


def test_properties(on_bus, bus):
    before = time.time()
    on_bus(adjusting())
    assert bus.get("Mode") == "enforce"
    assert bus.get("RulesTotal") == 1
    assert bus.get("Raised") == []
    assert bus.get("Version").count(".") == 2
    assert before - 1 < bus.get("Started") / 1e6 < time.time()
    assert "0 of 1 rules raised" in bus.get("Status")


def test_a_snapshot_is_what_once_tells_and_more(near, on_bus, bus, listener):
    before = time.time()
    with listener():
        on_bus()
        told = once(near)
        snapshot = bus.snapshot()
    assert list(snapshot) == ["version", "mode", "started", "now", "namespaces"]
    (space,) = snapshot["namespaces"]
    assert list(space) == [*told, "ages", "rules", "changes", "cost"]
    for key in told:
        assert type(space[key]) is type(told[key])
        if isinstance(told[key], dict):
            assert list(space[key]) == list(told[key])
    assert space["states"] == told["states"] and space["listeners"] == told["listeners"]
    assert before - 1 <= snapshot["started"] <= snapshot["now"] <= time.time()
    assert 0 <= space["ages"]["gauge"] and 0 <= space["ages"]["survey"]

    def is_fresh():
        """At rest it is on time: a gauge each tenth of a second, a survey each half of one."""
        ages = bus.snapshot()["namespaces"][0]["ages"]
        return ages["gauge"] < 1 and ages["survey"] < 5

    wait_until(is_fresh, "a look that is not late")
    assert space["cost"]["tick"] > 0 and space["cost"]["total"] > 0 and space["cost"]["survey"] > 0


def test_a_snapshot_tells_rules_and_changes(near, raised, bus):
    (space,) = bus.snapshot()["namespaces"]
    (rule,) = space["rules"]
    assert 0 <= rule.pop("since") <= time.time() - bus.get("Started") / 1e6
    assert rule.pop("finding").startswith("listen 1")
    assert rule == {
        "name": "servers",
        "metric": "listen",
        "state": "raised",
        "value": 1,
        "raise": 1,
        "clear": 0,
        "severity": "notice",
    }
    assert {row["sysctl"]: row["value"] for row in space["changes"]} == WANTED
    assert {row["sysctl"]: row["baseline"] for row in space["changes"]} == raised.baseline
    assert {(row["owner"], row["rule"]) for row in space["changes"]} == {("ours", "servers")}
    assert bus.get("Raised") == ["servers"]
    near.set_sysctl("net.ipv4.tcp_fin_timeout", 45)
    raised.wait_for("yielded")
    (row,) = [row for row in bus.snapshot()["namespaces"][0]["changes"] if row["owner"] == "yielded"]
    assert (row["sysctl"], row["value"]) == ("net.ipv4.tcp_fin_timeout", "45")


def test_signals(on_bus, bus, listener, tmp_path):
    started = on_bus(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
    with Listener(bus, tmp_path) as heard:
        with listener():
            started.wait_for("adjusted")
        started.wait_for("restored")
        wait_until(lambda: len(heard.signals("Event")) == 4, lambda: str(heard.signals("Event")))
        wait_until(lambda: len(heard.signals("PropertiesChanged")) == 2, lambda: str(heard.signals("PropertiesChanged")))
    events = heard.signals("Event")
    assert [row[0] for row in events] == ["raised", "adjusted", "cleared", "restored"]
    assert {tuple(row[1:3]) for row in events} == {("host", "servers")}
    assert [row[3] for row in events] == [started.records(row[0])[0]["MESSAGE"] for row in events]
    changed = [row[1]["Raised"]["data"] for row in heard.signals("PropertiesChanged")]
    assert changed == [["servers"], []]


def test_a_stop_is_heard(raised, bus, tmp_path):
    with Listener(bus, tmp_path) as heard:
        raised.stop()
        wait_until(lambda: len(heard.signals("Event")) == len(WANTED), lambda: str(heard.signals("Event")))
    assert {row[0] for row in heard.signals("Event")} == {"restored"}


def test_a_reload_answers_when_it_is_in_force(on_bus, bus, tmp_path):
    started = on_bus()
    started.config.write_text(adjusting())
    with Listener(bus, tmp_path) as heard:
        assert bus.call("Reload") == []
        assert bus.get("RulesTotal") == 1
        wait_until(lambda: heard.signals("Event"), "reloaded")
        assert heard.signals("Event")[0][0] == "reloaded"
    assert started.records("reloaded")
    assert "a reload, by user 0, process " in started.records("requested")[0]["MESSAGE"]


def test_a_bad_reload_answers_every_error(on_bus, bus):
    started = on_bus()
    started.config.write_text("[daemon]\nintervall = 1s\n[rule \xff]\nmetric = none\n", encoding="latin-1")
    errors = bus.call("Reload")
    assert errors[0].startswith(f"{started.config}:2: ") and len(errors) == len(started.records("reload-failed")) >= 2
    assert not started.records("reloaded")
    assert bus.get("RulesTotal") == 0


def test_restore(near, raised, bus):
    assert bus.call("Restore") == len(WANTED)
    assert read_sysctls(near) == raised.baseline
    assert bus.get("Raised") == ["servers"]
    assert bus.snapshot()["namespaces"][0]["changes"] == []
    raised.wait_for("refused", count=len(WANTED))
    time.sleep(0.5)
    assert read_sysctls(near) == raised.baseline, "it does not rest"
    assert len(raised.records("refused")) == len(WANTED), "each is told once"
    assert bus.call("Restore") == 0


def test_a_restore_lasts_for_the_cooldown(near, listener, on_bus, bus):
    with listener():
        started = on_bus(adjusting({"net.ipv4.tcp_fin_timeout": "30"}) + "cooldown = 1s\n")
        started.wait_for("adjusted")
        assert bus.call("Restore") == 1
        again = started.wait_for("adjusted", count=2)
    (restored,) = started.records("restored")
    assert restored["TIMEWAITD_NEW"] == "60"
    assert int(again["__REALTIME_TIMESTAMP"]) - int(restored["__REALTIME_TIMESTAMP"]) > 900000


def test_a_restore_leaves_to_others_what_is_theirs(near, listener, on_bus, bus):
    with listener():
        started = on_bus(adjusting({"net.ipv4.tcp_fin_timeout": "30"}) + "cooldown = 1s\n")
        started.wait_for("adjusted")
        near.set_sysctl("net.ipv4.tcp_fin_timeout", 45)
        assert bus.call("Restore") == 0
        started.wait_for("yielded")
        time.sleep(1.5)
        assert near.sysctl("net.ipv4.tcp_fin_timeout") == "45"


def test_the_mode(near, raised, bus, tmp_path):
    with Listener(bus, tmp_path) as heard:
        bus.call("SetMode", "s", "observe")
        assert read_sysctls(near) == raised.baseline
        assert bus.get("Mode") == bus.snapshot()["mode"] == "observe"
        raised.wait_for("advice", count=len(WANTED))
        bus.call("SetMode", "s", "enforce")
        raised.wait_for("adjusted", count=2 * len(WANTED))
        wait_until(lambda: len(heard.signals("PropertiesChanged")) == 2, "the mode's signals")
    assert [row[1]["Mode"]["data"] for row in heard.signals("PropertiesChanged")] == ["observe", "enforce"]
    assert [record["TIMEWAITD_REASON"].split(",")[0] for record in raised.records("requested")] == [
        "observe mode",
        "enforce mode",
    ]


def test_a_mode_lasts_until_a_reload(raised, bus):
    bus.call("SetMode", "s", "observe")
    bus.call("Reload")
    assert bus.get("Mode") == "enforce"


@pytest.mark.parametrize("user", [NOBODY, WITH_CAPABILITY], ids=["nobody", "a capability that the bus cannot see"])
@pytest.mark.parametrize("call", CHANGING, ids=lambda call: call[0])
def test_others_may_not(near, raised, bus, user, call):
    done = bus.try_call(*call, user=user)
    assert done.returncode != 0 and "denied" in done.stderr.lower(), done
    assert read_sysctls(near) == WANTED
    assert not raised.records("requested")


def test_nobody_speaks_for_the_bus(near, listener, on_bus, bus, tmp_path):
    """Neither that it has lost its name, nor that it has it."""
    started = on_bus(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
    for member in ("NameLost", "NameAcquired"):
        bus.send_signal(bus.owner(), "/org/freedesktop/DBus", f"org.freedesktop.DBus.{member}", f"string:{NAME}")
        assert bus.get("Mode") == "enforce", "it has read the signal by now"
        assert not started.records("degraded")
        with Listener(bus, tmp_path) as heard, listener():
            wait_until(lambda: heard.signals("Event"), "its signals go on")
        started.wait_for("cleared", count=len(started.records("raised")))


def test_others_may_ask(on_bus, bus):
    on_bus()
    assert bus.snapshot(user=NOBODY)["mode"] == "enforce"


@pytest.mark.parametrize(
    "call",
    [
        (PATH, MANAGER, "GetSnapshot", "s", "x"),
        (PATH, MANAGER, "SetMode"),
        (PATH, MANAGER, "SetMode", "s", "enforced"),
        (PATH, MANAGER, "SetMode", "u", "7"),
        (PATH, MANAGER, "Nothing"),
        (PATH, "org.timewaitd2.Manager", "Reload"),
        ("/", MANAGER, "Reload"),
        (PATH, "org.freedesktop.DBus.Properties", "Get", "ss", MANAGER, "Nothing"),
        (PATH, "org.freedesktop.DBus.Properties", "Set", "ssv", MANAGER, "Mode", "s", "observe"),
    ],
)
def test_garbage_is_refused(on_bus, bus, call):
    started = on_bus()
    assert bus.try_busctl("call", NAME, *call).returncode != 0
    assert bus.get("Mode") == "enforce"
    assert not started.records("requested")


def test_a_bus_that_comes_later(bus, daemon):
    bus.stop()
    started = daemon(QUICK, f"--bus={bus.address}")
    time.sleep(0.5)
    bus.start()
    bus.wait_for_owner()
    assert bus.get("Mode") == "enforce"
    assert not started.records("degraded")


def test_a_bus_that_is_restarted(on_bus, bus):
    started = on_bus()
    for _ in range(2):
        bus.stop()
        time.sleep(0.2)
        bus.start()
        bus.wait_for_owner()
    assert bus.get("Mode") == "enforce"
    assert not started.records("degraded")


def test_a_bus_that_hangs_holds_up_nothing(near, listener, on_bus, bus):
    started = on_bus(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
    bus.process.send_signal(19)  # SIGSTOP
    try:
        with listener():
            started.wait_for("adjusted")
        started.wait_for("restored")
        started.process.terminate()
        ended = comes_soon(lambda: started.process.poll() is not None, 5)
        assert ended, "it has waited for the bus, until it gave it up"
        started.stop()
    finally:
        bus.process.send_signal(18)  # SIGCONT


def test_a_name_that_another_has_is_told_once_and_taken_later(on_bus, bus, daemon):
    first = on_bus()
    second = daemon(QUICK, f"--bus={bus.address}")
    told = second.wait_for("degraded")
    assert "another process has it" in told["MESSAGE"]
    owner = bus.owner()
    first.stop()
    wait_until(lambda: bus.owner() not in (None, owner), "the second one to take over")
    assert bus.get("Mode") == "enforce"
    assert len(second.records("degraded")) == 1


def test_a_name_that_is_not_given_is_told_once(tmp_path, daemon):
    bus = Bus(tmp_path / "strict", owned="org.other").start()
    try:
        started = daemon(QUICK, f"--bus={bus.address}")
        started.wait_for("degraded")
        time.sleep(2.5)  # it is asked for again
        assert len(started.records("degraded")) == 1
    finally:
        bus.stop()


def test_a_wrong_address_is_told_once(daemon):
    started = daemon(QUICK, "--bus=nonsense")
    assert "D-Bus" in started.wait_for("degraded")["MESSAGE"]
    time.sleep(1.5)
    assert len(started.records("degraded")) == 1


def test_no_bus_at_all(daemon):
    started = daemon(QUICK, "--bus=none")
    time.sleep(0.3)
    started.stop()
    assert [record["TIMEWAITD_EVENT"] for record in started.records()] == ["started", "stopped"]


def test_many_calls_at_once_while_it_dumps(on_bus, bus, daemon):
    """A census each tenth of a second, and calls by ten callers at once, in thousands; beside one that nobody calls."""
    often = QUICK.replace("sample-record = 0", "sample-record = 100ms")
    asked, quiet = on_bus(often), daemon(often)
    before = len(asked.records("sample")), len(quiet.records("sample"))

    def ask(_):
        return bus.snapshot()["mode"]

    def ask_often():
        assert list(pool.map(ask, range(1000))) == ["enforce"] * 1000
        return len(quiet.records("sample")) > before[1] + 10

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        wait_until(ask_often, "samples of the one that nobody calls")
    made, usual = len(asked.records("sample")) - before[0], len(quiet.records("sample")) - before[1]
    assert made > usual / 2, f"the calls keep it from its work: {made} samples, {usual} without them"
