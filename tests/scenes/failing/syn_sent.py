# SPDX-License-Identifier: GPL-2.0-or-later
import subprocess
import time

from busy import allow_descriptors, count_sockets, wait_for_sockets
from scene import Load, Scene

NOBODY = "10.1.0.99"
CLIENTS = 13500


class SynSent(Scene):
    name = "syn-sent"
    title = "a firewall drops every SYN"
    must = "SYN-SENT named as what holds the ports, with its own remedy; nothing written"
    rules = ("port-exhaustion",)
    heavy = True
    story = f"""\
`h2load` opens {CLIENTS} connections to an address that never answers, as behind a firewall that drops. Each attempt holds
a local port for two minutes while the kernel repeats its SYN. They are no open connections and nothing is in TIME-WAIT, so
neither a pool nor a sysctl helps: timewaitd says that nobody answers, and to give connect() a time limit."""
    driven_by = "h2load"

    def prepare(self, stage):
        allow_descriptors()
        stage.peer("10.1.0.2/24")
        # Its link address is known, and nobody has it: the packets go, and nothing comes back.
        stage.watched.run(*f"ip neighbour add {NOBODY} lladdr 02:00:00:00:00:99 nud permanent dev veth0".split())

    def load(self, stage):
        options = ("-n", CLIENTS, "-c", CLIENTS, "-r", CLIENTS // 8, "--connection-inactivity-timeout=600")
        client = stage.start(
            stage.watched, "h2load", "--h1", *options, f"http://{NOBODY}/", stdout=subprocess.DEVNULL
        )
        wait_for_sockets(stage.watched, CLIENTS * 95 // 100, "state", "syn-sent", timeout=60)
        if stage.daemon:
            stage.daemon.wait("refused", timeout=60)
        time.sleep(2 if stage.short else 10)
        there = count_sockets(stage.watched, "state", "syn-sent")
        client.terminate()
        client.wait(30)
        return Load(CLIENTS, CLIENTS, f"{there} sockets in SYN-SENT")

    def judge(self, outcome):
        play, found = outcome.watched, []
        refused = " ".join(record["MESSAGE"] for record in play.of("refused"))
        if "SYN-SENT" not in refused or "answer" not in refused or "time limit" not in refused:
            found.append(f"refused: {refused or 'nothing'}")
        if "open connections" in refused:
            found.append("they are called open")
        if play.of("adjusted"):
            found.append("something was written")
        if play.named() != [f"{NOBODY}:80"]:
            found.append(f"named: {play.named()}")
        return found
