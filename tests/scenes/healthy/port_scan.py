# SPDX-License-Identifier: GPL-2.0-or-later
from busy import Busy, churn, counter, finish_all, pool
from scene import Load
from servers import start_nginx


class PortScan(Busy):
    name = "port-scan"
    title = "a port scan, answered with RST"
    tempts = "syn-cookies; accept-queue"
    story = """\
`nmap` looks at all 65535 ports of the watched machine, which answers with RST, and connects to the open one; `hping3`
sends 2000 SYN a second to that one and drops each answer by RST, so that the listener is never without half-open
connections. Customers keep a pool of 1000 connections and open 300 more a second (`h2load`): they must not lose one, and
a scan that costs nothing is no alarm."""

    def prepare(self, stage):
        self._scanner = stage.peer("10.1.0.2/24")
        self._customers = stage.peer("10.2.0.2/24")
        start_nginx(stage, stage.watched, "10.1.0.1:80", "10.2.0.1:80")

    def load(self, stage):
        seconds = 8 if stage.short else 24
        clients = [
            pool(stage, self._customers, "http://10.2.0.1/", 1000, seconds),
            churn(stage, self._customers, "http://10.2.0.1/", 300, seconds),
        ]
        wholly = ("-n", "-Pn", "-p-", "--max-retries", 1, "--min-rate", 65535 // (seconds - 3))
        scans = [
            stage.start(self._scanner, "hping3", "-q", "-S", "-p", 80, "-i", "u500", "-c", 2000 * seconds, "10.1.0.1"),
            stage.start(self._scanner, "nmap", "-sS", *wholly, "10.1.0.1"),
            stage.start(self._scanner, "nmap", "-sT", "-n", "-Pn", "-p", "1-2000", "10.1.0.1"),
        ]
        counted = finish_all(clients)
        for scan in scans:
            scan.wait(60)
        resets, dropped = (counter(stage.watched, name) for name in ("TcpOutRsts", "TcpAttemptFails"))
        self.near(stage, "RST sent", resets, 60000)
        self.near(stage, "half-open connections that came to nothing", dropped, 1000 * seconds)
        return Load(*counted, f"{resets} RST sent, {dropped} half-open connections came to nothing")
