# SPDX-License-Identifier: GPL-2.0-or-later
import re
import time

from booted import Booted, why_not
from scene import Load, Scene

LEAKING, SOUND = "leaking.service", "sound.service"
PORTS = {LEAKING: 6379, SOUND: 6380}
CLIENTS = 150


def seconds_of(span):
    """ "1min 5.3s" in seconds."""
    units = {"h": 3600, "min": 60, "s": 1, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(h|min|ms|s)\b", span))


class CloseWaitLeak(Scene):
    name = "close-wait-leak"
    title = "a service leaks CLOSE-WAIT beside a sound one"
    must = "the unit named, and it alone; the age within 2 s of the truth; nothing changed, for no sysctl would help"
    rules = ("close-wait-leak",)
    stage = Booted
    story = f"""\
Two `redis-server` under a real systemd have {CLIENTS} connections each (`redis-benchmark -I`). One hangs (it is stopped
by a signal, as a program is that waits for a dead disk), and all the clients go away. The sound one closes what they
have closed; of the other, {CLIENTS} sockets stay in CLOSE-WAIT, which the kernel never ends. `ss -s` counts them as
established. timewaitd names the unit, how many they are and for how long, and changes nothing. When the program goes on
it closes them, and the rule is cleared."""
    driven_by = "redis-server, redis-benchmark"
    shorter = """\
[daemon]
census = 1s

[rule close-wait-leak]
age = 5s
raise-for = 3s
"""

    def why_not(self):
        return why_not()

    def prepare(self, stage):
        for unit, port in PORTS.items():
            stage.start_service(unit, "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "")
            stage.wait_listening(None, port)

    def load(self, stage):
        run = stage.machine.run
        for unit, port in PORTS.items():
            stage.start_service(f"clients-of-{unit}", "redis-benchmark", "-p", port, "-I", "-c", CLIENTS)
        for port in PORTS.values():
            accepted = ("ss", "-Htn", "state", "established", f"sport = :{port}")
            stage.machine.wait_until(lambda: len(run(*accepted).splitlines()) >= CLIENTS, f"{CLIENTS} clients of port {port}")
        run("systemctl", "kill", "--signal=STOP", LEAKING)
        began = time.time()
        for unit in PORTS:
            run("systemctl", "stop", f"clients-of-{unit}")
        stage.mark()
        stage.facts["took"] = stage.onset - began
        time.sleep(15 if stage.short else 110)
        stage.facts["leaked"] = len(run("ss", "-Htan", "state", "close-wait").splitlines())
        run("systemctl", "kill", "--signal=CONT", LEAKING)
        return Load(note=f"{stage.facts['leaked']} sockets in CLOSE-WAIT")

    def judge(self, outcome):
        play, found = outcome.watched, []
        if outcome.alone.facts["leaked"] != CLIENTS:
            found.append(f"{outcome.alone.facts['leaked']} sockets leaked, not {CLIENTS}")
        raised = play.of("raised", RULE="close-wait-leak")
        if len(raised) != 1:
            return found + [f"the rule was raised {len(raised)} times"]
        if play.named() != [LEAKING]:
            found.append(f"named: {play.named()}")
        told = re.search(r"the oldest for ([\w. ]+):", raised[0]["MESSAGE"])
        if not told or abs(seconds_of(told[1]) - raised[0]["SINCE"]) > 2 + play.facts["took"]:
            found.append(f"after {raised[0]['SINCE']} s it said: {raised[0]['MESSAGE']}")
        if raised[0].get("TIMEWAITD_COUNT") != str(CLIENTS):
            found.append(f"it counted {raised[0].get('TIMEWAITD_COUNT')}")
        if play.of("adjusted"):
            found.append("something was changed")
        if not play.of("cleared", RULE="close-wait-leak"):
            found.append("not cleared when it was over")
        return found
