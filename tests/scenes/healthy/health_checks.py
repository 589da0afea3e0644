# SPDX-License-Identifier: GPL-2.0-or-later
import time

from busy import Busy, count_sockets, counter, finish_all, pool, start_haproxy, usable_ports
from scene import Load
from servers import start_nginx

BACKENDS = 300
BALANCERS = [f"10.1.0.{number}" for number in range(2, 6)]

HEAD = """\
global
  maxconn 2000
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  timeout check 2s
frontend front
  bind 127.0.0.1:9000
  default_backend http0
"""


def backends():
    """As many of one server that are checked by a request, and as many by a handshake; from each address in turn."""
    text = ""
    for number in range(BACKENDS):
        source = BALANCERS[number % len(BALANCERS)]
        text += f"backend http{number}\n  option httpchk GET /\n  server s 10.1.0.1:80 check inter 150ms source {source}\n"
        text += f"backend tcp{number}\n  server s 10.1.0.1:81 check inter 400ms source {source}\n"
    return text


class HealthChecks(Busy):
    name = "health-checks"
    title = "health checks of a load balancer"
    tempts = "port-exhaustion, if it counted TIME-WAIT that takes no local port; accept-queue"
    story = f"""\
A `haproxy` checks the watched `nginx` from four addresses, for {2 * BACKENDS} backends, several times a second: half with
a request, after which the server closes first and keeps a TIME-WAIT, half with a handshake that it ends by RST. 30 000
TIME-WAIT and more on the server's port are more than the range has, but take no local port, and thousands of connections
vanish before or after `accept()`. A pool of 1000 clients goes on beside them. (In the short form 7000 TIME-WAIT.)"""

    def prepare(self, stage):
        self._balancer = stage.peer(*(f"{address}/24" for address in BALANCERS))
        self._clients = stage.peer("10.2.0.2/24")
        start_nginx(stage, stage.watched, "10.1.0.1:80", "10.1.0.1:81", "10.2.0.1:80")

    def load(self, stage):
        seconds = 8 if stage.short else 32
        start_haproxy(stage, self._balancer, HEAD + backends(), 9000)
        clients = pool(stage, self._clients, "http://10.2.0.1/", 1000, seconds)
        time.sleep(seconds)
        held = count_sockets(stage.watched, "state", "time-wait", "sport", "=", ":80")
        resets = counter(stage.watched, "TcpEstabResets") + counter(stage.watched, "TcpAttemptFails")
        share = round(100 * held / usable_ports(stage.watched))
        self.near(stage, "server-side TIME-WAIT, in per cent of the port range", share, 20 if stage.short else 102)
        self.near(stage, "connections ended by RST", resets, 2000 if stage.short else 8000)
        return Load(*finish_all([clients]), f"server-side TIME-WAIT {held}, {resets} connections ended by RST")
