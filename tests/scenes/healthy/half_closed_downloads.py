# SPDX-License-Identifier: GPL-2.0-or-later
import subprocess
import time

from busy import Busy, count_sockets
from scene import Load
from servers import start_nginx

CLIENTS = 150
# Bytes a second: what nginx sends once a second is acknowledged at once, so that mostly nothing waits to be sent.
RATE = 2048
# Only a proxy that is told to leaves off looking whether its client goes away, for as long as it is fed.
FRONT = "proxy_pass http://127.0.0.1:81; proxy_ignore_client_abort on; proxy_buffering off;"


class HalfClosedDownloads(Busy):
    name = "half-closed-downloads"
    title = "slow downloads whose clients have half-closed"
    tempts = "close-wait-leak"
    story = f"""\
{CLIENTS} clients (`nc -N`) ask an `nginx` for a file and half-close at once, as they may: they have nothing more to say. The
server's sockets are in CLOSE-WAIT for as long as the download lasts, two minutes (20 s in the short form), which is longer
than the minute that makes a leak, and they are more than the 100 of `close-wait-leak`. But they send, 2 KiB a second each,
so none has leaked."""
    shorter = """\
[daemon]
census = 1s

[rule close-wait-leak]
age = 5s
raise-for = 3s
"""

    def prepare(self, stage):
        self._far = stage.peer("10.1.0.2/24")
        self._size = RATE * (20 if stage.short else 120)
        (stage.directory / "file").write_bytes(b"x" * self._size)
        stage.directory.chmod(0o755)  # for nginx is nobody
        (stage.directory / "request").write_bytes(b"GET /file HTTP/1.0\r\n\r\n")
        start_nginx(stage, stage.watched, "127.0.0.1:81", body=f"root {stage.directory}; limit_rate {RATE};")
        start_nginx(stage, stage.watched, "10.1.0.1:80", body=FRONT)

    def _download(self, stage, number):
        with open(stage.directory / "request") as request, open(stage.directory / f"got-{number}", "wb") as got:
            return stage.start(self._far, "nc", "-N", "10.1.0.1", "80", stdin=request, stdout=got)

    def load(self, stage):
        clients = [self._download(stage, number) for number in range(CLIENTS)]
        least = CLIENTS
        for _ in range(3):
            time.sleep(5 if stage.short else 35)
            least = min(least, count_sockets(stage.watched, "state", "close-wait"))
        for client in clients:
            client.wait(60)
        sizes = [(stage.directory / f"got-{number}").stat().st_size for number in range(CLIENTS)]
        self.near(stage, "CLOSE-WAIT, at each of three looks,", least, CLIENTS)
        return Load(CLIENTS, sum(size < self._size for size in sizes), f"{least} sockets in CLOSE-WAIT at any time")
