# SPDX-License-Identifier: GPL-2.0-or-later
"""What conftest.py sets up."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import time
import urllib.parse

from buses import Bus
from namespaces import PATIENCE, Pair, wait_until
from programs import BUILD, ENVIRONMENT, Daemon, start_sink, tool
from settings import PORTS, daemon_section

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CONTRIB = SOURCE / "contrib"
# Where `./dev test fleet` unpacks Debian's packages.
ROOT = pathlib.Path(os.environ.get("TW_FLEET_ROOT", SOURCE / "build/fleet/root"))
PROMETHEUS, PROMTOOL = ROOT / "usr/bin/prometheus", ROOT / "usr/bin/promtool"
ALERTMANAGER, AMTOOL = ROOT / "usr/bin/prometheus-alertmanager", ROOT / "usr/bin/amtool"
EXPORTER = BUILD / "timewaitd-exporter"
CTL = BUILD / "timewaitctl"
PORT = {"exporter": 9817, "prometheus": 9090, "alertmanager": 9093}

# Debian's Alertmanager has a file of its own below /usr/share: for it alone, what was unpacked is laid over that.
AS_INSTALLED = (
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount -t overlay none -o "lowerdir=$0/usr/share:/usr/share" /usr/share && exec "$@"',
    ROOT,
)

CONFIG = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [{rules}]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:9093"]}}]}}]
scrape_configs:
  - {{job_name: timewaitd, static_configs: [{{targets: ["127.0.0.1:9817"]}}]}}
"""


class Fleet:
    """One machine of it: `near` runs short of ports towards `far`, is healed, and is scraped all the while."""

    def __init__(self, home):
        self._home = home
        with contextlib.ExitStack() as stack:
            self.pair = Pair()
            stack.callback(self.pair.close)
            self.near = self.pair.near
            self.near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40999")
            start_sink(self.pair.far, Pair.FAR, 80)
            start_sink(self.near, "127.0.0.1", 81, "--hold")
            self.bus = Bus(home / "bus").start()
            stack.callback(self.bus.stop)
            self._start_daemon(stack)
            self._start_servers()
            self.near.run(tool("churn"), "--rate=30", "--seconds=1", "127.0.0.1", "81")
            # Less than what would run out at once, for as long as the tests take.
            self.near.start(tool("churn"), "--rate=150", "--seconds=600", Pair.FAR, "80", stdout=subprocess.DEVNULL)
            self.close = stack.pop_all().close

    def _start_daemon(self, stack):
        config = daemon_section(census="500ms", survey="500ms") + PORTS
        daemon = Daemon(self.near, self._home / "daemon", config, f"--bus={self.bus.address}")
        stack.callback(daemon.stop)
        self.bus.wait_for_owner()

    def _start(self, name, *command):
        log = open(self._home / f"{name}.log", "w")
        self.near.start(*map(str, command), stdout=log, stderr=log, env=ENVIRONMENT)
        wait_until(lambda: self.answers(name), lambda: (self._home / f"{name}.log").read_text()[-2000:])

    def _start_servers(self):
        rules = CONTRIB / "prometheus/timewaitd.rules.yml"
        config = self._home / "prometheus.yml"
        config.write_text(CONFIG.format(rules=rules))
        self._start("exporter", EXPORTER, f"--bus={self.bus.address}", "--listen=127.0.0.1:9817")
        self._start(
            "alertmanager",
            *AS_INSTALLED,
            ALERTMANAGER,
            f"--config.file={CONTRIB}/alertmanager/alertmanager.yml",
            f"--storage.path={self._home}/alerts",
            "--web.listen-address=127.0.0.1:9093",
            "--cluster.listen-address=",
        )
        self._start(
            "prometheus",
            PROMETHEUS,
            f"--config.file={config}",
            f"--storage.tsdb.path={self._home}/series",
            "--web.listen-address=127.0.0.1:9090",
        )

    def answers(self, name):
        path = "/" if name == "exporter" else "/-/ready"
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get(name, path)[0] == 200
        return False

    def get(self, name, path, accept="*/*"):
        """Status and text."""
        with self.near.entered():
            connection = http.client.HTTPConnection("127.0.0.1", PORT[name], timeout=PATIENCE)
            connection.connect()
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def query(self, expression):
        """Prometheus' answer now: a list of series."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        status, text = self.get("prometheus", path)
        answer = json.loads(text)
        assert status == 200 and answer["status"] == "success", f"{expression}: {text}"
        return answer["data"]["result"]

    def alerts(self):
        """What Alertmanager has: its labels, by name."""
        return {alert["labels"]["alertname"]: alert for alert in json.loads(self.get("alertmanager", "/api/v2/alerts")[1])}

    def status(self):
        return json.loads(self.near.run(str(CTL), "status", "--json", f"--bus={self.bus.address}"))

    def record(self, seconds):
        """What `timewaitctl status` says, again and again."""
        end, pages = time.monotonic() + seconds, []
        while time.monotonic() < end:
            pages.append(self.status())
            time.sleep(0.1)
        return pages
