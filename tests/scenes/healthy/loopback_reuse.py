# SPDX-License-Identifier: GPL-2.0-or-later
from busy import Busy, count_sockets, counter
from scene import Load
from servers import Httperf, start_nginx

RATE = 1500


class LoopbackReuse(Busy):
    name = "loopback-reuse"
    title = "a web server and its application on loopback"
    tempts = "port-exhaustion"
    heavy = True
    story = f"""\
`httperf` opens {RATE} connections a second to an `nginx` on 127.0.0.1, as a web server does that talks to its application
without keep-alive, and closes them first. Everything is as the kernel has it: `net.ipv4.tcp_tw_reuse` is 2, so on loopback
a port in TIME-WAIT serves again after a second. A good part of the range is in TIME-WAIT all the time, which looks like the end of
the ports, and no connect() fails or waits."""

    def prepare(self, stage):
        start_nginx(stage, stage.watched, "127.0.0.1:80")

    def load(self, stage):
        counted = Httperf(stage, stage.watched, "127.0.0.1", 80, RATE, 14 if stage.short else 80).finish()
        held = count_sockets(stage.watched, "state", "time-wait")
        self.near(stage, "TIME-WAIT", held, 10000)
        if not stage.short:
            self.near(stage, "ports taken over", counter(stage.watched, "TcpExtTWRecycled"), 10000)
        return Load(counted["attempts"], counted["failed"], f"{held} sockets in TIME-WAIT at the end")
