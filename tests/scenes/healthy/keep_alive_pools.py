# SPDX-License-Identifier: GPL-2.0-or-later
import time

from busy import Busy, finish_all, pool, port_share, wait_for_sockets
from scene import Load
from servers import start_nginx

POOLS, EACH = 4, 2850


class KeepAlivePools(Busy):
    name = "keep-alive-pools"
    title = "large pools of kept connections"
    tempts = "port-exhaustion by its level"
    story = f"""\
Four clients (`h2load`) hold {EACH} connections each to one `nginx` and send a request a second over every one of them.
Together that is 40 % of the ports to one destination, for as long as the clients run: near the 45 % of
`port-exhaustion`, but a pool that is full does not grow."""

    def prepare(self, stage):
        far = stage.peer("10.1.0.2/24")
        start_nginx(stage, far, "10.1.0.2:80")
        seconds = 20 if stage.short else 30
        self._pools = [pool(stage, stage.watched, "http://10.1.0.2/", EACH, seconds) for _ in range(POOLS)]
        wait_for_sockets(stage.watched, POOLS * EACH, "state", "established")

    def load(self, stage):
        time.sleep(4 if stage.short else 20)
        share = port_share(stage.watched)
        self.near(stage, "per cent of the ports to one destination", share, 39)
        return Load(*finish_all(self._pools), f"{share} % of the ports")
