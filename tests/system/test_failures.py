# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever a step of a change can meet: it is said, nothing is left half done, and the daemon goes on."""

import re

import pytest

from namespaces import PATIENCE
from programs import ENVIRONMENT, QUICK, TIMEWAITD, WANTED, Confined, adjusting, read_sysctls

SYSCTLS_READ_ONLY = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys"
# One page, which the lock file takes.
STATE_FULL = 'mount -t tmpfs -o size=4k none "{state}"'
STATE_READ_ONLY = 'mount -t tmpfs -o ro none "{state}"'


@pytest.fixture
def killed(near, listener, baseline, daemon):
    """A daemon that was killed while it owed everything, and its ledger."""
    with listener():
        started = daemon(adjusting())
        started.wait_for("adjusted", count=len(WANTED))
        started.kill()
    return started, started.state / "ledger"


def restore(daemon):
    return daemon.namespace.try_run(
        TIMEWAITD, "--restore", "--log=json", f"--state-dir={daemon.state}", env=ENVIRONMENT
    )


# The event that is recorded for each sysctl, and words of it.
CHANGES = {
    "read-only /proc/sys": (SYSCTLS_READ_ONLY, "refused", "ProtectKernelTunables=no"),
    "full state directory": (STATE_FULL, "degraded", "its file system is full"),
}


@pytest.mark.parametrize("mounts, event, words", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_that_fails(near, listener, baseline, tmp_path, mounts, event, words):
    with listener():
        daemon = Confined(near, tmp_path / "confined", adjusting(), mounts)
        daemon.wait_for(event, count=len(WANTED))
        daemon.wait_for("raised")
    daemon.wait_for("cleared")
    told = daemon.records(event)
    assert sorted(record["TIMEWAITD_SYSCTL"] for record in told) == sorted(WANTED)  # once each
    assert all(words in record["MESSAGE"] for record in told)
    assert read_sysctls(near) == baseline
    assert not daemon.records("adjusted")
    daemon.stop()
    assert read_sysctls(near) == baseline


def test_a_state_directory_that_is_read_only(near, baseline, tmp_path):
    daemon = Confined(near, tmp_path / "confined", adjusting(), STATE_READ_ONLY, wait=False)
    assert daemon.process.wait(PATIENCE) == 1
    assert re.search(r"cannot use the state directory .*: Read-only file system", daemon.errors())
    assert not daemon.records("started")


def test_two_daemons_on_one_state_directory(near, tmp_path, daemon):
    first = daemon(QUICK)
    taken = f"another timewaitd (process {first.process.pid}) uses the state directory {first.state}"
    for option, hint in (("--log=json", ""), ("--observe", "; to observe beside it, give another --state-dir")):
        second = near.try_run(
            TIMEWAITD, f"--config={first.config}", option, f"--state-dir={first.state}", env=ENVIRONMENT
        )
        assert second.returncode == 1
        assert second.stderr == f"timewaitd: {taken}{hint}\n"
        assert second.stdout == ""


@pytest.mark.long
def test_a_truncated_ledger(near, killed, baseline):
    """At each length: nothing is put back by half a ledger, and it stays for whoever can read it."""
    daemon, ledger = killed
    whole = ledger.read_bytes()
    for length in range(len(whole)):
        ledger.write_bytes(whole[:length])
        done = restore(daemon)
        assert done.returncode == 1 and "is damaged" in done.stderr, f"{length} bytes: {done.stderr}"
        assert done.stdout == ""
        assert ledger.read_bytes() == whole[:length]
    assert read_sysctls(near) == WANTED
    ledger.write_bytes(whole)
    assert len(daemon.restore()) == len(WANTED)
    assert read_sysctls(near) == baseline


# What replaces a line of the ledger, and what the daemon says of it.
UNUSABLE = {
    "damaged": (rb"(?s)end .*", b"", "is damaged"),
    "of another namespace": (rb"namespace \d+ \d+", b"namespace 1 1", "of another network namespace"),
    "of another version": (rb"timewaitd-ledger \d+", b"timewaitd-ledger 99", "another version"),
}


@pytest.mark.parametrize("pattern, replacement, words", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_ledger_that_cannot_be_used(near, killed, pattern, replacement, words):
    daemon, ledger = killed
    bytes_of = re.sub(pattern, replacement, ledger.read_bytes())
    ledger.write_bytes(bytes_of)
    done = restore(daemon)
    assert done.returncode == 1 and words in done.stderr
    daemon.config.write_text(QUICK)
    daemon.start()
    assert words in daemon.wait_for("degraded")["MESSAGE"]
    daemon.stop()
    assert (daemon.state / "ledger.old").read_bytes() == bytes_of
    assert read_sysctls(near) == WANTED  # whose they are is not known


def test_a_ledger_of_another_boot(near, killed):
    """The sysctls went with that boot: what is there now is nobody's."""
    daemon, ledger = killed
    other_boot = b"boot 00000000-0000-4000-8000-000000000000"
    ledger.write_bytes(re.sub(rb"boot \S+", other_boot, ledger.read_bytes()))
    assert daemon.restore() == []
    daemon.config.write_text(QUICK)
    daemon.start()
    daemon.stop()
    assert not daemon.records("degraded") and not daemon.records("restored")
    assert read_sysctls(near) == WANTED


ABSENT = {
    "net.ipv4.tcp_tw_recycle": ("1", "Linux 4.12 removed it, because it dropped connections of clients behind NAT"),
    "net.ipv4.tcp_tw_timeout": ("30", "only some vendors' kernels do"),
}


@pytest.mark.parametrize("key", ABSENT)
def test_a_sysctl_that_this_kernel_has_not(near, listener, daemon, key):
    value, words = ABSENT[key]
    if near.try_run("test", "-e", "/proc/sys/" + key.replace(".", "/")).returncode == 0:
        pytest.skip(f"this kernel has {key}")
    with listener():
        started = daemon(adjusting({key: value}, head=QUICK + "allow-unsafe = yes\n"))
        refused = started.wait_for("refused")
        started.wait_for("raised")
        started.stop()
    assert refused["TIMEWAITD_SYSCTL"] == key
    assert words in refused["MESSAGE"]
    assert len(started.records("refused")) == 1
