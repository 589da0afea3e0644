# SPDX-License-Identifier: GPL-2.0-or-later
from failing.one_destination import REUSE, OneDestination


class NoTimestamps(OneDestination):
    name = "no-timestamps"
    title = "the same, and the one knob for it cannot work"
    must = "refused with the reason, and told before the last port is used; nothing written"
    seconds = 20
    story = """\
The load of *one-destination*, with `net.ipv4.tcp_timestamps=0`. Without timestamps the kernel cannot tell a stray
segment of the old connection from one of the new, so `net.ipv4.tcp_tw_reuse=1` has no effect. Many tuning guides set
both. timewaitd does not write what cannot help: it says so while ports are left, and what would help. The connects that
fail here fail with it too."""

    def configure(self, stage):
        stage.watched.set_sysctl("net.ipv4.tcp_timestamps", 0)

    def judge(self, outcome):
        play, found = outcome.watched, []
        if not outcome.alone.load.failed:
            found.append("without the daemon nothing failed: the load is too small")
        refused = play.of("refused", SYSCTL=REUSE)
        if not refused:
            return found + [f"{REUSE} was not refused"]
        if "tcp_timestamps" not in refused[0]["TIMEWAITD_REASON"] or not refused[0].get("TIMEWAITD_ADVICE"):
            found.append("the refusal does not say why, or not what would help: " + refused[0]["MESSAGE"])
        if float(refused[0]["TIMEWAITD_VALUE"]) >= 100:
            found.append("told when no port was left")
        if play.of("adjusted"):
            found.append("something was written")
        if play.named() != ["10.1.0.2:80"]:
            found.append(f"named: {play.named()}")
        return found
