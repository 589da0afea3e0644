# SPDX-License-Identifier: GPL-2.0-or-later
from scene import Load, Scene
from servers import Httperf, start_nginx

REUSE = "net.ipv4.tcp_tw_reuse"
RATE = 5000


class OneDestination(Scene):
    name = "one-destination"
    title = "one destination uses up the ports"
    must = "no connect fails; acted before 60 % of the ports are used; the effect proved; put back"
    rules = ("port-exhaustion",)
    heavy = True
    seconds = 40  # longer than proof-after, so that there is something to prove
    story = """\
`httperf` opens 5000 connections a second to one `nginx`, with one request on each, and closes them first, as a client
without a pool does. Each leaves a TIME-WAIT that holds one of the 28232 local ports of the default range for a minute,
so they would last for six seconds. From half of them on, Linux takes about a hundred times as long to find a free
one: each `connect()` takes a millisecond and more of a core. With 1022 connections under way `httperf` does not even
try to open more, others time out, and when the last port is gone, connects fail with EADDRNOTAVAIL. All of these are
counted as failed. timewaitd sees the growth, sets `net.ipv4.tcp_tw_reuse=1` ahead of its level, shows by the sockets of
that destination that connections took over ports in TIME-WAIT, and puts the old value back when the load is gone."""
    driven_by = "httperf, nginx"

    def prepare(self, stage):
        self.configure(stage)
        far = stage.peer("10.1.0.2/24")
        start_nginx(stage, far, "10.1.0.2:80")

    def configure(self, stage):
        """Nothing: the default range."""

    def load(self, stage):
        return self.fill(stage, RATE)

    def fill(self, stage, rate):
        """The load on the one destination, as httperf counts it."""
        counted = Httperf(stage, stage.watched, "10.1.0.2", 80, rate, 8 if stage.short else self.seconds).finish()
        stage.facts["httperf"] = counted
        what = ", ".join(f"{counted[name]} {name}" for name in ("not tried", "timed out", "without a port"))
        return Load(counted["attempts"], counted["failed"], what)

    @staticmethod
    def lost(play):
        """Connects that were tried, and failed."""
        return play.facts["httperf"]["failed"] - play.facts["httperf"]["not tried"]

    def judge(self, outcome):
        play, found = outcome.watched, []
        without, beside = (one.facts["httperf"]["not tried"] for one in (outcome.alone, play))
        if not without and not self.lost(outcome.alone):
            found.append("without the daemon nothing failed: the load is too small")
        if self.lost(play):
            found.append(f"{self.lost(play)} connects failed")
        # Some are not tried on a machine that has other work too: it takes the core from httperf for a moment.
        if beside > without / 5:
            found.append(f"{beside} connects were not tried")
        adjusted = play.of("adjusted", SYSCTL=REUSE)
        if len(adjusted) != 1:
            return found + [f"{REUSE} was set {len(adjusted)} times"]
        if float(adjusted[0]["TIMEWAITD_VALUE"]) >= 60:
            found.append(f"acted at {adjusted[0]['TIMEWAITD_VALUE']} % of the ports")
        if "helped" not in "".join(record["MESSAGE"] for record in play.of("effect")):
            found.append("no record says that it helped")
        if not play.of("restored", SYSCTL=REUSE):
            found.append(f"{REUSE} was not put back while the daemon ran")
        if play.named() != ["10.1.0.2:80"]:
            found.append(f"named: {play.named()}")
        return found
