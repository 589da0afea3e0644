# SPDX-License-Identifier: GPL-2.0-or-later
import signal
import threading
import time

from busy import Busy, H2load, count_sockets, port_share, start_haproxy
from scene import Load
from servers import start_nginx

SERVERS = [f"10.1.0.{number}" for number in range(2, 8)]
BURST = 6000
WAITING, BACKLOG = 450, 500

CONFIG = f"""\
global
  maxconn 2000
  nbthread 1
defaults
  mode http
  timeout client 1min
frontend slow
  bind 10.1.0.1:8080 backlog {BACKLOG}
  http-request return status 200
"""


class Bursts(Busy):
    name = "bursts"
    title = "bursts of connections, out and in"
    tempts = "port-exhaustion by its forecast; accept-queue"
    heavy = True
    story = f"""\
`h2load` throws {BURST} connections at one `nginx` within a second, closes them first, and goes on to the next server: six
times, seconds apart, together more than the port range has. During a burst the forecast of `port-exhaustion` (15 s) is
true, for at that pace the ports would last five seconds; but a burst ends, and none takes more than 22 % of the ports to
its destination, half of the rule's level. Meanwhile a `haproxy` on the watched side stands still for 8 s (3 s in the short
form, by SIGSTOP), with {WAITING} clients in its accept queue of {BACKLOG}: over the 80 % of `accept-queue`, but not for
its 10 s. Then it serves them all."""

    def prepare(self, stage):
        self._far = stage.peer(*(f"{address}/24" for address in SERVERS))
        start_nginx(stage, self._far, *(f"{address}:80" for address in SERVERS))
        self._haproxy = start_haproxy(stage, stage.watched, CONFIG, 8080)

    def _stand_still(self, stage, seconds):
        """The haproxy does nothing for so long, while its clients connect; returns them."""
        self._haproxy.send_signal(signal.SIGSTOP)
        threading.Timer(seconds, self._haproxy.send_signal, [signal.SIGCONT]).start()
        clients = H2load(stage, self._far, "http://10.1.0.1:8080/", "-n", WAITING, "-c", WAITING)
        time.sleep(1)
        queue = stage.watched.run("ss", "-Hltn", "sport = :8080").split()
        self.near(stage, "per cent of the accept queue", round(100 * int(queue[1]) / int(queue[2]), 1), 85)
        return clients

    def load(self, stage):
        servers, pause = (SERVERS[:3], 1) if stage.short else (SERVERS, 2.5)
        counted = []
        waiting = self._stand_still(stage, 3 if stage.short else 8)
        for address in servers:
            burst = ("-n", BURST, "-c", BURST, "-r", BURST // 20, "--rate-period=50ms")
            counted.append(H2load(stage, stage.watched, f"http://{address}/", *burst).finish())
            time.sleep(pause)
        counted.append(waiting.finish())
        share, held = port_share(stage.watched), count_sockets(stage.watched, "state", "time-wait")
        self.near(stage, "per cent of the ports to one destination", share, 20)
        self.near(stage, "TIME-WAIT", held, len(servers) * BURST * 95 // 100)
        attempts, failed = map(sum, zip(*counted))
        return Load(attempts, failed, f"bursts of {share} % of the ports")
