# SPDX-License-Identifier: GPL-2.0-or-later
import re
import subprocess
import time

from programs import BUILD, ENVIRONMENT, once
from scene import Load, Scene
from servers import start_nginx

BUCKETS = "net.ipv4.tcp_max_tw_buckets"
PORTS = range(8000, 8016)


class ServerSide(Scene):
    name = "server-side"
    title = "200 000 TIME-WAIT on the accepting side"
    must = "no alarm and no change: they hold no port; what was asked says why"
    healthy = True  # however it looks in `ss -s`
    heavy = True
    story = """\
`nginx` answers and closes first, as HTTP/1.0 wants it, so that each connection leaves a TIME-WAIT on the server: 200 000
of them within a minute, from `ab` on another machine. Many an alarm goes off at that number, and many a sysctl is set.
They take some 49 MiB and not one local port, so timewaitd says nothing and changes nothing; who asks, is told where they are."""
    driven_by = "ab, nginx"

    def prepare(self, stage):
        # What the kernel sets on a machine with some more memory.
        stage.watched.set_sysctl(BUCKETS, 262144)
        self._clients = stage.peer("10.1.0.2/24")
        # The kernel begins with the ports of one parity: these are enough for connections that do not meet again.
        self._clients.set_sysctl("net.ipv4.ip_local_port_range", "1024 65535")
        start_nginx(stage, stage.watched, *(f"10.1.0.1:{port}" for port in PORTS))

    def load(self, stage):
        """Two programs at a time, each towards another port."""
        each, attempts, failed = 2500 if stage.short else 16500, 0, 0
        for first in range(0, len(PORTS), 2):
            for program in [self._bench(stage, port, each) for port in PORTS[first : first + 2]]:
                said = stage.output(program, 120)
                attempts += int(re.search(r"^Complete requests: +(\d+)", said, re.M)[1])
                failed += int(re.search(r"^Failed requests: +(\d+)", said, re.M)[1])
        stage.facts["time-wait"] = int(re.search(r"tw (\d+)", stage.watched.run("cat", "/proc/net/sockstat"))[1])
        if stage.daemon:
            stage.facts["destinations"] = len(once(stage.watched)["destinations"])
            stage.facts["explained"] = self._explain(stage)
        return Load(attempts, failed, f"{stage.facts['time-wait']} sockets in TIME-WAIT")

    def _bench(self, stage, port, requests):
        return stage.start(
            self._clients, "ab", "-q", "-c", 20, "-n", requests, f"http://10.1.0.1:{port}/", stdout=subprocess.PIPE, text=True
        )

    def after(self, stage):
        """Through each of the daemon's measurements, the rare ones too."""
        if stage.daemon:
            time.sleep(8 if stage.short else 65)

    @staticmethod
    def _explain(stage):
        done = stage.watched.try_run(str(BUILD / "timewaitctl"), "explain", "time-wait", env=ENVIRONMENT)
        return done.stdout + done.stderr

    def judge(self, outcome):
        play, found = outcome.watched, []
        enough = 0.8 * play.load.attempts
        if play.facts["time-wait"] < enough:
            found.append(f"{play.facts['time-wait']} sockets in TIME-WAIT: the load is too small")
        if play.load.failed:
            found.append(f"{play.load.failed} requests failed")
        if play.facts["destinations"]:
            found.append("they were taken for outgoing connections")
        if "accepting side" not in play.facts["explained"]:
            found.append(f"timewaitctl explain says: {play.facts['explained'].strip()[:200]}")
        return found
