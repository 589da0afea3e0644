# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration: checked before it holds, told by line where it is wrong, taken over while running."""

import re
import subprocess

import pytest

from namespaces import PATIENCE
from programs import ENVIRONMENT, QUICK, SHIPPED_CONF, TIMEWAITD, adjusting

# Each line that is wrong, and a word that the message has to have.
BAD = """\
[daemon]
intervall = 1s
interval = soon
top = 10
top = 10

[rule reuse]
metric = port-uses
raise = 45%
clear = 25%
set = net.ipv4.tcp_tw_resue=1
set = net.ipv4.tcp_max_tw_buckets=-1

[rule same]
metric = listen
raise = 5
clear = 5

[rulez x]
"""
WRONG = {2: "interval", 3: "soon", 5: "top", 8: "port-use", 11: "tcp_tw_reuse", 12: "tcp_max_tw_buckets", 19: "rulez"}


def check(path):
    return subprocess.run(
        [TIMEWAITD, "--check", f"--config={path}"], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT
    )


@pytest.fixture
def write(tmp_path):
    def write(text, name="a.conf"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_the_shipped_file_is_right():
    done = check(SHIPPED_CONF)
    assert (done.returncode, done.stdout, done.stderr) == (0, "OK\n", "")


def test_an_empty_file_is_right(write):
    assert check(write("")).stdout == "OK\n"


def test_every_mistake_is_told_by_file_and_line(write):
    path = write(BAD)
    done = check(path)
    assert done.returncode == 78
    assert done.stdout == ""
    told = {}
    for line in done.stderr.splitlines():
        match = re.fullmatch(re.escape(str(path)) + r":(\d+): (.+)", line)
        assert match, line
        told[int(match[1])] = match[2]
    for number, word in WRONG.items():
        assert word in told.get(number, ""), done.stderr
    assert any("same" in text or "equal" in text for number, text in told.items() if 14 <= number <= 17), done.stderr
    assert list(told) == sorted(told)


def test_a_file_that_is_not_there(tmp_path):
    done = check(tmp_path / "none.conf")
    assert done.returncode == 78
    assert "none.conf" in done.stderr and "No such file" in done.stderr


def test_a_start_with_a_mistake(near, write, tmp_path):
    done = near.try_run(TIMEWAITD, f"--config={write(BAD)}", f"--state-dir={tmp_path}", "--log=json", env=ENVIRONMENT)
    assert done.returncode == 78
    assert "a.conf:2: " in done.stderr


RANGE = "net.ipv4.ip_local_port_range"


def test_the_port_range_is_advice(near, listener, daemon, write):
    """A file of before that widens it still loads; it is told what it asks for in vain, and where to set that."""
    text = adjusting({RANGE: "16384 60999", "net.ipv4.tcp_fin_timeout": "30"})
    line = text.splitlines().index(f"set = {RANGE}=16384 60999") + 1
    path = write(text)
    done = check(path)
    assert (done.returncode, done.stdout) == (0, "OK\n")
    assert done.stderr.startswith(f"{path}:{line}: warning: {RANGE} is not set for servers: ")
    assert "/etc/sysctl.d" in done.stderr and f"timewaitctl explain {RANGE}" in done.stderr
    before = near.sysctl(RANGE)
    with listener():
        started = daemon(text)
        started.wait_for("adjusted")
        started.reload(text)
        refused = started.wait_for("refused", count=2)
        assert [record["TIMEWAITD_SYSCTL"] for record in started.records("adjusted")] == ["net.ipv4.tcp_fin_timeout"]
    assert (refused["TIMEWAITD_SYSCTL"], refused["TIMEWAITD_RULE"]) == (RANGE, "servers")
    assert refused["MESSAGE"].startswith(f"{RANGE} was not set for servers: {started.config}:{line} asks for it")
    assert near.sysctl(RANGE) == before


def test_a_plain_sysctl_is_said_to_be_not_measured(listener, daemon):
    with listener():
        started = daemon(adjusting({"net.ipv4.tcp_fin_timeout": "30", "net.core.somaxconn": "8192"}))
        started.wait_for("adjusted", count=2)
    said = {record["TIMEWAITD_SYSCTL"]: "not measured" in record["MESSAGE"] for record in started.records("adjusted")}
    assert said == {"net.ipv4.tcp_fin_timeout": False, "net.core.somaxconn": True}


def test_a_reload_takes_over(near, listener, daemon):
    with listener():
        started = daemon(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
        started.wait_for("adjusted")
        started.reload(adjusting({"net.ipv4.tcp_fin_timeout": "25"}))
        started.wait_for("reloaded")
        adjusted = started.wait_for("adjusted", count=2)
        assert [adjusted[f"TIMEWAITD_{name}"] for name in ("OLD", "NEW", "BASELINE")] == ["30", "25", "60"]
        assert len(started.records("raised")) == 1, "the rule's state was not kept by its name"
        started.stop()
    assert near.sysctl("net.ipv4.tcp_fin_timeout") == "60"


def test_a_rule_that_vanishes_leaves_properly(near, listener, daemon):
    with listener():
        started = daemon(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
        started.wait_for("adjusted")
        started.reload(adjusting({"net.ipv4.tcp_fin_timeout": "20"}, name="others"))
        assert started.wait_for("cleared")["TIMEWAITD_RULE"] == "servers"
        assert started.wait_for("adjusted", RULE="others")["TIMEWAITD_BASELINE"] == "60"
        started.stop()
    assert near.sysctl("net.ipv4.tcp_fin_timeout") == "60"


def test_a_shorter_interval_begins_at_once(near, listener, daemon):
    started = daemon("[daemon]\ninterval = 1h\n")
    with listener():
        started.reload(adjusting({"net.ipv4.tcp_fin_timeout": "25"}))
        started.wait_for("adjusted")


def test_a_bad_reload_changes_nothing(near, listener, daemon):
    with listener():
        started = daemon(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
        started.wait_for("adjusted")
        started.reload(BAD)
        failed = started.wait_for("reload-failed", count=len(WRONG))
        assert f"{started.config}:" in failed["MESSAGE"]
        texts = "\n".join(record["MESSAGE"] for record in started.records("reload-failed"))
        for number in WRONG:
            assert f"{started.config}:{number}: " in texts
        assert not started.records("reloaded")
        assert near.sysctl("net.ipv4.tcp_fin_timeout") == "30"
        assert not started.records("cleared") and not started.records("restored")
        started.reload(QUICK)
        started.wait_for("reloaded")
        started.wait_for("restored")


def test_many_reloads_while_raised(near, listener, daemon):
    with listener():
        started = daemon(adjusting({"net.ipv4.tcp_fin_timeout": "30"}))
        started.wait_for("adjusted")
        for count in range(1, 31):
            started.reload()
            started.wait_for("reloaded", count=count)
        assert near.sysctl("net.ipv4.tcp_fin_timeout") == "30"
        assert [len(started.records(event)) for event in ("raised", "adjusted", "cleared")] == [1, 1, 0]
