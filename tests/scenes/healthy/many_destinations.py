# SPDX-License-Identifier: GPL-2.0-or-later
from busy import Busy, churn, count_sockets, finish_all, port_share, usable_ports
from scene import Load
from servers import start_nginx

SERVERS = [f"10.1.0.{number}" for number in range(2, 14)]


class ManyDestinations(Busy):
    name = "many-destinations"
    title = "more TIME-WAIT than there are ports, towards many destinations"
    tempts = "port-exhaustion, if it counted all sockets together"
    story = """\
Twelve clients (`h2load`), each without a pool and towards its own server, 2400 connections a second together: 67 000
sockets in TIME-WAIT, more than twice as many as the range has ports. A port is only taken towards one destination, and to
each of them 20 % are: no connect is in danger. (In the short form 33 000, and 10 %.)"""

    def prepare(self, stage):
        far = stage.peer(*(f"{address}/24" for address in SERVERS))
        start_nginx(stage, far, *(f"{address}:80" for address in SERVERS))

    def load(self, stage):
        rate, seconds = (340, 8) if stage.short else (200, 28)
        clients = [churn(stage, stage.watched, f"http://{address}/", rate, seconds) for address in SERVERS]
        attempts, failed = finish_all(clients)
        held = count_sockets(stage.watched, "state", "time-wait")
        share = round(100 * held / usable_ports(stage.watched))
        self.near(stage, "TIME-WAIT, in per cent of the port range", share, 105 if stage.short else 210)
        return Load(attempts, failed, f"TIME-WAIT {held}, {port_share(stage.watched)} % of the ports to one destination")
