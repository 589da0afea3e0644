# SPDX-License-Identifier: GPL-2.0-or-later
"""What is owed to other network namespaces than the daemon's own: it is put back, whatever came between."""

import contextlib
import os
import re

import pytest

from hiding import HIDDEN, let_in
from namespaces import Namespace, delete_name, end_process, wait_until
from programs import ENVIRONMENT, TIMEWAITD, Confined, Daemon, namespaces_held, start_sink
from settings import WANTED, prompt_rule, watching

REUSE = "net.ipv4.tcp_tw_reuse"
BASELINE = {REUSE: "2", "net.ipv4.tcp_fin_timeout": "60"}


@pytest.fixture
def changed(home, tmp_path):
    """A daemon that has changed sysctls of another namespace, which owes them back."""
    other = Namespace()
    server = start_sink(other, "127.0.0.1", 80)
    config = watching("host", other.name) + prompt_rule("servers", "listen", 1, 0, WANTED) + "namespaces = all\n"
    daemon = Daemon(home, tmp_path, config)
    for key, value in WANTED.items():
        daemon.wait_for("adjusted", NAMESPACE=other.name, SYSCTL=key)
        assert other.sysctl(key) == value
    yield daemon, other, server
    if daemon.process.poll() is None:
        daemon.stop()
    with contextlib.suppress(RuntimeError):  # a test may have deleted it
        other.close()


def assert_as_before(other):
    for key, value in BASELINE.items():
        assert other.sysctl(key) == value


def ledgers(daemon):
    return sorted(path.name for path in daemon.state.iterdir() if path.name.startswith("ledger"))


@pytest.mark.parametrize("wanted", ["20", "60"], ids=["another value", "nothing new"])
def test_what_is_owed_stands_until_it_is_paid(home, tmp_path, wanted):
    """One that is let go while its sysctls cannot be put back, and taken up again, still gets those of before."""
    other = Namespace()
    server = start_sink(other, "127.0.0.1", 80)

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
    wait_until(lambda: other.sysctl("net.ipv4.tcp_fin_timeout") == wanted, daemon.story)
    daemon.stop()
    assert_as_before(other)
    assert ledgers(daemon) == []
    end_process(server)
    other.close()


def test_a_damaged_ledger_is_kept(home, tmp_path):
    """What is owed cannot be known then: it is told, and nothing is written over."""
    other = Namespace()
    server = start_sink(other, "127.0.0.1", 80)
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
    delete_name(other.name)  # its name alone: somebody is in it
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
    delete_name(other.name)
    daemon.wait_for("namespace-gone", NAMESPACE=other.name)
    assert ledgers(daemon) == []
    wait_until(lambda: namespaces_held(daemon) == 1, lambda: daemon.links())  # its own
