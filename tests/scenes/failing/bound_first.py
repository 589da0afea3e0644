# SPDX-License-Identifier: GPL-2.0-or-later
import json
import subprocess

from programs import tool
from scene import Load, Scene
from servers import start_nginx

BINDER, VICTIM = "10.1.0.2", "10.1.0.3"
RATE = 700


def start_churn(stage, address, rate, seconds, *options):
    options = (f"--rate={rate}", f"--seconds={seconds}", *options)
    return stage.start(stage.watched, tool("churn"), *options, address, 80, stdout=subprocess.PIPE, text=True)


def total(churn, timeout):
    """What it counted, and in which of its seconds a connect failed for the first time; None for never."""
    seconds = [json.loads(line) for line in churn.communicate(timeout=timeout)[0].splitlines()]
    failing = [number for number, second in enumerate(seconds[:-1], 1) if second["failed"]]
    return seconds[-1], failing[0] if failing else None


class BoundFirst(Scene):
    name = "bound-first"
    title = "one client binds before it connects, and another pays for it"
    must = "the source address and IP_BIND_ADDRESS_NO_PORT named before the other client's first failure; nothing written"
    rules = ("port-exhaustion",)
    heavy = True
    story = f"""\
A client calls bind() with its address and port 0, then connect(), as Go's `net.Dialer{{LocalAddr}}`, `dig -b` and many
proxies did or do: {RATE} times a second over a range of 8192 ports, and closes first. Each port that it takes is blocked for *every* destination and
program until its TIME-WAIT is over, and `net.ipv4.tcp_tw_reuse` never takes such a port. A second client, of another
server, opens ten connections a second and knows nothing of this; its connects fail as soon as the ports are gone. No sysctl
helps it. timewaitd says who takes the ports, that others pay, and what the program has to set: IP_BIND_ADDRESS_NO_PORT."""
    driven_by = "an own tool, nginx"

    def prepare(self, stage):
        stage.watched.set_sysctl("net.ipv4.ip_local_port_range", "32768 40959")
        far = stage.peer(f"{BINDER}/24", f"{VICTIM}/24")
        start_nginx(stage, far, f"{BINDER}:80", f"{VICTIM}:80")

    def load(self, stage):
        seconds = 24 if stage.short else 40
        victim = start_churn(stage, VICTIM, 10, seconds)
        binder = start_churn(stage, BINDER, RATE, seconds, "--source=10.1.0.1", "--bind-first")
        _, _ = total(binder, seconds + 60)
        counted, stage.facts["first failure"] = total(victim, 60)
        return Load(counted["ok"] + counted["failed"], counted["failed"], "the other client's connects")

    def judge(self, outcome):
        play, found = outcome.watched, []
        if not outcome.alone.load.failed or not play.load.failed:
            found.append("nothing failed: the load is too small")
        raised = [r for r in play.of("raised", RULE="port-exhaustion") if "10.1.0.1 holds" in r["MESSAGE"]]
        if not raised:
            return found + ["nobody is said to bind first"]
        if play.facts["first failure"] and raised[0]["SINCE"] > play.facts["first failure"]:
            found.append(f"told after {raised[0]['SINCE']} s, the first failure was in second {play.facts['first failure']}")
        refused = " ".join(r["MESSAGE"] for r in play.of("refused"))
        if "IP_BIND_ADDRESS_NO_PORT" not in refused or "bind()" not in refused:
            found.append("no refusal says why and what helps")
        if play.of("adjusted"):
            found.append("something was written")
        if not play.of("cleared", RULE="port-exhaustion"):
            found.append("not cleared when it was over")
        return found
