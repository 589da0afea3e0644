# SPDX-License-Identifier: GPL-2.0-or-later
"""
The daemon dies at each point between a decision and its record: what it changed goes back, by --restore or by the next
start. Needs a build with crash points, in TW_CRASH_BUILDDIR; TW_CRASH_ROUNDS goes over all of them so often.
"""

import os
import signal

import pytest

from namespaces import PATIENCE, wait_until
from programs import QUICK, WANTED, Daemon, adjusting

BUILD = os.environ.get("TW_CRASH_BUILDDIR")
ROUNDS = int(os.environ.get("TW_CRASH_ROUNDS", "1"))
SETS = {**WANTED, "net.ipv4.ip_autobind_reuse": "1"}
CONFIG = adjusting(SETS)
MANY = 200  # more points than any run can have

pytestmark = pytest.mark.skipif(not BUILD, reason="TW_CRASH_BUILDDIR names no build with --enable-crash-points")


class Crashing(Daemon):
    program = f"{BUILD}/timewaitd"

    def has(self, event):
        """Whether it has ended, or told of all its sysctls."""
        told = [record for record in self.records(event) if "TIMEWAITD_SYSCTL" in record]
        return self.process.poll() is not None or len(told) >= len(SETS)

    def live(self, listener, point):
        """Raised, cleared, stopped. True where it lived through that."""
        self.forget()
        self.environment = {"TW_CRASH_AT": str(point)}
        with listener():
            self.start(wait=False)
            wait_until(lambda: self.has("adjusted"), self.story)
        wait_until(lambda: self.has("restored"), self.story)
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        assert status in (0, -signal.SIGKILL), f"exit status {status}: {self.story()}"
        return status == 0

    def recover(self, by_restore):
        self.environment = {}
        if by_restore:
            self.restore()
            return
        self.forget()
        self.config.write_text(QUICK)
        self.start()
        self.stop()
        self.config.write_text(CONFIG)


@pytest.mark.long
@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_crash_point(near, listener, tmp_path, number):
    near.set_sysctl("net.ipv4.tcp_fin_timeout", "77")
    baseline = near.all_sysctls()
    daemon = Crashing(near, tmp_path / "crashing", CONFIG)
    daemon.stop()
    for point in range(1, MANY):
        survived = daemon.live(listener, point)
        if not survived:
            daemon.recover(by_restore=(point + number) % 2)
        assert near.all_sysctls() == baseline, f"crash point {point}: {daemon.story()}"
        assert not (daemon.state / "ledger").exists()
        if survived:
            break
    assert survived and point > 8 * len(SETS), f"only {point} crash points"
