# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import re

from booted import Booted, why_not
from scene import Load, Scene

HOARD = pathlib.Path(__file__).resolve().parents[1] / "hoard.py"
HOARDING = "hoarding.service"
RATE = 20


class BoundPorts(Scene):
    name = "bound-ports"
    title = "one service has bound all ports and connects none"
    must = "100 % seen, and the unit that holds them named; refused, with the reason; nothing changed"
    rules = ("port-exhaustion",)
    stage = Booted
    story = f"""\
Under a real systemd one service binds every port of the range and connects none of them: an own tool, for no program of
Debian does that. Another service's `connect()` fails from then on ({RATE} a second by `httperf`), although `ss` shows no
connection and nothing in TIME-WAIT. timewaitd sees the bound sockets, names their unit, and refuses to set
`tcp_tw_reuse`: no port is in TIME-WAIT. When the service ends, the rule is cleared."""
    driven_by = "httperf, Python's http.server, an own tool"
    shorter = """\
[daemon]
survey = 5s
"""

    def why_not(self):
        return why_not()

    def prepare(self, stage):
        run = stage.machine.run
        run(*"ip netns add far".split())
        run(*"ip link add veth0 type veth peer name veth0 netns far".split())
        run(*"ip addr add 10.1.0.1/24 dev veth0".split())
        run(*"ip -n far addr add 10.1.0.2/24 dev veth0".split())
        run(*"ip link set veth0 up".split())
        run(*"ip -n far link set veth0 up".split())
        stage.start_service(
            "far-server", *"ip netns exec far /usr/bin/python3 -m http.server --bind 10.1.0.2 --directory /run 80".split()
        )
        stage.wait_listening("far", 80)

    def load(self, stage):
        seconds = 16 if stage.short else 80
        stage.machine.start_command(HOARDING, "/usr/bin/python3", str(HOARD), kind="notify")
        said = stage.machine.run(
            *("httperf", "--server=10.1.0.2", "--port=80", f"--rate={RATE}", f"--num-conns={RATE * seconds}"),
            *("--timeout=5",),
            timeout=seconds + 60,
        )
        stage.machine.run("systemctl", "stop", HOARDING)
        # Its `addrunavail` is about bind(); EADDRNOTAVAIL of connect() is among the others.
        other = int(re.search(r"^Errors: fd-unavail .* other (\d+)", said, re.M)[1])
        return Load(RATE * seconds, other, f"{other} of httperf's other errors, which EADDRNOTAVAIL of connect() is")

    def judge(self, outcome):
        play, found = outcome.watched, []
        if outcome.alone.load.failed != outcome.alone.load.attempts:
            found.append("without the daemon some connected: the load is too small")
        raised = play.of("raised", RULE="port-exhaustion")
        if len(raised) != 1:
            return found + [f"the rule was raised {len(raised)} times"]
        if float(raised[0]["TIMEWAITD_VALUE"]) < 99.9:
            found.append(f"seen: {raised[0]['TIMEWAITD_VALUE']} %")
        if raised[0].get("TIMEWAITD_UNIT") != HOARDING:
            found.append(f"named: {raised[0].get('TIMEWAITD_UNIT')}")
        if not any("bound, not connected" in record["TIMEWAITD_REASON"] for record in play.of("refused")):
            found.append("no record says why nothing is changed")
        if play.of("adjusted"):
            found.append("something was changed")
        if not play.of("cleared", RULE="port-exhaustion"):
            found.append("not cleared when it was over")
        return found
