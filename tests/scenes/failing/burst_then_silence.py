# SPDX-License-Identifier: GPL-2.0-or-later
import time

from busy import H2load, allow_descriptors
from failing.one_destination import REUSE, OneDestination
from scene import Load

BURST = 9000


class BurstThenSilence(OneDestination):
    name = "burst-then-silence"
    title = "a burst, half a minute of silence, and the load comes back"
    must = "the change stays through the silence; no connect of the second load fails for want of a port"
    seconds = 8
    story = f"""\
`h2load` throws {BURST} connections at one `nginx` in seconds, and nobody connects for longer than `proof-after`. So the
change that came at the end of the burst has not been needed: whether it helps is not tested, and to take it back for that
would be wrong. Then `httperf` opens 5000 connections a second, as in *one-destination*."""
    driven_by = "h2load, httperf, nginx"
    shorter = """\
[daemon]
proof-after = 5s
"""

    def prepare(self, stage):
        allow_descriptors()
        super().prepare(stage)

    def load(self, stage):
        burst = ("-n", BURST, "-c", BURST, "-r", BURST // 60, "--rate-period=50ms")
        attempts, failed = H2load(stage, stage.watched, "http://10.1.0.2/", *burst).finish()
        if stage.daemon:
            stage.daemon.wait("adjusted", timeout=30)
        time.sleep(8 if stage.short else 35)
        second = self.fill(stage, 5000)
        return Load(attempts + second.attempts, failed + second.failed, second.note)

    def judge(self, outcome):
        play, found = outcome.watched, []
        if self.lost(play):
            found.append(f"{self.lost(play)} connects of the second load failed")
        if len(play.of("adjusted", SYSCTL=REUSE)) != 1:
            found.append(f"{REUSE} was set {len(play.of('adjusted', SYSCTL=REUSE))} times")
        if any("no difference" in record["MESSAGE"] for record in play.of("effect")):
            found.append("said to have made no difference")
        if not play.of("restored", SYSCTL=REUSE):
            found.append("not put back in the end")
        return found
