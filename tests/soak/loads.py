# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on beside the daemon: connections, rules that come and go, reloads, namespaces."""

import contextlib
import signal
import socket
import threading
import time

from namespaces import Namespace, Pair
from programs import Churn, start_sink

PORT = 8080


class Traffic:
    """Connections to two servers, half of the rate to each, for the whole time; the sums of each second."""

    def __init__(self, pair, rate, seconds):
        self.ok = self.failed = 0
        self._clients = []
        for port in (PORT, PORT + 1):
            start_sink(pair.far, Pair.FAR, port)
            self._clients.append(Churn(pair.near, Pair.FAR, port, max(rate // 2, 1), seconds))
        self._threads = [threading.Thread(target=self._count, args=[client]) for client in self._clients]
        for thread in self._threads:
            thread.start()

    def _count(self, client):
        for second in client:
            if "second" in second:
                self.ok += second["ok"]
                self.failed += second["failed"]

    def finish(self):
        for client, thread in zip(self._clients, self._threads):
            if client.process.poll() is None:
                client.process.terminate()
            thread.join()


class Beside:
    """A job that is done again and again, on a thread, until stop(); what went wrong in it is told there."""

    def __init__(self, pause):
        self.count = 0
        self._pause, self._over, self._error = pause, threading.Event(), None
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def _go_on(self):
        try:
            with self.around():
                while not self._over.wait(self._pause):
                    self.once()
                    self.count += 1
        except Exception as error:  # told by stop(), on the main thread
            self._error = error

    @contextlib.contextmanager
    def around(self):
        yield

    def once(self):
        raise NotImplementedError

    def stop(self):
        self._over.set()
        self._thread.join()
        if self._error:
            raise self._error


class Reloads(Beside):
    """SIGHUP each second."""

    def __init__(self, process):
        self._process = process
        super().__init__(1)

    def once(self):
        self._process.send_signal(signal.SIGHUP)


class Namespaces(Beside):
    """
    Network namespaces that come and go: a few are there at a time, and in each a server with connections, open and
    closed. The kernel keeps them in the same tables as those that the daemon counts.
    """

    PAUSE = 0.5
    THERE = 6
    CONNECTIONS = 8

    def __init__(self):
        super().__init__(self.PAUSE)

    @contextlib.contextmanager
    def around(self):
        self._there = []
        try:
            yield
        finally:
            while self._there:
                self._remove()

    def once(self):
        namespace = Namespace()
        self._there.append((namespace, self._populate(namespace)))
        if len(self._there) > self.THERE:
            self._remove()

    def _populate(self, namespace):
        """Half of the connections are closed by their client, and wait there for the time that a namespace has."""
        with namespace.entered():
            server = socket.create_server(("127.0.0.1", 0))
            clients = [socket.create_connection(server.getsockname()) for _ in range(self.CONNECTIONS)]
        for client in clients[::2]:
            client.close()
        return [*clients[1::2], server]

    def _remove(self):
        """The oldest; with its connections as they are, which is what a container that is stopped leaves."""
        namespace, sockets = self._there.pop(0)
        for one in sockets:
            one.close()
        namespace.close()


class Waves(Beside):
    """By turns: servers listen, connects fail, then neither; `PERIOD` seconds from one to the next."""

    PERIOD = 3
    SERVERS = 3
    FAILURES = 40  # a second
    HELD = 50

    def __init__(self, pair):
        self._near = pair.near
        self._kept, self._began = [], time.monotonic()
        super().__init__(1 / self.FAILURES)

    @contextlib.contextmanager
    def around(self):
        with self._near.entered():
            yield
        self._let_go()

    def once(self):
        turn = int((time.monotonic() - self._began) / self.PERIOD) % 3
        if turn == 0:
            if not self._kept:
                self._kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(self.SERVERS)]
                self._kept += [self._connect(self._kept[0]) for _ in range(self.HELD)]
            return
        self._let_go()
        if turn == 1:
            with socket.socket() as one:
                one.connect_ex(("127.0.0.1", 1))

    @staticmethod
    def _connect(server):
        return socket.create_connection(server.getsockname())

    def _let_go(self):
        for one in reversed(self._kept):
            one.close()
        self._kept = []
