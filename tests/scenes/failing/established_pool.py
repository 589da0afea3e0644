# SPDX-License-Identifier: GPL-2.0-or-later
import time

from busy import count_sockets, idle_clients, start_redis, wait_for_sockets
from scene import Load, Scene

REUSE = "net.ipv4.tcp_tw_reuse"
RANGE = "net.ipv4.ip_local_port_range"
SESSIONS = 13500


class EstablishedPool(Scene):
    name = "established-pool"
    title = "living connections hold the ports"
    must = "the destination named, a pool or a wider range advised, no sysctl touched"
    rules = ("port-exhaustion",)
    heavy = True
    story = f"""\
`redis-benchmark -I` keeps {SESSIONS} idle connections to one `redis-server`, as an application does that opens one for
each session. They are alive: no knob for TIME-WAIT can free their ports. timewaitd names the destination, refuses
`net.ipv4.tcp_tw_reuse`, and advises a pool of connections or a wider `net.ipv4.ip_local_port_range`."""
    driven_by = "redis-benchmark, redis-server"

    def prepare(self, stage):
        far = stage.peer("10.1.0.2/24")
        start_redis(stage, far, "10.1.0.2", 6379)

    def load(self, stage):
        idle_clients(stage, stage.watched, "10.1.0.2", 6379, SESSIONS)
        wait_for_sockets(stage.watched, SESSIONS, "state", "established", timeout=60)
        if stage.daemon:
            stage.daemon.wait("refused", timeout=90)
        time.sleep(3 if stage.short else 20)
        there = count_sockets(stage.watched, "state", "established")
        return Load(SESSIONS, SESSIONS - there, f"{there} connections stand")

    def after(self, stage):
        """The connections stay, so the rule does: nothing to wait for."""

    def judge(self, outcome):
        play, found = outcome.watched, []
        refused = play.of("refused", SYSCTL=REUSE)
        if len(refused) != 1:
            return [f"{REUSE} was refused {len(refused)} times"]
        advice = refused[0].get("TIMEWAITD_ADVICE", "")
        if "pool" not in advice or RANGE not in advice:
            found.append(f"advised: {advice}")
        if play.named() != ["10.1.0.2:6379"]:
            found.append(f"named: {play.named()}")
        if play.of("adjusted"):
            found.append("something was written")
        return found
