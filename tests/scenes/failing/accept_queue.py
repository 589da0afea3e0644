# SPDX-License-Identifier: GPL-2.0-or-later
import time

from namespaces import end_process
from scene import Load, Scene
from servers import Httperf

ADDRESS, PORT = "10.1.0.1", 6379
BACKLOG = 64


class AcceptQueue(Scene):
    name = "accept-queue"
    title = "a full accept queue, then a SYN flood, on one listener of two"
    must = "the listener named both times; whose limit the backlog is; nothing changed, for no sysctl would help"
    rules = ("accept-queue", "listen-overflow", "syn-cookies")
    story = f"""\
A `redis-server` with a backlog of {BACKLOG} is busy with one long command (`DEBUG SLEEP`) and accepts nobody, while
`httperf` goes on connecting: the queue is full, and the kernel drops what comes. Then `redis` is well again, and `hping3`
sends it SYNs from addresses that do not exist: it has as many half-open connections as its backlog is long, and the
kernel answers by SYN cookies. Another `redis-server` beside it has neither trouble. timewaitd names the listener both
times and says what it asks for and what `net.core.somaxconn` allows. It changes nothing: a longer backlog is the
program's to ask for, and comes into force at its next `listen()`."""
    driven_by = "redis-server, httperf, hping3"
    shorter = """\
[rule accept-queue]
raise-for = 3s

[rule syn-cookies]
raise-for = 3s
clear-for = 3s
"""

    def prepare(self, stage):
        self._far = stage.peer("10.1.0.2/24")
        # The answers to addresses that do not exist have to go somewhere.
        stage.watched.ip("route", "add", "default", "via", "10.1.0.2")
        for port in (PORT, PORT + 1):
            stage.start(
                stage.watched,
                *("redis-server", "--bind", ADDRESS, "--port", port, "--tcp-backlog", BACKLOG, "--save", ""),
                *("--protected-mode", "no", "--enable-debug-command", "yes"),
            )
            stage.wait_listening(stage.watched, port)

    def load(self, stage):
        seconds = 14 if stage.short else 40
        busy = stage.start(self._far, "redis-cli", "-h", ADDRESS, "-p", PORT, "debug", "sleep", seconds)
        time.sleep(0.5)
        counted = Httperf(stage, self._far, ADDRESS, PORT, 20, seconds - 2, "--timeout=1").finish()
        busy.wait(30)
        flood = stage.start(self._far, "hping3", "-q", "-S", "--rand-source", "-p", PORT, "-i", "u1000", ADDRESS)
        stage.facts["flood"] = time.time() - stage.onset
        time.sleep(14 if stage.short else 40)
        stage.facts["cookies"] = int(stage.watched.run("nstat", "-asz", "TcpExtSyncookiesSent").split()[-2])
        end_process(flood)
        return Load(counted["attempts"], counted["failed"], f"{stage.facts['cookies']} SYN cookies")

    def judge(self, outcome):
        play, found = outcome.watched, []
        if not outcome.alone.load.failed or not outcome.alone.facts["cookies"]:
            found.append("nothing failed, or no cookie was sent: the load is too small")
        raised = {record["TIMEWAITD_RULE"]: record for record in play.of("raised")}
        for rule in self.rules:
            if rule not in raised:
                found.append(f"rule {rule} was not raised")
            # The burst may be over when the listeners are looked at: then it says of no listener that it was full.
            elif rule == "listen-overflow" and "TIMEWAITD_LISTENER" not in raised[rule]:
                continue
            elif raised[rule].get("TIMEWAITD_LISTENER") != f"{ADDRESS}:{PORT}":
                found.append(f"rule {rule} names {raised[rule].get('TIMEWAITD_LISTENER')}")
        if "accept-queue" in raised and f"a backlog of {BACKLOG} is what it asks for" not in raised["accept-queue"]["MESSAGE"]:
            found.append(f"it is not said whose limit the backlog is: {raised['accept-queue']['MESSAGE']}")
        if play.of("adjusted"):
            found.append("something was changed")
        if len(play.of("cleared")) < len(play.of("raised")):
            found.append("not cleared when it was over")
        return found
