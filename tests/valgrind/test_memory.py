# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing is read that was not written, and nothing is lost, in a whole life of the daemon and in what is asked once."""

import contextlib
import json
import socket
import subprocess
import textwrap

import pytest

from conftest import MEMCHECK
from namespaces import wait_until
from programs import BUILD, QUICK, SHIPPED_CONF, WANTED, adjusting, read_sysctls

DESTROY = """
[destroy]
allow = time-wait close-wait

[rule over]
metric = time-wait
raise = 1
clear = 0
raise-for = 0s
clear-for = 10s
severity = notice
destroy = time-wait older-than 1s max 500/s
"""
# A gate that is asked, a proof that is waited for, and a step.
JUDGED = """
[rule judged]
metric = established
raise = 1
clear = 0
raise-for = 0s
clear-for = 0s
set = net.ipv4.tcp_tw_reuse=1
step = net.ipv4.tcp_max_tw_buckets x2 limit 1048576 every 1s
"""


def test_memcheck_is_there(tmp_path):
    """Else nothing below could fail."""
    source = tmp_path / "bad.c"
    source.write_text("#include <stdlib.h>\nint main(void) { volatile char *p = malloc(1); return p[1] != p[1]; }\n")
    subprocess.run(["gcc", "-O0", "-o", tmp_path / "bad", source], check=True)
    assert subprocess.run([*MEMCHECK, tmp_path / "bad"], stderr=subprocess.DEVNULL).returncode == 99


@pytest.fixture
def sockets(near):
    """Connections in most states, over the loopback."""
    with contextlib.ExitStack() as kept:
        with near.entered():
            server = kept.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            server6 = kept.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
            for _ in range(30):
                made = kept.enter_context(socket.socket())
                made.bind(("127.0.0.1", 0))
        ends = []
        for at in [server.getsockname()] * 30 + [server6.getsockname()[:2]] * 10:
            with near.entered():
                client = kept.enter_context(socket.create_connection(at))
            accepted, _ = (server6 if ":" in at[0] else server).accept()
            ends.append((client, kept.enter_context(accepted)))
        for client, accepted in ends[:10] + ends[35:]:
            client.close()
            accepted.close()
        for client, _ in ends[10:20]:
            client.shutdown(socket.SHUT_WR)  # CLOSE-WAIT on the other end
        yield


def test_a_life(near, daemon, sockets):
    before = read_sysctls(near)
    living = daemon(adjusting() + DESTROY)
    living.wait_for("adjusted", count=len(WANTED))
    living.wait_for("destroyed")
    living.reload(adjusting({"net.ipv4.tcp_fin_timeout": "25"}) + JUDGED)
    living.wait_for("reloaded")
    wait_until(lambda: near.sysctl("net.ipv4.tcp_fin_timeout") == "25", living.story)
    living.reload("[rule broken]\nraise = ?\n")
    living.wait_for("reload-failed")
    near.set_sysctl("net.ipv4.tcp_fin_timeout", 40)  # somebody else's hand: yielded
    living.wait_for("yielded")
    living.stop()
    assert read_sysctls(near) == {**before, "net.ipv4.tcp_fin_timeout": "40"}


def test_an_observed_life_with_samples(daemon, sockets):
    living = daemon(adjusting(head=QUICK.replace("sample-record = 0", "sample-record = 1s")) + DESTROY, "--observe")
    living.wait_for("sample", count=2)
    living.stop()


def test_a_death_and_what_is_put_back(near, run, daemon, sockets):
    before = read_sysctls(near)
    living = daemon(adjusting())
    living.wait_for("adjusted", count=len(WANTED))
    living.kill()
    assert read_sysctls(near) != before
    run(0, "timewaitd", "--restore", "--log=json", f"--state-dir={living.state}")
    assert read_sysctls(near) == before


def test_once(run, sockets):
    assert len(json.loads(run(0, "timewaitd", "--once", "--json").stdout)["namespaces"]) == 1
    assert run(0, "timewaitd", "--once").stdout


def test_configurations(run, tmp_path):
    run(0, "timewaitd", "--check", f"--config={SHIPPED_CONF}")
    bad = tmp_path / "bad.conf"
    bad.write_text(
        textwrap.dedent(
            """\
            [daemon]
            intervall = 1
            interval = 1 fortnight
            [rule a]
            set = net.ipv4.no_such=1
            destroy = all
            [scope x]
            [what
            """
        )
    )
    assert run(78, "timewaitd", "--check", f"--config={bad}").stderr.count("\n") > 4


def test_wrong_usage(run):
    run(2, "timewaitd", "--no-such-option")
    run(2, "timewaitctl", "no-such-verb")


@pytest.mark.parametrize("arguments", (["explain"], ["explain", "TIME-WAIT"], ["explain", "tcp_tw_reuse"], ["lint"]))
def test_the_questions(near, sockets, arguments):
    done = near.try_run(*MEMCHECK, str(BUILD / "timewaitctl"), *arguments)
    assert done.returncode in (0, 1), done.stderr
    assert "==" not in done.stderr, done.stderr
