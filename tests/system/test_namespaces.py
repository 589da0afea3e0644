# SPDX-License-Identifier: GPL-2.0-or-later
"""
Other network namespaces than the daemon's own: found, counted, healed and let go. The daemon runs in `home`; those that it
watches are told apart from the machine's by their names.
"""

import itertools
import json
import os
import pathlib
import subprocess
import time

import pytest

import cages
from buses import Listener
from hiding import HIDDEN, let_in
from namespaces import Namespace, Pair, delete_name, end_process, run, wait_until
from programs import BUILD, ENVIRONMENT, TIMEWAITD, Confined, Daemon, is_sanitized, namespaces_held, start_sink, tool
from settings import PORTS, prompt_rule, watching

PREFIX = f"twtest{os.getpid()}-n"
NUMBERS = itertools.count()
REUSE = "net.ipv4.tcp_tw_reuse"


@pytest.fixture
def bystander():
    namespace = Namespace()
    yield namespace
    namespace.close()


@pytest.fixture
def place():
    """Names for namespaces of one test, and a pattern that stands for them."""
    return f"{PREFIX}{next(NUMBERS)}x"


def by_name(page):
    return {namespace["name"]: namespace for namespace in page["namespaces"]}


def once(home, config, tmp_path):
    path = tmp_path / "once.conf"
    path.write_text(config)
    done = home.try_run(TIMEWAITD, "--once", "--json", f"--config={path}", env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.long
def test_hundreds_are_counted_exactly(home, place, bus, tmp_path):
    """Each with sockets in every state: once by the daemon at its start, once by --once."""
    config = watching("host", f"{place}*", census="1h", survey="1h", interval="1s")
    with cages.make(place, 200):
        daemon = Daemon(home, tmp_path / "daemon", config, f"--bus={bus.address}")
        bus.wait_for_owner()
        found = by_name(bus.snapshot())
        looked = by_name(once(home, config, tmp_path))
        daemon.stop()
    expected = dict(cages.Cage.EXPECTED)
    for page in (found, looked):
        assert set(page) == {"host"} | {f"{place}-{i}" for i in range(200)}
        wrong = {
            name: one["states"] for name, one in page.items() if name != "host" and one["states"] != expected
        }
        assert wrong == {}
    assert all(one["ages"]["census"] is not None for one in found.values())
    assert len(daemon.records("namespace-new")) == 20  # a minute's worth, whatever their number


def test_comes_and_goes(home, place, tmp_path):
    config = watching("host", f"{place}*")
    daemon = Daemon(home, tmp_path, config)
    before = daemon.descriptors()
    run("ip", "netns", "add", f"{place}a")
    record = daemon.wait_for("namespace-new", NAMESPACE=f"{place}a")
    assert place in record["MESSAGE"]
    assert daemon.descriptors() > before
    delete_name(f"{place}a")
    daemon.wait_for("namespace-gone", NAMESPACE=f"{place}a")
    wait_until(lambda: daemon.descriptors() == before, "its descriptors are closed")
    # The same name again is another namespace.
    run("ip", "netns", "add", f"{place}a")
    daemon.wait_for("namespace-new", count=2, NAMESPACE=f"{place}a")
    delete_name(f"{place}a")
    daemon.wait_for("namespace-gone", count=2, NAMESPACE=f"{place}a")
    daemon.stop()


def test_a_plain_file_is_no_namespace(home, place, tmp_path):
    """What stands in /run/netns before a namespace is bound to its name, and after: nothing is said of it."""
    config = watching("host", f"{place}a", f"{place}b*")
    path = pathlib.Path(f"/run/netns/{place}a")
    path.touch()
    try:
        daemon = Daemon(home, tmp_path, config)
        run("ip", "netns", "add", f"{place}b")
        daemon.wait_for("namespace-new", NAMESPACE=f"{place}b")  # so the file has been looked at
        assert set(by_name(once(home, config, tmp_path))) == {"host", f"{place}b"}
        run("unshare", "--net", "mount", "--bind", "/proc/self/ns/net", str(path))
        daemon.wait_for("namespace-new", NAMESPACE=path.name)
        run("umount", "--lazy", str(path))
        daemon.wait_for("namespace-gone", NAMESPACE=path.name)
        delete_name(f"{place}b")
        daemon.wait_for("namespace-gone", NAMESPACE=f"{place}b")
        daemon.stop()
        assert len(daemon.records("namespace-new")) == 2
        assert daemon.records("degraded") == []
    finally:
        subprocess.run(["umount", "--lazy", "--quiet", str(path)], check=False)
        path.unlink()


def test_found_by_its_process(home, tmp_path):
    """One without a name, called after what is in it."""
    sleeper = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    try:
        wait_until(lambda: os.stat(f"/proc/{sleeper.pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino, "")
        inode = os.stat(f"/proc/{sleeper.pid}/ns/net").st_ino
        daemon = Daemon(home, tmp_path, watching("all"))

        def is_new():
            new = [record["TIMEWAITD_NAMESPACE"] for record in daemon.records("namespace-new")]
            return any(name.endswith(f"@{inode}") for name in new) or "netns" in new

        wait_until(is_new, daemon.story)
        told = len(daemon.records("namespace-gone"))
    finally:
        end_process(sleeper)
    wait_until(lambda: len(daemon.records("namespace-gone")) > told, "it is let go")
    daemon.stop()


def test_it_says_that_processes_are_hidden(home, tmp_path):
    let_in(tmp_path)
    daemon = Confined(home, tmp_path / "hidden", watching("all"), HIDDEN)
    record = daemon.wait_for("degraded", NAMESPACE="host")
    assert "CAP_SYS_PTRACE" in record["MESSAGE"]
    daemon.stop()


@pytest.fixture
def short_of_ports(home, place):
    """A namespace `near` whose ports towards one server run out, beside `home`."""
    pair = Pair()
    pair.near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40999")
    server = start_sink(pair.far, Pair.FAR, 80)
    yield pair
    end_process(server)
    pair.close()


def churn(pair, seconds):
    done = pair.near.run(tool("churn"), "--rate=400", f"--seconds={seconds}", Pair.FAR, "80").splitlines()
    return json.loads(done[-1])


def healing(names, namespaces, **more):
    """Watches these, with the shipped rule about ports, which acts in `namespaces`."""
    return watching("host", *names, **more) + PORTS + f"namespaces = {namespaces}\n"


def test_heals_one_alone(home, bystander, short_of_ports, tmp_path):
    """It runs short of ports, is healed, and put back; nobody else's sysctls move."""
    near = short_of_ports.near
    before = {namespace: namespace.all_sysctls() for namespace in (home, near, bystander)}
    config = healing((near.name, bystander.name), "all")
    daemon = Daemon(home, tmp_path, config)
    load = churn(short_of_ports, 6)
    assert load["failed"] == 0, load
    record = daemon.wait_for("adjusted", NAMESPACE=near.name)
    assert (record["TIMEWAITD_SYSCTL"], record["TIMEWAITD_NEW"]) == (REUSE, "1")
    assert daemon.records("raised", NAMESPACE=near.name)[0]["TIMEWAITD_DESTINATION"] == f"{Pair.FAR}:80"
    assert near.sysctl(REUSE) == "1"
    for other in (home, bystander):
        assert other.all_sysctls() == before[other]
    daemon.stop()
    assert {namespace: namespace.all_sysctls() for namespace in before} == before
    assert not daemon.records("adjusted", NAMESPACE="host")


def test_elsewhere_a_rule_advises(home, short_of_ports, tmp_path):
    """A rule that says nothing acts in the host's namespace alone."""
    near = short_of_ports.near
    config = healing((near.name,), "host")
    daemon = Daemon(home, tmp_path, config)
    churn(short_of_ports, 3)
    advice = daemon.wait_for("advice", NAMESPACE=near.name)
    assert f"sysctl -w {REUSE}=1, in the network namespace {near.name}" in advice["TIMEWAITD_ADVICE"]
    assert "does not act in this one" in advice["TIMEWAITD_REASON"]
    assert f"{near.name}: No action in this namespace: {REUSE} would be set" in advice["MESSAGE"]
    assert near.sysctl(REUSE) == "2"
    daemon.stop()
    assert not daemon.records("adjusted")


def test_a_name_that_is_no_text_is_heard_of(home, place, bus, tmp_path):
    """What is not UTF-8 would be taken by no bus: nobody hides behind such a name."""
    other = Namespace(f"{place}\udcff")
    try:
        server = start_sink(other, "127.0.0.1", 80)
        config = watching("host", f"{place}*") + prompt_rule("servers", "listen", 1, 0, {}) + "namespaces = all\n"
        daemon = Daemon(home, tmp_path / "daemon", config, f"--bus={bus.address}")
        bus.wait_for_owner()
        daemon.wait_for("raised")
        with Listener(bus, tmp_path) as heard:
            end_process(server)
            wait_until(lambda: ["cleared", f"{place}\ufffd", "servers"] in [event[:3] for event in heard.signals("Event")], "it")
        daemon.stop()
    finally:
        other.close()


@pytest.mark.long
def test_churn_of_namespaces_leaks_nothing(home, place, tmp_path):
    """Fifty made and deleted a second, three thousand in all: descriptors, memory and namespaces are what they were."""
    daemon = Daemon(home, tmp_path, watching("host", f"{place}*", census="500ms", survey="2s", cpu_budget="20%"))

    def memory_kib():
        with open(f"/proc/{daemon.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1])

    def turn_over(count):
        began = time.monotonic()
        for made in range(1, count + 1):
            cages.Cage(f"{place}{made}").close()
            time.sleep(max(0, began + made / 50 - time.monotonic()))
        wait_until(lambda: namespaces_held(daemon) == 1, lambda: daemon.links())

    turn_over(250)
    descriptors, memory = daemon.descriptors(), memory_kib()
    turn_over(3000)
    wait_until(lambda: len(daemon.links()) <= descriptors, lambda: f"{daemon.links()}, there were {descriptors}")
    assert is_sanitized() or memory_kib() - memory < 1024, "KiB"
    said = [record for record in daemon.records() if record["TIMEWAITD_EVENT"] in ("degraded", "partial")]
    assert said == []
    daemon.stop()


@pytest.mark.long
def test_a_hostile_one_holds_up_nobody(home, bystander, short_of_ports, tmp_path):
    """A namespace with very many sockets beside one that runs short of ports: that one is healed as if it were alone."""
    near, hostile = short_of_ports.near, bystander
    hostile.ip("route", "add", "local", "10.0.0.0/8", "dev", "lo")
    hostile.set_sysctl("net.ipv4.ip_local_port_range", "10000 60999")
    maker = hostile.start(
        str(BUILD / "tests/bench/makesockets"), "established", "200000", "10000", stdout=subprocess.PIPE, text=True
    )
    assert maker.stdout.readline().startswith("ready")
    pace = {"interval": "500ms", "census": "1s", "survey": "5s", "cpu_budget": "2%"}
    daemon = Daemon(home, tmp_path, healing((hostile.name, near.name), "all", **pace))
    assert churn(short_of_ports, 6)["failed"] == 0
    assert near.sysctl(REUSE) == "1"
    daemon.stop()


def test_may_not_enter(home, bystander, tmp_path):
    """Without the capability it says what it takes, and watches what it may."""
    other = bystander
    daemon = Daemon(home, tmp_path, watching("host", other.name), wait=False)
    daemon.kill()
    daemon.forget()
    daemon.prefix = ("setpriv", "--bounding-set=-sys_admin")
    daemon.start()
    record = daemon.wait_for("degraded", NAMESPACE=other.name)
    assert "CAP_SYS_ADMIN" in record["TIMEWAITD_REASON"]
    time.sleep(1)
    assert len(daemon.records("degraded")) == 1
    daemon.stop()
