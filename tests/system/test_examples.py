# SPDX-License-Identifier: GPL-2.0-or-later
"""Each example is a drop-in that the shipped configuration takes, and says what it is for."""

import subprocess

import pytest

from namespaces import PATIENCE
from programs import ENVIRONMENT, SHIPPED_CONF, TIMEWAITD

EXAMPLES = sorted((SHIPPED_CONF.parent / "examples").glob("*.conf"))

# The shipped file and the drop-in as an installed daemon reads them, with an /etc that nobody else sees.
INSTALLED = """
mount -t tmpfs tmpfs /etc && mkdir -p /etc/timewaitd/timewaitd.conf.d && cp "$1" /etc/timewaitd/timewaitd.conf &&
cp "$2" /etc/timewaitd/timewaitd.conf.d/ && exec "$3" --check
"""


def check(drop_in):
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", INSTALLED, "sh", SHIPPED_CONF, drop_in, TIMEWAITD],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=ENVIRONMENT,
    )


def test_there_are_some():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_is_right(path):
    done = check(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "OK\n", "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_says_what_it_is_for_and_where_it_goes(path):
    head = path.read_text().split("\n\n")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "timewaitd.conf.d" in head


def test_a_mistake_is_found(tmp_path):
    """Or the tests above would prove nothing."""
    wrong = tmp_path / "wrong.conf"
    wrong.write_text("[daemon]\nmode = obsrve\n")
    done = check(wrong)
    assert done.returncode == 78
    assert "/etc/timewaitd/timewaitd.conf.d/wrong.conf:2:" in done.stdout + done.stderr
