# SPDX-License-Identifier: GPL-2.0-or-later
from busy import Busy, churn, finish_all, port_share
from scene import Load
from servers import start_nginx

# Connections a second, step by step, and how long a step takes.
LONG = (50, 150, 300, 400, 500, 650, 760), 4
SHORT = (700, 800, 900, 1000, 1000), 2


class SlowRamp(Busy):
    name = "slow-ramp"
    title = "a load that grows slowly and stays below the level"
    tempts = "port-exhaustion by its level and by its forecast"
    story = """\
`h2load` without a pool: from 50 new connections a second to 760 within 28 s, all to one `nginx`. The ports in TIME-WAIT
come to 40 % and still grow at the end, when they would last for 22 s more; `port-exhaustion` is raised at 45 %, or with
less than 15 s left. (In the short form the pace is higher, up to 31 % with 20 s left.)"""

    def prepare(self, stage):
        start_nginx(stage, stage.peer("10.1.0.2/24"), "10.1.0.2:80")

    def load(self, stage):
        rates, seconds = SHORT if stage.short else LONG
        attempts = failed = 0
        for rate in rates:
            counted = finish_all([churn(stage, stage.watched, "http://10.1.0.2/", rate, seconds)])
            attempts, failed = attempts + counted[0], failed + counted[1]
        share = port_share(stage.watched)
        self.near(stage, "per cent of the ports to one destination", share, 30 if stage.short else 39)
        return Load(attempts, failed, f"{share} % of the ports")
