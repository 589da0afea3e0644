# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import subprocess

from busy import Busy, churn, finish_all, pool
from scene import Load
from servers import start_nginx

FILES, SIZE = 2000, 16384
STREAMS = 64

RSYNCD = """\
use chroot = no
pid file = {folder}/rsyncd.pid
log file = {folder}/rsyncd.log
[backup]
path = {folder}/kept
read only = no
uid = 0
gid = 0
"""


class Backup(Busy):
    name = "backup"
    title = "a backup beside the daily work"
    tempts = "accept-queue, and the daemon's own warnings when it gets no CPU time"
    heavy = True
    story = f"""\
The watched machine sends its backup: `iperf3` over {STREAMS} connections at once, 2 Gbit/s together, and one `rsync` after
the other, each {FILES} files. Beside that its `nginx` serves 2000 kept connections and 300 new ones a second (`h2load`).
The processors are full, send buffers and accept queues fill and drain; nothing is wrong, and the daemon must neither
raise `accept-queue` nor complain that it was late."""

    def prepare(self, stage):
        self._far = stage.peer("10.1.0.2/24")
        self._customers = stage.peer("10.2.0.2/24")
        start_nginx(stage, stage.watched, "10.2.0.1:80")
        self._make_files(stage.directory / "files")
        (stage.directory / "kept").mkdir()
        config = stage.directory / "rsyncd.conf"
        config.write_text(RSYNCD.format(folder=stage.directory))
        stage.start(self._far, "rsync", "--daemon", "--no-detach", "--port=873", f"--config={config}")
        stage.start(self._far, "iperf3", "-s", "-p", 5201)
        stage.wait_listening(self._far, 873)
        stage.wait_listening(self._far, 5201)

    @staticmethod
    def _make_files(folder):
        folder.mkdir()
        for number in range(FILES):
            (folder / str(number)).write_bytes(os.urandom(SIZE))

    def _copy(self, stage, count):
        """One rsync after the other; returns how many bytes went over."""
        for number in range(count):
            to = f"rsync://10.1.0.2/backup/{number}/"
            copy = stage.start(stage.watched, "rsync", "-a", f"{stage.directory}/files/", to)
            if copy.wait(120) != 0:
                raise RuntimeError(f"rsync ended with {copy.returncode}")
        return count * FILES * SIZE

    def load(self, stage):
        seconds, copies = (7, 3) if stage.short else (22, 14)
        options = ("-c", "10.1.0.2", "-P", STREAMS, "-b", f"{2000 // STREAMS}M", "-t", seconds, "--json")
        bulk = stage.start(stage.watched, "iperf3", *options, stdout=subprocess.PIPE, text=True)
        clients = [
            pool(stage, self._customers, "http://10.2.0.1/", 2000, seconds),
            churn(stage, self._customers, "http://10.2.0.1/", 300, seconds),
        ]
        copied = self._copy(stage, copies)
        counted = finish_all(clients)
        sent = json.loads(stage.output(bulk, 60))["end"]["sum_sent"]["bytes"] + copied
        rate = round(8 * sent / seconds / 1e6)
        self.near(stage, "Mbit/s sent", rate, 500)
        return Load(*counted, f"{rate} Mbit/s over {STREAMS} streams and {copies} copies")
