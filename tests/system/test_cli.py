# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: what is said where, and the exit statuses."""

import re
import signal
import subprocess

import pytest

from namespaces import PATIENCE
from programs import ENVIRONMENT, QUICK, TIMEWAITD


def timewaitd(*arguments):
    return subprocess.run([TIMEWAITD, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT)


def test_help():
    done = timewaitd("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in "config check once json observe restore log state-dir help version".split():
        assert f"--{option}" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_version():
    done = timewaitd("--version")
    assert (done.returncode, done.stderr) == (0, "")
    name, version = done.stdout.split()
    assert name == "timewaitd" and version[0].isdigit()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--chekc"],
        ["-x"],
        ["--config"],
        ["--log=paper"],
        ["--json"],
        ["--check=yes"],
        ["stray"],
        ["--once", "stray"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments):
    done = timewaitd(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--help" in done.stderr


def test_one_daemon_at_a_time(near, daemon):
    first = daemon(QUICK)
    done = near.try_run(
        TIMEWAITD, f"--config={first.config}", f"--state-dir={first.state}", "--log=json", env=ENVIRONMENT
    )
    assert done.returncode == 1
    assert str(first.process.pid) in done.stderr
    done = near.try_run(TIMEWAITD, "--restore", f"--state-dir={first.state}", "--log=json", env=ENVIRONMENT)
    assert done.returncode == 1, "what a living daemon has set is not for others to put back"
    first.kill()
    assert first.restore() == []


def test_a_state_directory_that_cannot_be(near, daemon, tmp_path):
    (tmp_path / "file").write_text("")
    done = near.try_run(TIMEWAITD, f"--state-dir={tmp_path}/file/state", "--log=json", env=ENVIRONMENT)
    assert done.returncode == 1
    assert f"{tmp_path}/file/state" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_ends_well(daemon, number):
    started = daemon(QUICK)
    started.process.send_signal(number)
    assert started.process.wait(PATIENCE) == 0
    assert [record["TIMEWAITD_EVENT"] for record in started.records()] == ["started", "stopped"]


def test_every_record_has_its_head(daemon):
    started = daemon(QUICK.replace("sample-record = 0", "sample-record = 1s"))
    started.wait_for("sample", count=2)
    started.stop()
    for record in started.records():
        assert list(record)[:3] == ["MESSAGE", "MESSAGE_ID", "PRIORITY"]
        assert len(record["MESSAGE_ID"]) == 32
        assert record["TIMEWAITD_NAMESPACE"] == "host"


def test_text_is_a_line_a_record(near, tmp_path):
    config = tmp_path / "a.conf"
    config.write_text(QUICK)
    process = near.start(
        TIMEWAITD, f"--config={config}", f"--state-dir={tmp_path}", "--log=text", stdout=subprocess.PIPE, text=True
    )
    first = process.stdout.readline()
    process.terminate()  # at once: from its first record on, it ends well
    rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    line = r"\d\d:\d\d:\d\d notice: {}.*\n"
    assert re.fullmatch(line.format("Started"), first)
    assert re.fullmatch(line.format("Stopped"), rest)


def test_nobody_reading_does_not_hold_it_up(near, tmp_path):
    """Standard output is a pipe that is full: records are lost, the daemon is not."""
    config = tmp_path / "a.conf"
    config.write_text(QUICK.replace("sample-record = 0", "sample-record = 100ms"))
    process = near.start(
        TIMEWAITD,
        f"--config={config}",
        f"--state-dir={tmp_path}",
        "--log=json",
        stdout=subprocess.PIPE,
        pipesize=4096,
    )
    assert process.stdout.read(1)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)
    process.terminate()
    assert process.wait(PATIENCE) == 0
