# SPDX-License-Identifier: GPL-2.0-or-later
from busy import Busy, churn, finish_all, pool, port_share, wait_for_sockets
from scene import Load
from servers import start_nginx

URL = "http://[fd00:1::2]/"
POOL = 3000


class IPv6Only(Busy):
    name = "ipv6-only"
    title = "a machine that speaks IPv6 alone"
    tempts = "port-exhaustion by its level"
    story = f"""\
No address but IPv6: a pool of {POOL} connections and a client without one, 330 connections a second (`h2load`), to one
`nginx`. Together they take 40 % of the ports to that destination (29 % in the short form). The kernel counts TIME-WAIT of
both families under IPv4's name and has one port range for both: `port-exhaustion` must see IPv6 as it is, and stay calm
below 45 %."""

    def prepare(self, stage):
        start_nginx(stage, stage.peer("fd00:1::2/64"), "[fd00:1::2]:80")
        self._pool = pool(stage, stage.watched, URL, POOL, 11 if stage.short else 30)
        wait_for_sockets(stage.watched, POOL, "state", "established")

    def load(self, stage):
        rate, seconds = (750, 7) if stage.short else (330, 25)
        attempts, failed = finish_all([churn(stage, stage.watched, URL, rate, seconds)])
        share = port_share(stage.watched)
        pooled = self._pool.finish()
        self.near(stage, "per cent of the ports to one destination", share, 28 if stage.short else 38)
        return Load(attempts + pooled[0], failed + pooled[1], f"{share} % of the ports")
