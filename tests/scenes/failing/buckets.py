# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import threading

from scene import Load, Scene
from servers import Httperf, start_nginx

KEY = "net.ipv4.tcp_max_tw_buckets"
PORTS = (8000, 8001, 8002, 8003)
# Of memory for TCP as a whole, a quarter for TIME-WAIT, at 256 bytes a socket: the bound that timewaitd(8) names.
MEMORY = int(pathlib.Path("/proc/sys/net/ipv4/tcp_mem").read_text().split()[2]) * 4096 // 4


def overflows(stage):
    """TCPTimeWaitOverflow: sockets that were closed without TIME-WAIT."""
    return int(stage.watched.run("nstat", "-asz", "TcpExtTCPTimeWaitOverflow").split()[-2])


class Buckets(Scene):
    name = "buckets"
    title = "more TIME-WAIT than there is room for"
    must = "the limit raised by steps, within the memory bound, until nothing overflows; put back"
    rules = ("time-wait-overflow",)
    story = """\
Somebody has set `net.ipv4.tcp_max_tw_buckets` to 4096, as many a tuning guide has it, on a server that closes 240
connections a second first (`nginx`, `httperf` elsewhere). Beyond the limit the kernel closes them without TIME-WAIT and
says so by a counter alone. timewaitd doubles the limit every half minute until the counter stands still, and puts it
back when the load is gone."""
    driven_by = "httperf, nginx"

    # With steps that are as short as the short load.
    shorter = f"""\
[rule time-wait-overflow]
raise-for = 2s
step = {KEY} x2 limit 1048576 every 3s
"""

    def prepare(self, stage):
        stage.watched.set_sysctl(KEY, 1024 if stage.short else 4096)
        self._clients = stage.peer("10.1.0.2/24")
        self._clients.set_sysctl("net.ipv4.ip_local_port_range", "1024 65535")
        start_nginx(stage, stage.watched, *(f"10.1.0.1:{port}" for port in PORTS), keepalive=0)

    def load(self, stage):
        rate, seconds = (75, 30) if stage.short else (60, 120)
        under_way = [Httperf(stage, self._clients, "10.1.0.1", port, rate, seconds) for port in PORTS]
        # The last seconds of the load are those that must not overflow any more.
        late = []
        watch = threading.Timer(seconds - 6, lambda: late.append(overflows(stage)))
        watch.start()
        counted = [one.finish() for one in under_way]
        watch.join()
        total = overflows(stage)
        stage.facts |= {"overflows": total, "overflows at the end": total - late[0]}
        return Load(
            sum(one["attempts"] for one in counted),
            sum(one["failed"] for one in counted),
            f"{total} closed without TIME-WAIT, {total - late[0]} of them in the last seconds",
        )

    def judge(self, outcome):
        play, found = outcome.watched, []
        values = [int(record["TIMEWAITD_NEW"]) for record in play.of("adjusted", SYSCTL=KEY)]
        olds = [int(record["TIMEWAITD_OLD"]) for record in play.of("adjusted", SYSCTL=KEY)]
        if not outcome.alone.facts["overflows at the end"]:
            found.append("without the daemon nothing overflowed: the load is too small")
        if play.facts["overflows at the end"]:
            found.append(f"it still overflows at the end: {play.facts['overflows at the end']} times")
        if len(values) < 2 or any(new != 2 * old for old, new in zip(olds, values)):
            found.append(f"not raised by steps: {values}")
        if any(value * 256 > MEMORY for value in values):
            found.append(f"beyond the memory bound: {values}")
        if not play.of("restored", SYSCTL=KEY):
            found.append(f"{KEY} was not put back while the daemon ran")
        if play.load.failed:
            found.append(f"{play.load.failed} connections failed")
        return found
