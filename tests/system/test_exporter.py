# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitd-exporter beside a real daemon on a bus: what it serves, to whom, and what nobody can make it do."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from buses import Bus
from namespaces import PATIENCE, comes_soon, end_process, wait_until
from programs import BUILD, ENVIRONMENT, Churn, Daemon, is_sanitized, start_sink
from settings import daemon_section, prompt_rule

EXPORTER = str(BUILD / "timewaitd-exporter")
CTL = str(BUILD / "timewaitctl")
LINE = re.compile(r'(?P<name>timewaitd_\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
OPEN_METRICS = "application/openmetrics-text;version=1.0.0"


@pytest.fixture
def bus(tmp_path):
    made = Bus(tmp_path / "bus").start()
    yield made
    made.stop()


@pytest.fixture
def daemon(near, tmp_path, bus):
    """One that watches `near`, with a server that does not close there, and a rule that is raised."""
    config = daemon_section(census="1h", survey="1h") + prompt_rule("servers", "listen", 1, 0, {"net.ipv4.tcp_fin_timeout": "30"})
    start_sink(near, "127.0.0.1", 80, "--hold")
    Churn(near, "127.0.0.1", 80, 50, 1).finish()
    started = Daemon(near, tmp_path / "daemon", config, f"--bus={bus.address}")
    bus.wait_for_owner()
    yield started
    if started.process.poll() is None:
        started.stop()


class Exporter:
    """One in the machine's namespace, where the test can reach it; its port is one that was free."""

    def __init__(self, bus, *options):
        with socket.socket() as any_port:
            any_port.bind(("127.0.0.1", 0))
            self.port = any_port.getsockname()[1]
        self.process = subprocess.Popen(
            [EXPORTER, f"--bus={bus.address}", f"--listen=127.0.0.1:{self.port}", *options],
            env=ENVIRONMENT,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(self._listens, "it listens")

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def get(self, path="/metrics", accept="*/*", timeout=PATIENCE):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read().decode(), answer.headers["Content-Type"]

    def samples(self):
        return samples_of(self.get()[0])

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1])

    def clients(self):
        """How many it has not closed, whether they have or not: those of the kernel's table that have an owner still."""
        with open(f"/proc/{self.process.pid}/net/tcp") as table:
            rows = [row.split() for row in table.readlines()[1:]]
        mine, listening = f":{self.port:04X}", "0A"
        return sum(row[1].endswith(mine) and row[3] != listening and row[9] != "0" for row in rows)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def descriptors_at_rest(self):
        """With the bus, which the first question connects to, and without any client, not even one on its way out."""
        self.get()
        wait_until(lambda: self.clients() == 0, "who came first is gone")
        return self.descriptors()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/schedstat") as schedstat:
            return int(schedstat.read().split()[0]) / 1e9

    def stop(self):
        """Returns what it said."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=PATIENCE)[1]
        assert self.process.returncode == 0, said
        return said


def samples_of(page):
    """{(name, labels): value}, of a page in which nothing is but comments and samples, each once."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        assert match, line
        key = match["name"], tuple(sorted(LABEL.findall(match["labels"] or "")))
        assert key not in found, line
        found[key] = float(match["value"])
    return found


def of(samples, name, **labels):
    return samples[f"timewaitd_{name}", tuple(sorted(labels.items()))]


@pytest.fixture
def exporter(bus):
    started = Exporter(bus)
    yield started
    if started.process.poll() is None:
        started.stop()


def test_it_serves_what_the_daemon_knows(near, daemon, exporter, bus):
    samples = exporter.samples()
    page = json.loads(near.run(CTL, "status", "--json", f"--bus={bus.address}"))
    (namespace,) = page["namespaces"]
    assert of(samples, "up") == 1
    assert of(samples, "build_info", version=page["version"]) == 1
    assert of(samples, "start_time_seconds") == pytest.approx(page["started"], abs=1)
    for state, count in namespace["states"].items():
        assert of(samples, "sockets", namespace="host", state=state) == count
    assert of(samples, "rule_raised", namespace="host", rule="servers", severity="notice") == (
        1 if namespace["rules"][0]["state"] == "raised" else 0
    )
    for key, value in namespace["limits"].items():
        if key.startswith("tcp_") and value is not None:
            assert of(samples, "sysctl_value", namespace="host", sysctl=key) == value
    assert of(samples, "usable_ports", namespace="host") == namespace["limits"]["usable-ports"]
    assert of(samples, "active_opens_total", namespace="host") == namespace["counters"]["active-open"]
    assert of(samples, "cpu_seconds_total") > 0
    assert of(samples, "exporter_scrapes_total") == 1


def test_both_formats(daemon, exporter):
    text, kind = exporter.get()
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE timewaitd_resets_total counter" in text and "# EOF" not in text
    text, kind = exporter.get(accept=f"{OPEN_METRICS},text/plain;q=0.5")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("# EOF\n") and "# TYPE timewaitd_resets counter" in text
    assert "<a href" in exporter.get("/")[0]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        exporter.get("/nothing")


def test_no_daemon_and_one_that_comes(near, bus, exporter, tmp_path):
    samples = exporter.samples()
    assert of(samples, "up") == 0
    assert {name for name, _ in samples} == {
        "timewaitd_up",
        "timewaitd_exporter_scrapes_total",
        "timewaitd_exporter_snapshot_errors_total",
        "timewaitd_exporter_snapshot_seconds",
    }
    started = Daemon(near, tmp_path / "daemon", daemon_section(), f"--bus={bus.address}")
    bus.wait_for_owner()
    wait_until(lambda: of(exporter.samples(), "up") == 1, "it is up")
    started.stop()
    wait_until(lambda: of(exporter.samples(), "up") == 0, "it is down")
    said = exporter.stop()
    assert said.count("timewaitd does not answer") == 2 and said.count("timewaitd answers") == 1


def test_no_bus_and_one_that_comes_back(near, tmp_path):
    bus = Bus(tmp_path / "bus")
    exporter = Exporter(bus)
    assert of(exporter.samples(), "up") == 0
    bus.start()
    started = Daemon(near, tmp_path / "daemon", daemon_section(), f"--bus={bus.address}")
    bus.wait_for_owner()
    wait_until(lambda: of(exporter.samples(), "up") == 1, "it is up")
    exporter.stop()
    started.stop()
    bus.stop()


@pytest.mark.long
def test_a_daemon_that_hangs(daemon, exporter):
    """Whoever scrapes learns it before he gives up, and the others wait no longer than he does."""
    exporter.get()
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        time.sleep(1.1)
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            pages = list(pool.map(lambda _: exporter.samples(), range(20)))
        # Five seconds of patience with the daemon, for all of them together.
        assert 4 < time.monotonic() - began < 10
        assert {of(page, "up") for page in pages} == {0}
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    wait_until(lambda: of(exporter.samples(), "up") == 1, "it is up again")


def test_it_ends_while_somebody_waits(daemon, exporter):
    """For the daemon, which hangs: it does not wait for that."""
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        with socket.create_connection(("127.0.0.1", exporter.port), 30) as one:
            asked = time.monotonic()
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.5)
            exporter.stop()
            assert time.monotonic() - asked < 5, "it has waited until it gave the daemon up"
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)


def test_more_sockets_than_there_is_room_for():
    """Handed over as systemd does, with --listen behind them."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(8)]

    def hand_over():
        for number, one in enumerate(sockets):
            os.dup2(one.fileno(), 3 + number)

    shell = f'LISTEN_PID=$$ LISTEN_FDS=8 exec "{EXPORTER}" --listen=127.0.0.1:9'
    done = subprocess.run(
        ["sh", "-c", shell], preexec_fn=hand_over, close_fds=False, capture_output=True, text=True
    )
    for one in sockets:
        one.close()
    assert done.returncode == 1 and "too long" in done.stderr.lower()


def test_a_thousand_at_once(daemon, exporter):
    """All of them are answered, of as few questions to the daemon as ever, in memory that does not grow with them."""
    at_rest, before = exporter.descriptors_at_rest(), exporter.memory_kib()
    held = [socket.create_connection(("127.0.0.1", exporter.port), PATIENCE) for _ in range(1000)]
    for one in held:
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    peak = exporter.memory_kib()
    for one in held:
        with one, one.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 200")
            page = answer.read()
        assert b"timewaitd_up 1" in page and b"\ntimewaitd_exporter_snapshot_seconds" in page
    assert is_sanitized() or max(peak, exporter.memory_kib()) - before < 8192, "KiB"
    wait_until(lambda: exporter.descriptors() == at_rest, "they are closed")


@pytest.mark.long
def test_slow_clients_hold_up_nobody(daemon, exporter):
    """More of them than it serves at once: each is let go, and who asks properly is answered."""
    slow = [socket.create_connection(("127.0.0.1", exporter.port), 30) for _ in range(300)]
    for one in slow:
        one.sendall(b"GET /metr")
    began = time.monotonic()
    assert of(exporter.samples(), "up") == 1
    # Each is let go after eight seconds without a word; two after the other need not be waited for.
    assert time.monotonic() - began < 16
    for one in slow:
        one.close()


def test_a_client_that_ends_is_closed_at_once(daemon, exporter):
    """After one question and after more: a socket in CLOSE-WAIT is what others are blamed for."""
    at_rest = exporter.descriptors_at_rest()
    for questions in (1, 2):
        clients = [http.client.HTTPConnection("127.0.0.1", exporter.port, timeout=PATIENCE) for _ in range(20)]
        for client in clients * questions:
            client.request("GET", "/metrics")
            assert b"timewaitd_up 1" in client.getresponse().read()
        assert exporter.descriptors() == at_rest + 20  # kept, for the next question
        spent = exporter.cpu_seconds()
        time.sleep(1)
        assert exporter.cpu_seconds() - spent < 0.1
        for client in clients:
            client.close()
        assert comes_soon(lambda: exporter.descriptors() == at_rest, 0.7), "not all are closed"


@pytest.mark.long
def test_a_client_that_waited_is_closed_at_once(daemon, exporter):
    """Alone, with nobody after it who would wake the exporter up, and answered only after the daemon was asked."""
    at_rest = exporter.descriptors_at_rest()
    for _ in range(6):
        time.sleep(1.3)  # until the last page is too old to be shown again
        exporter.get()
        assert comes_soon(lambda: exporter.descriptors() == at_rest, 0.5), "it is not closed"


@pytest.mark.long
def test_who_trickles_is_let_go(daemon, exporter):
    """A byte each second, for ever: not for longer than half a minute."""
    with socket.create_connection(("127.0.0.1", exporter.port), 30) as one:
        one.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        began = time.monotonic()
        with pytest.raises(OSError):
            for _ in range(38):
                one.sendall(b"x")
                time.sleep(1)
        assert time.monotonic() - began > 25


GARBAGE = (
    b"\0" * 4096,
    b"GET /metrics\r\n\r\n",
    b"GET /metrics HTTP/9.9\r\n\r\n",
    b"\r\n\r\n\r\n\r\n",
    b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    b"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000000,
    b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: " + b"application/" * 300 + b"\r\n\r\n",
    bytes(range(256)) * 64,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


@pytest.mark.long
def test_garbage_is_refused(daemon, exporter):
    at_rest, before = exporter.descriptors_at_rest(), exporter.memory_kib()

    def send(garbage):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", exporter.port), 20) as one:
            one.sendall(garbage)
            one.shutdown(socket.SHUT_WR)
            while one.recv(65536):
                pass

    with concurrent.futures.ThreadPoolExecutor(120) as pool:
        list(pool.map(send, GARBAGE * 20))
    assert of(exporter.samples(), "up") == 1
    assert is_sanitized() or exporter.memory_kib() - before < 4096, "KiB"
    wait_until(lambda: exporter.descriptors() == at_rest, "they are closed")


def test_textfile(near, daemon, bus, tmp_path):
    path = tmp_path / "timewaitd.prom"
    command = [EXPORTER, f"--bus={bus.address}", f"--textfile={path}"]
    subprocess.run(command, check=True, env=ENVIRONMENT, timeout=PATIENCE)
    assert of(samples_of(path.read_text()), "up") == 1
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir() if "prom" in one.name] == ["timewaitd.prom"]
    daemon.stop()
    subprocess.run(command, check=True, env=ENVIRONMENT, timeout=PATIENCE)
    assert of(samples_of(path.read_text()), "up") == 0
    failed = subprocess.run([*command[:-1], f"--textfile={tmp_path}/no/where"], capture_output=True, text=True, env=ENVIRONMENT)
    assert failed.returncode == 1 and "No such file or directory" in failed.stderr


@pytest.mark.long
def test_textfile_again_and_again(daemon, bus, tmp_path):
    """Whoever reads it finds a whole one."""
    path = tmp_path / "timewaitd.prom"
    process = subprocess.Popen([EXPORTER, f"--bus={bus.address}", f"--textfile={path}", "--every=1s"], env=ENVIRONMENT)
    try:
        wait_until(path.exists, "it is written")
        times = set()

        def read():
            with open(path) as file:
                times.add(os.fstat(file.fileno()).st_mtime_ns)
                assert "timewaitd_exporter_snapshot_seconds" in file.read().splitlines()[-1]
            return len(times) >= 4

        wait_until(read, "it is written again")
        assert of(samples_of(path.read_text()), "exporter_scrapes_total") >= 3
    finally:
        end_process(process)


@pytest.mark.parametrize(
    "options, words",
    [
        (["--top=101"], "--top takes a number of rows"),
        (["--top=-1"], "--top takes a number of rows"),
        (["--every=1s"], "--every goes with --textfile"),
        (["--every=0", "--textfile=x"], "--every takes a span"),
        (["--textfile=x", "--listen=:1"], "exclude each other"),
        (["x"], "no arguments"),
        (["--nothing"], "unrecognized option"),
    ],
)
def test_wrong_usage(options, words):
    done = subprocess.run([EXPORTER, *options], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 2 and words in done.stderr and "--help" in done.stderr


@pytest.mark.parametrize("address", ["", "127.0.0.1", "x:1", "127.0.0.1:0", "127.0.0.1:65536", "[127.0.0.1]:80", "::1:80"])
def test_no_address_to_listen_at(address):
    done = subprocess.run([EXPORTER, f"--listen={address}"], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 1 and "Invalid argument" in done.stderr


def test_no_socket():
    done = subprocess.run([EXPORTER], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 1 and "timewaitd-exporter.socket" in done.stderr


def test_rows_are_bounded(daemon, bus):
    exporter = Exporter(bus, "--top=0")
    assert not any(name.startswith("timewaitd_listener_") for name, _ in exporter.samples())
    exporter.stop()
