# SPDX-License-Identifier: GPL-2.0-or-later
import signal
import time

from scene import Load, Scene

KEY = "net.ipv4.tcp_fin_timeout"


def count(stage):
    """What is in FIN-WAIT-2, with a process or without."""
    return len(stage.watched.run("ss", "-Htan", "state", "fin-wait-2").splitlines())


class FinWait2(Scene):
    name = "fin-wait-2"
    title = "clients that never close"
    must = "net.ipv4.tcp_fin_timeout lowered, shown to have helped, put back"
    rules = ("fin-wait-2",)
    drop_in = "fin-wait-2.conf"
    story = """\
`redis-server` closes what was idle for a second; its clients, `redis-benchmark -I`, 300 new connections a second, hang
(they are stopped by a signal) and never close. Each leaves a socket in FIN-WAIT-2 on the server for
`net.ipv4.tcp_fin_timeout`, a minute: 18000 of them. With `fin-wait-2.conf` timewaitd lowers that to 15 s, waits until
the sockets of before have run out, shows that there are fewer, and puts it back when the clients are gone."""
    driven_by = "redis-server, redis-benchmark"
    shorter = """\
[daemon]
census = 2s

[rule fin-wait-2]
raise = 800
clear = 400
raise-for = 2s
clear-for = 3s
set = net.ipv4.tcp_fin_timeout=5
"""

    def prepare(self, stage):
        if stage.short:
            stage.watched.set_sysctl(KEY, 20)
        self._far = stage.peer("10.1.0.2/24")
        stage.start(
            stage.watched,
            *("redis-server", "--bind", "10.1.0.1", "--port", 6379, "--tcp-backlog", 4096, "--save", ""),
            *("--protected-mode", "no", "--timeout", 1, "--maxclients", 15000),
        )
        stage.wait_listening(stage.watched, 6379)

    def load(self, stage):
        seconds, clients = (36, 150) if stage.short else (110, 300)
        hanging = []
        began = time.monotonic()
        for second in range(seconds):
            client = stage.start(self._far, "redis-benchmark", "-h", "10.1.0.1", "-I", "-c", clients)
            time.sleep(max(0.0, began + second + 0.8 - time.monotonic()))
            client.send_signal(signal.SIGSTOP)
            hanging.append(client)
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
        stage.facts["fin-wait-2"] = count(stage)
        for client in hanging:
            client.kill()
            client.wait()
        return Load(note=f"{stage.facts['fin-wait-2']} sockets in FIN-WAIT-2 at the end")

    def judge(self, outcome):
        play, found = outcome.watched, []
        without, watched = outcome.alone.facts["fin-wait-2"], play.facts["fin-wait-2"]
        if watched * 2 > without:
            found.append(f"{watched} sockets in FIN-WAIT-2 with the daemon, {without} without")
        if len(play.of("adjusted", SYSCTL=KEY)) != 1:
            found.append(f"{KEY} was set {len(play.of('adjusted', SYSCTL=KEY))} times")
        if not any("helped" in record["MESSAGE"] for record in play.of("effect")):
            found.append("no record says that it helped")
        if not play.of("restored", SYSCTL=KEY):
            found.append(f"{KEY} was not put back while the daemon ran")
        return found
