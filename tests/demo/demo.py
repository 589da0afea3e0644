#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The whole story for somebody to watch, in two network namespaces of its own: a client runs out of ports; then the same
client with timewaitd beside it. A line a second; what timewaitd says stands between them.
"""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import able  # noqa: E402
from namespaces import Pair, end_process, prune  # noqa: E402
from programs import ENVIRONMENT, SHIPPED_CONF, TIMEWAITD, Churn, start_sink  # noqa: E402

REUSE = "net.ipv4.tcp_tw_reuse"
LOW, HIGH = 32768, 36767
PORT, RATE = 8080, 1000
# The sockets of the load themselves stay for the kernel's minute, so nothing can be cleared before that.
LOAD_SECONDS, QUIET_SECONDS = 12, 75


def say(text=""):
    print(text, flush=True)


def ports_in_use(namespace):
    """By sockstat: here each socket in TIME-WAIT holds a port of the one destination."""
    for line in namespace.run("cat", "/proc/net/sockstat").splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("tw") + 1])
    return 0


def show(namespace, text):
    used, whole = ports_in_use(namespace), HIGH - LOW + 1
    share = f"{used:4} of {whole} ({100 * used // whole:3}%)"
    say(f"  {text:<52} ports in use: {share}   tcp_tw_reuse: {namespace.sysctl(REUSE)}")


def churn(namespace, seconds):
    """The load, a line a second. Returns how many connects failed."""
    failed = 0
    for second in Churn(namespace, Pair.FAR, PORT, RATE, seconds):
        if "total" in second:
            failed = second["failed"]
            continue
        reasons = " ".join(second["errors"])
        show(namespace, f"connects: {second['ok']:4} ok, {second['failed']:4} failed {reasons}")
    return failed


def wait_for_end(namespace, before):
    """Quiet: until what was changed is put back."""
    for second in range(QUIET_SECONDS):
        if second % 10 == 0:
            show(namespace, "(quiet)")
        time.sleep(1)
        if namespace.sysctl(REUSE) == before:
            return


def without(pair):
    say(f"== Without timewaitd: {RATE} connects a second to one destination, {HIGH - LOW + 1} ports")
    churn(pair.near, 6)
    say("   No port is left, although not one connection is open.")


def with_timewaitd(pair, directory):
    config = directory / "demo.conf"
    config.write_text(SHIPPED_CONF.read_text().replace("clear-for = 1min", "clear-for = 5s"))
    said = directory / "said"
    before = pair.near.sysctl(REUSE)
    say()
    say("== The same with timewaitd: its shipped configuration, but clear-for is 5 s instead of a minute")
    with open(said, "w") as log:
        daemon = pair.near.start(
            TIMEWAITD,
            f"--config={config}",
            f"--state-dir={directory}",
            "--log=text",
            stdout=log,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
        )
    follower = subprocess.Popen(["tail", "-n", "+1", "-f", str(said)])
    try:
        failed = churn(pair.near, LOAD_SECONDS)
        say(f"   The load is over; {failed} connects failed. The sockets stay in TIME-WAIT for a minute; then it goes back.")
        wait_for_end(pair.near, before)
    finally:
        end_process(daemon)
        time.sleep(0.3)  # the follower's last look
        end_process(follower)
    say(f"   tcp_tw_reuse is {pair.near.sysctl(REUSE)} again.")


def play(directory):
    for act, number in ((without, 1), (lambda pair: with_timewaitd(pair, directory), 2)):
        pair = Pair()
        try:
            pair.near.set_sysctl("net.ipv4.ip_local_port_range", f"{LOW} {HIGH}")
            start_sink(pair.far, Pair.FAR, PORT)
            act(pair)
        finally:
            pair.close()


def main():
    if reason := able.why_not(*able.NAMESPACES):
        sys.exit(f"demo: {reason}")
    # As Ctrl-C: whatever ends it, the namespaces go.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    prune()
    try:
        with tempfile.TemporaryDirectory() as directory:
            play(pathlib.Path(directory))
    except KeyboardInterrupt:
        say("(ended)")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
