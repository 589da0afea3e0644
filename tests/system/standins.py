# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for the daemon on a bus, and a terminal to draw on."""

import json
import pathlib
import subprocess
import time

from namespaces import PATIENCE, wait_until
from programs import ENVIRONMENT, SOURCE, tool

# A snapshot with everything that one can have.
WHOLE = json.loads((SOURCE / "tests/fuzz/corpus/snapshot-read/whole").read_text())


class StandIn:
    """What answers in the daemon's name: this snapshot until another is put in its place."""

    def __init__(self, bus, directory, snapshot):
        self.address = bus.address
        self._file = pathlib.Path(directory) / "snapshot"
        self.tell(snapshot)
        self._process = subprocess.Popen(
            [tool("onbus"), bus.address, str(self._file)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        assert self._process.stdout.readline() == "ready\n"

    def tell(self, snapshot):
        beside = self._file.with_suffix(".new")
        beside.write_text(snapshot if isinstance(snapshot, str) else json.dumps(snapshot, separators=(",", ":")))
        beside.rename(self._file)

    def answer_reload(self, *errors):
        pathlib.Path(f"{self._file}.errors").write_text("\n".join(errors))

    def deny(self):
        pathlib.Path(f"{self._file}.denied").write_text("")

    def heard(self):
        """The next call that it was told."""
        return self._process.stdout.readline().strip()

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class Terminal:
    """A terminal of tmux, with a shell in it."""

    def __init__(self, directory, width=100, height=24, namespace=None):
        self._socket = str(pathlib.Path(directory) / "tmux")
        self._environment = {**ENVIRONMENT, "LANG": "C.UTF-8", "PS1": "$ "}
        # The size of another terminal would be believed more than that of this one.
        for key in ("TMUX", "LINES", "COLUMNS"):
            self._environment.pop(key, None)
        start = ["new-session", "-d", "-s", "t", "-x", str(width), "-y", str(height), "env PS1='$ ' sh"]
        if namespace:
            done = namespace.try_run("tmux", "-S", self._socket, "-f", "/dev/null", *start, env=self._environment)
            assert done.returncode == 0, done.stderr
        else:
            self._tmux(*start)

    def _tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-S", self._socket, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self._environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, text):
        """Types it, and Enter."""
        self._tmux("send-keys", "-t", "t", "-l", text)
        self.press("Enter")

    def press(self, *keys):
        for key in keys:
            self._tmux("send-keys", "-t", "t", key)
            # A key that follows an Esc at once would be taken for one with Alt.
            time.sleep(0.1 if key == "Escape" else 0)

    def resize(self, width, height):
        self._tmux("resize-window", "-t", "t", "-x", str(width), "-y", str(height))

    def lines(self):
        """What stands on it."""
        return self._tmux("capture-pane", "-p", "-t", "t").rstrip("\n").split("\n")

    def wait(self, condition, seconds=PATIENCE):
        """Waits until its lines are such, and returns them."""
        wait_until(lambda: condition(self.lines()), lambda: "\n".join(self.lines()), seconds)
        return self.lines()

    def wait_for(self, text):
        return self.wait(lambda lines: any(text in line for line in lines))

    def _is_idle(self):
        return self._tmux("list-panes", "-t", "t", "-F", "#{pane_current_command}").strip() == "sh"

    def close(self):
        """What runs there is ended first: a leak sanitizer that the end of the terminal meets at its work never ends."""
        for key in ("Escape", "q", "C-c"):
            if not self._is_idle():
                self.press(key)
                time.sleep(0.2)
        wait_until(self._is_idle, lambda: "\n".join(self.lines()))
        self._tmux("kill-server")
