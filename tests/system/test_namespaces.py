# SPDX-License-Identifier: GPL-2.0-or-later
"""
Other network namespaces than the daemon's own: found, counted, healed and let go. The daemon runs in `home`; those that it
watches are told apart from the machine's by their names.
"""

import contextlib
import itertools
import json
import os
import re
import resource
import subprocess
import time

import pytest

import cages
from buses import NOBODY, Bus, Listener
from namespaces import Namespace, Pair, end_process, run, wait_until
from programs import BUILD, ENVIRONMENT, TIMEWAITD, Confined, Daemon, is_sanitized, tool
from settings import PORTS, WANTED, daemon_section, prompt_rule

PREFIX = f"twtest{os.getpid()}-n"
NUMBERS = itertools.count()
REUSE = "net.ipv4.tcp_tw_reuse"


@pytest.fixture
def home():
    namespace = Namespace()
    yield namespace
    namespace.close()


@pytest.fixture
def bystander():
    namespace = Namespace()
    yield namespace
    namespace.close()


@pytest.fixture
def place():
    """Names for namespaces of one test, and a pattern that stands for them."""
    return f"{PREFIX}{next(NUMBERS)}x"


def watching(*names, **more):
    return daemon_section(namespaces=" ".join(names), **more)


def by_name(page):
    return {namespace["name"]: namespace for namespace in page["namespaces"]}


def once(home, config, tmp_path):
    path = tmp_path / "once.conf"
    path.write_text(config)
    done = home.try_run(TIMEWAITD, "--once", "--json", f"--config={path}", env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def gone(namespace_name):
    run("ip", "netns", "del", namespace_name)


def test_hundreds_are_counted_exactly(home, place, tmp_path):
    """Each with sockets in every state: once by the daemon at its start, once by --once."""
    config = watching("host", f"{place}*", census="1h", survey="1h", interval="1s")
    bus = Bus(tmp_path / "bus").start()
    with cages.make(place, 500):
        daemon = Daemon(home, tmp_path / "daemon", config, f"--bus={bus.address}")
        bus.wait_for_owner()
        found = by_name(bus.snapshot())
        looked = by_name(once(home, config, tmp_path))
        daemon.stop()
    bus.stop()
    expected = dict(cages.Cage.EXPECTED)
    for page in (found, looked):
        assert set(page) == {"host"} | {f"{place}-{i}" for i in range(500)}
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
    gone(f"{place}a")
    daemon.wait_for("namespace-gone", NAMESPACE=f"{place}a")
    wait_until(lambda: daemon.descriptors() == before, 5, "its descriptors are closed")
    # The same name again is another namespace.
    run("ip", "netns", "add", f"{place}a")
    daemon.wait_for("namespace-new", count=2, NAMESPACE=f"{place}a")
    gone(f"{place}a")
    daemon.wait_for("namespace-gone", count=2, NAMESPACE=f"{place}a")
    daemon.stop()


def test_found_by_its_process(home, tmp_path):
    """One without a name, called after what is in it."""
    sleeper = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    try:
        wait_until(lambda: os.stat(f"/proc/{sleeper.pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino, 5, "")
        inode = os.stat(f"/proc/{sleeper.pid}/ns/net").st_ino
        daemon = Daemon(home, tmp_path, watching("all"))

        def is_new():
            new = [record["TIMEWAITD_NAMESPACE"] for record in daemon.records("namespace-new")]
            return any(name.endswith(f"@{inode}") for name in new) or "netns" in new

        wait_until(is_new, 10, daemon.story)
        told = len(daemon.records("namespace-gone"))
    finally:
        end_process(sleeper)
    wait_until(lambda: len(daemon.records("namespace-gone")) > told, 10, "it is let go")
    daemon.stop()


# As the service without the drop-in: a user's, to whom /proc shows no process of others (ProtectProc=invisible).
HIDDEN = f"mount -t proc -o hidepid=2 none /proc; chown -R 65534 '{{state}}'; set -- {' '.join(NOBODY)} \"$@\""


def let_in(directory):
    """Anybody may go there."""
    for place in (directory, *directory.parents):
        if place.stat().st_mode & 0o005 != 0o005:
            place.chmod(0o755)


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
    server = pair.far.start(tool("sinkd"), Pair.FAR, "80")
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


@pytest.fixture
def changed(home, place, tmp_path):
    """A daemon that has changed sysctls of another namespace, which owes them back."""
    other = Namespace()
    server = other.start(tool("sinkd"), "127.0.0.1", "80")
    config = watching("host", other.name) + prompt_rule("servers", "listen", 1, 0, WANTED) + "namespaces = all\n"
    daemon = Daemon(home, tmp_path, config)
    baseline = {key: WANTED[key] for key in WANTED}
    for key in WANTED:
        daemon.wait_for("adjusted", NAMESPACE=other.name, SYSCTL=key)
        assert other.sysctl(key) == baseline[key]
    yield daemon, other, server
    if daemon.process.poll() is None:
        daemon.stop()
    with contextlib.suppress(RuntimeError):  # a test may have deleted it
        other.close()


def test_a_name_that_is_no_text_is_heard_of(home, place, bus, tmp_path):
    """What is not UTF-8 would be taken by no bus: nobody hides behind such a name."""
    other = Namespace(f"{place}\udcff")
    try:
        server = other.start(tool("sinkd"), "127.0.0.1", "80")
        config = watching("host", f"{place}*") + prompt_rule("servers", "listen", 1, 0, {}) + "namespaces = all\n"
        daemon = Daemon(home, tmp_path / "daemon", config, f"--bus={bus.address}")
        bus.wait_for_owner()
        daemon.wait_for("raised")
        with Listener(bus, tmp_path) as heard:
            end_process(server)
            wait_until(lambda: ["cleared", f"{place}\ufffd", "servers"] in [event[:3] for event in heard.signals("Event")], 5, "it")
        daemon.stop()
    finally:
        other.close()


BASELINE = {REUSE: "2", "net.ipv4.tcp_fin_timeout": "60"}


@pytest.mark.parametrize("wanted", ["20", "60"], ids=["another value", "nothing new"])
def test_what_is_owed_stands_until_it_is_paid(home, tmp_path, wanted):
    """One that is let go while its sysctls cannot be put back, and taken up again, still gets those of before."""
    other = Namespace()
    server = other.start(tool("sinkd"), "127.0.0.1", "80")

    def wanting(seconds, *names):
        return watching("host", *names) + prompt_rule(
            "servers", "listen", 1, 0, {"net.ipv4.tcp_fin_timeout": seconds}
        ) + "namespaces = all\n"

    daemon = Confined(home, tmp_path / "confined", wanting("30", other.name), "mount --bind /proc/sys /proc/sys")
    daemon.wait_for("adjusted", NAMESPACE=other.name)
    daemon.mount("-o", "remount,bind,ro", "/proc/sys")
    daemon.reload(wanting("30"))
    daemon.wait_for("namespace-gone", NAMESPACE=other.name)
    assert other.sysctl("net.ipv4.tcp_fin_timeout") == "30"
    daemon.mount("-o", "remount,bind,rw", "/proc/sys")
    daemon.reload(wanting(wanted, other.name))
    wait_until(lambda: other.sysctl("net.ipv4.tcp_fin_timeout") == wanted, 10, daemon.story)
    daemon.stop()
    assert_as_before(other)
    assert ledgers(daemon) == []
    end_process(server)
    other.close()


def test_a_damaged_ledger_is_kept(home, tmp_path):
    """What is owed cannot be known then: it is told, and nothing is written over."""
    other = Namespace()
    server = other.start(tool("sinkd"), "127.0.0.1", "80")
    rule = prompt_rule("servers", "listen", 1, 0, {"net.ipv4.tcp_fin_timeout": "30"}) + "namespaces = all\n"
    daemon = Daemon(home, tmp_path, watching("host") + rule)
    inode = os.stat(f"/run/netns/{other.name}").st_ino
    (daemon.state / f"ledger-{inode}").write_text("no ledger\n")
    daemon.reload(watching("host", other.name) + rule)
    daemon.wait_for("adjusted", NAMESPACE=other.name)
    record = daemon.wait_for("degraded", NAMESPACE=other.name)
    assert f"is damaged, so what it changed is not known; it is kept as ledger-{inode}.old" in record["MESSAGE"]
    assert (daemon.state / f"ledger-{inode}.old").read_text() == "no ledger\n"
    daemon.stop()
    end_process(server)
    other.close()


def assert_as_before(other):
    for key, value in BASELINE.items():
        assert other.sysctl(key) == value


def ledgers(daemon):
    return sorted(path.name for path in daemon.state.iterdir() if path.name.startswith("ledger"))


def test_stops_and_gives_back(changed):
    daemon, other, _ = changed
    inode = os.stat(f"/run/netns/{other.name}").st_ino
    assert ledgers(daemon) == [f"ledger-{inode}"]
    daemon.stop()
    assert_as_before(other)
    assert ledgers(daemon) == []


def test_what_is_owed_to_whom_it_does_not_see_stands(changed, tmp_path):
    """Hidden processes are no sign that the namespace is gone."""
    daemon, other, server = changed
    let_in(tmp_path)
    daemon.kill()
    gone(other.name)  # its name alone: somebody is in it
    hiding = ("unshare", "-m", "sh", "-ec", HIDDEN.format(state=daemon.state) + '; exec "$@"', "sh")
    done = daemon.namespace.try_run(
        *hiding, TIMEWAITD, "--restore", "--log=json", f"--state-dir={daemon.state}", env=ENVIRONMENT
    )
    assert (done.returncode, done.stdout) == (1, ""), done
    assert len(ledgers(daemon)) == 1
    assert len(daemon.restore()) == len(WANTED)
    assert ledgers(daemon) == []
    end_process(server)


@pytest.mark.parametrize("restarted", [False, True], ids=["restore", "start"])
def test_gives_back_after_a_kill(changed, restarted):
    daemon, other, server = changed
    daemon.kill()
    end_process(server)
    assert other.sysctl(REUSE) == "1"
    if restarted:
        daemon.start()
        daemon.stop()
    else:
        records = daemon.restore()
        assert {record["TIMEWAITD_NAMESPACE"] for record in records} == {other.name}
        assert daemon.restore() == []
    assert_as_before(other)
    assert ledgers(daemon) == []


def test_a_namespace_that_is_gone_owes_nothing(changed):
    """Its sysctls went with it; another one with the same inode is not touched."""
    daemon, other, server = changed
    daemon.kill()
    (name,) = ledgers(daemon)
    ledger = daemon.state / name
    # The kernel gives a freed inode anew: what such a namespace looks like to the next run.
    ledger.write_text(re.sub(r"(namespace \d+) \d+", r"\1 1234567", ledger.read_text()))
    before = other.all_sysctls()
    (record,) = daemon.restore()
    assert record["TIMEWAITD_EVENT"] == "namespace-gone"
    assert other.all_sysctls() == before
    assert ledgers(daemon) == []


def test_let_go_by_a_reload(changed):
    daemon, other, _ = changed
    daemon.reload(watching("host"))
    daemon.wait_for("cleared", NAMESPACE=other.name)
    daemon.wait_for("namespace-gone", NAMESPACE=other.name)
    assert_as_before(other)
    assert ledgers(daemon) == []


def test_gone_while_changed(changed):
    """Nobody can see it any more: nothing of it stays behind."""
    daemon, other, server = changed
    end_process(server)
    descriptors = f"/proc/{daemon.process.pid}/fd"
    gone(other.name)
    daemon.wait_for("namespace-gone", NAMESPACE=other.name)
    assert ledgers(daemon) == []
    links = [os.readlink(f"{descriptors}/{fd}") for fd in os.listdir(descriptors)]
    assert sum(link.startswith("net:[") for link in links) == 1, links  # its own


def test_churn_of_namespaces_leaks_nothing(home, place, tmp_path):
    """Fifty made and deleted a second, for a minute: descriptors, memory and namespaces are what they were."""
    daemon = Daemon(home, tmp_path, watching("host", f"{place}*", census="500ms", survey="2s", cpu_budget="20%"))
    pid = daemon.process.pid

    def held():
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        with open(f"/proc/{pid}/status") as status:
            rss = int(next(line for line in status if line.startswith("VmRSS")).split()[1])
        return len(links), rss

    def turn_over(seconds):
        end, made = time.monotonic() + seconds, 0
        began = time.monotonic()
        while time.monotonic() < end:
            cage = cages.Cage(f"{place}{made}")
            cage.close()
            made += 1
            time.sleep(max(0, began + made / 50 - time.monotonic()))
        return made

    turn_over(5)
    time.sleep(4)
    descriptors, memory = held()
    made = turn_over(60)
    assert made >= 2400
    wait_until(lambda: held()[0] <= descriptors, 10, lambda: f"{held()} was {descriptors}")
    assert is_sanitized() or held()[1] - memory < 1024, "KiB"
    said = [record for record in daemon.records() if record["TIMEWAITD_EVENT"] in ("degraded", "partial")]
    assert said == []
    daemon.stop()


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
