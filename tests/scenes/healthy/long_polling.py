# SPDX-License-Identifier: GPL-2.0-or-later
import time

from busy import Busy, H2load, count_sockets, finish_all, start_haproxy
from namespaces import end_process
from scene import Load

WAVE = 600

CONFIG = """\
global
  maxconn 9500
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 2min
  timeout server 2min
  timeout tarpit {hold}s
frontend poll
  bind 10.1.0.1:8080 backlog 4096
  http-request tarpit deny_status 200
"""


class LongPolling(Busy):
    name = "long-polling"
    title = "long polls, and clients that give up"
    tempts = "close-wait-leak"
    story = f"""\
A `haproxy` answers each request only after 30 s (6 s in the short form), as a long poll does. Some clients (`h2load`) wait
for their answers; every three seconds {WAVE} others (`wrk`) ask, and give up after two seconds. Of those the server's
sockets stay in CLOSE-WAIT until their answer is due: thousands at any moment, far more than the 100 of `close-wait-leak`,
but none as old as the minute that makes a leak of it."""

    def prepare(self, stage):
        self._hold = 6 if stage.short else 30
        self._far = stage.peer("10.1.0.2/24")
        start_haproxy(stage, stage.watched, CONFIG.format(hold=self._hold), 8080)

    def _give_up(self, stage):
        options = ("-t", 1, "-c", WAVE, "-d", "60s", "--timeout", "60s")
        client = stage.start(self._far, "wrk", *options, "http://10.1.0.1:8080/")
        time.sleep(2)
        end_process(client)

    def load(self, stage):
        asks = ("-n", WAVE, "-c", WAVE)
        patient = [H2load(stage, self._far, "http://10.1.0.1:8080/", *asks) for _ in range(2)]
        most = held = 0
        for _ in range(self._hold // 3 + 1):
            self._give_up(stage)
            time.sleep(1)
            most = max(most, count_sockets(stage.watched, "state", "close-wait"))
            held = max(held, count_sockets(stage.watched, "state", "connected"))
        self.near(stage, "CLOSE-WAIT", most, WAVE * (1 if stage.short else 8) - 50)
        return Load(*finish_all(patient), f"up to {most} in CLOSE-WAIT of {held} connections")
