# SPDX-License-Identifier: GPL-2.0-or-later
import time

from busy import Busy, count_sockets, idle_clients, port_share, start_redis, wait_for_sockets
from namespaces import end_process
from scene import Load

CLIENTS, EACH = 24, 240
TO_SERVER = ("state", "established", "dport", "=", ":6379")


class Deploy(Busy):
    name = "deploy"
    title = "a deploy: every client restarts"
    tempts = "port-exhaustion by its level"
    story = f"""\
{CLIENTS} clients (`redis-benchmark`) hold {EACH} connections each to one `redis-server`. One after the other is ended and
started again, as in a rolling deploy: for a minute each old connection keeps its port in TIME-WAIT beside the new one, so
that at the end 41 % of the ports to that destination are taken. `port-exhaustion` is raised at 45 %, or sooner if the
ports were to run out within 15 s at the pace of the moment: here the deploy is over first."""

    def prepare(self, stage):
        far = stage.peer("10.1.0.2/24")
        start_redis(stage, far, "10.1.0.2", 6379)
        self._clients = [self._start(stage) for _ in range(CLIENTS)]
        wait_for_sockets(stage.watched, CLIENTS * EACH, *TO_SERVER)

    @staticmethod
    def _start(stage):
        return idle_clients(stage, stage.watched, "10.1.0.2", 6379, EACH)

    def load(self, stage):
        for client in self._clients:
            end_process(client)
            self._start(stage)
            time.sleep(0.4 if stage.short else 0.9)
        time.sleep(1)
        there = count_sockets(stage.watched, *TO_SERVER)
        share = port_share(stage.watched)
        self.near(stage, "per cent of the ports to one destination", share, 39)
        return Load(CLIENTS * EACH, CLIENTS * EACH - there, f"{share} % of the ports")
