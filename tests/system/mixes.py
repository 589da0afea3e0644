# SPDX-License-Identifier: GPL-2.0-or-later
"""Mixes of clients that hold local ports in every way there is, in a namespace of its own, and what is left to one more."""

import contextlib
import errno
import random
import resource
import socket
import struct
import time

from clients import IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE

LOW, HIGH = 40000, 41999
RESET = struct.pack("=ii", 1, 0)

# Every address is on lo; what tcp_tw_reuse=2 takes for loopback is 127.0.0.0/8 and ::1 alone.
HOST, OTHER, THIRD, FOURTH = "10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.1"
HOST6, OTHER6 = "fd00::1", "fd00::2"


class Mix:
    """Sockets of one namespace, which this thread is in; they are there until close()."""

    def __init__(self, namespace, seed):
        self.namespace = namespace
        self.random = random.Random(seed)
        self._kept = contextlib.ExitStack()
        self._listeners = {}
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        for address in (FOURTH, HOST, OTHER, THIRD):
            namespace.ip("address", "add", address, "dev", "lo")
        for address in (HOST6, OTHER6):
            namespace.ip("-6", "address", "add", f"{address}/128", "dev", "lo", "nodad")
        self.put("ip_local_port_range", f"{LOW} {HIGH}")

    def close(self):
        self._kept.close()

    def put(self, name, value):
        self.namespace.set_sysctl(f"net.ipv4.{name}", value)

    def part(self, low=0.15, high=0.45):
        """So many ports, a part of all by chance."""
        return int(self.random.uniform(low, high) * (HIGH - LOW + 1))

    def _listener(self, host, port):
        key = (host, port)
        if key not in self._listeners:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            made = self._kept.enter_context(socket.socket(family))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(key)
            made.listen(4096)
            self._listeners[key] = made
        return self._listeners[key]

    def open(self, host, port, source="", first=False, late=False, at=0, within=None, device="", mapped=False, reuse=False):
        """
        A connection, both ends; None where there is no port for it. `first`: bind() chooses its port; `late`: connect()
        does, after bind(); `at`: a port of its own choice; `within`: IP_LOCAL_PORT_RANGE.
        """
        listener = self._listener(host, port)
        prefix = "::ffff:" if mapped else ""
        made = socket.socket(socket.AF_INET6 if ":" in host or mapped else socket.AF_INET)
        try:
            if reuse:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if device:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
            if within:
                made.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", within[1] << 16 | within[0]))
            if late:
                made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            if first or late or at:
                made.bind((prefix + source if source else "", at))
            made.connect((prefix + host, port))
        except OSError as error:
            made.close()
            if error.errno in (errno.EADDRNOTAVAIL, errno.EADDRINUSE):
                return None
            raise
        return made, listener.accept()[0]

    def make(self, state, count, host=HOST, port=80, **how):
        """Connections whose near end is in this state, as many as there are ports for, and that is one at least."""
        for number in range(count):
            ends = self.open(host, port, **how)
            if not ends:
                assert number > 0, f"not one port for {state} towards {host}:{port}, {how}"
                return
            near, far = ends
            if state in ("established", "fin-wait-2", "close-wait"):
                self._kept.enter_context(near)
                self._kept.enter_context(far)
            if state == "time-wait":
                near.close()
                far.close()
            elif state == "fin-wait-2":
                near.close()
            elif state == "close-wait":
                far.close()
            elif state == "gone":  # the far end waits
                far.close()
                near.close()
            elif state == "reset":
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                near.close()
                far.close()

    def bind(self, address, port=0, listen=False):
        made = self._kept.enter_context(socket.socket())
        made.bind((address, port))
        if listen:
            made.listen()

    def ports(self, count):
        return self.random.sample(range(LOW, HIGH), count)

    def close_listeners(self, wanted):
        for key in [key for key in self._listeners if wanted(key)]:
            self._listeners.pop(key).close()

    def left(self, host, port, **how):
        """How many more connections there are ports for; they stay."""
        count = 0
        while ends := self.open(host, port, **how):
            for end in ends:
                self._kept.enter_context(end)
            count += 1
        return count


# ---- the mixes: each does its part, and gives what is to ask: {"host": ..., "device": ...}


def waits(where, reuse, age):
    def make(mix):
        host = "127.0.0.1" if where == "loopback" else HOST
        mix.put("tcp_tw_reuse", reuse)
        # Long enough for a slow machine, where the kernel lets it be chosen.
        delay = 8.0
        try:
            mix.put("tcp_tw_reuse_delay", int(delay * 1000))
        except FileNotFoundError:
            delay = 1.0
        if age != "young":
            mix.make("time-wait", mix.part(0.3, 0.45), host)
            time.sleep(delay + 0.2)
        if age != "old":
            mix.make("time-wait", mix.part(0.15, 0.3) if age == "mixed" else mix.part(0.3, 0.9), host)
        return {"host": host}

    return make


def first(state, destinations, source, reuse):
    """bind() before connect(), towards others than the one that asks."""

    def make(mix):
        mix.put("tcp_tw_reuse", reuse)
        count = mix.part(0.2, 0.9) // destinations
        for i in range(destinations):
            mix.make(state, count, OTHER, 90 + i, source=source, first=True)
        time.sleep(1.2)
        return {}

    return make


def first_of_two_sources(mix):
    mix.make("established", mix.part(), OTHER, 90, source=THIRD, first=True)
    mix.make("time-wait", mix.part(), OTHER, 90, source=OTHER, first=True)
    return {}


def first_reusing(mix):
    for i in range(5):
        mix.make("time-wait", mix.part(0.1, 0.2), OTHER, 90 + i, source=THIRD, first=True, reuse=True)
    return {}


def first_and_gone(mix):
    mix.make("gone", mix.part(), OTHER, 90, source=THIRD, first=True)
    return {}


def first_on_ports_of_plain_ones(mix):
    """Another source's bind() to ports of the kind that connect() chooses, beside it; half of them end again."""
    mix.put("tcp_tw_reuse", 1)
    mix.make("established", mix.part(0.3, 0.4), OTHER, 77)
    for index, port in enumerate(range(LOW, LOW + 800, 2)):
        mix.make("established" if index % 2 else "gone", 1, OTHER, 90, source=THIRD, at=port)
    return {}


def bound(mix):
    for _ in range(mix.part(0.2, 0.5)):
        mix.bind(THIRD)
    return {}


def late(mix):
    mix.make("established", mix.part(), late=True, source=HOST)
    mix.make("time-wait", mix.part(), late=True, source=HOST)
    mix.make("established", mix.part(), OTHER, late=True, source=THIRD)
    return {}


def sources(mix):
    mix.make("established", mix.part(), late=True, source=OTHER)
    mix.make("time-wait", mix.part(), late=True, source=THIRD)
    mix.make("established", mix.part())
    return {}


def orphans(mix):
    mix.put("tcp_tw_reuse", 1)
    mix.make("fin-wait-2", mix.part(0.2, 0.6))
    mix.make("time-wait", mix.part(0.1, 0.2))
    time.sleep(1.2)
    return {}


def mapped(mix):
    mix.make("established", mix.part(), mapped=True)
    mix.make("time-wait", mix.part(0.1, 0.3), mapped=True)
    return {}


def mapped_asks(mix):
    mix.make("established", mix.part())
    mix.make("time-wait", mix.part(0.1, 0.3))
    return {"mapped": True}


def ipv6(mix):
    mix.make("established", mix.part(), HOST6)
    mix.make("time-wait", mix.part(), HOST6)
    mix.make("established", mix.part())
    return {"host": HOST6}


def ipv6_loopback(mix):
    mix.make("established", mix.part(), "::1")
    mix.make("time-wait", mix.part(), "::1")
    time.sleep(1.2)
    return {"host": "::1"}


def first_ipv6(mix):
    mix.make("time-wait", mix.part(0.2, 0.8), HOST6, source=OTHER6, first=True)
    return {}


def first_ipv4_asked_by_ipv6(mix):
    mix.make("time-wait", mix.part(0.2, 0.8), OTHER, source=THIRD, first=True)
    return {"host": HOST6}


def within(mix):
    mix.make("established", mix.part(), within=(40100, 40999))
    mix.make("time-wait", mix.part(0.1, 0.2), within=(41500, 41999))
    mix.make("established", mix.part(0.1, 0.2))
    return {}


def explicit(mix):
    for port in mix.ports(400):
        mix.make("established", 1, OTHER, 90, source=THIRD, at=port)
    return {}


def device_asks(mix):
    mix.make("established", mix.part(), device="lo")
    mix.make("time-wait", mix.part(0.1, 0.3))
    mix.make("time-wait", mix.part(0.1, 0.2), device="lo")
    time.sleep(1.2)
    return {"device": "lo"}


def device_asks_plain_live(mix):
    mix.make("established", mix.part())
    mix.make("established", mix.part(0.1, 0.2), device="lo")
    return {"device": "lo"}


def device_waits(mix):
    mix.make("time-wait", mix.part(0.1, 0.4), device="lo")
    time.sleep(1.2)
    return {"device": "lo"}


def device_beside(mix):
    mix.make("established", mix.part(), device="lo")
    mix.make("time-wait", mix.part(0.1, 0.3))
    return {}


def listeners(mix):
    for port in mix.ports(100):
        mix.bind(mix.random.choice([HOST, THIRD, "0.0.0.0"]), port, listen=port % 2)
    mix.make("established", mix.part())
    return {}


def children(mix):
    for client in range(50):
        mix.make("established", 1, OTHER, 40500, source=HOST, at=20000 + client)
    mix.close_listeners(lambda key: key[1] == 40500)
    return {}


def children_of_many(mix):
    for port in mix.ports(300):
        mix.make("established", 1, OTHER, port, source=HOST, at=port - 20000)
    mix.close_listeners(lambda key: key[1] > 40000)
    return {}


def reserved(mix):
    mix.put("ip_local_port_range", f"{LOW} {HIGH - 1}")
    mix.put("ip_local_reserved_ports", "40100-40149")
    mix.make("established", mix.part())
    mix.make("time-wait", mix.part())
    return {}


def close_wait(mix):
    mix.make("close-wait", mix.part())
    mix.make("reset", mix.part(0.1, 0.2))
    return {}


def without_timestamps(mix):
    mix.put("tcp_tw_reuse", 1)
    mix.put("tcp_timestamps", 0)
    mix.make("time-wait", mix.part())
    mix.put("tcp_timestamps", 1)
    mix.make("time-wait", mix.part())
    time.sleep(1.2)
    return {}


def timestamps_turned_off(mix):
    mix.put("tcp_tw_reuse", 1)
    mix.make("time-wait", mix.part(0.3, 0.9))
    time.sleep(1.2)
    mix.put("tcp_timestamps", 0)
    return {}


def delay(mix):
    mix.put("tcp_tw_reuse", 1)
    mix.put("tcp_tw_reuse_delay", 20000)
    mix.make("time-wait", mix.part(0.3, 0.9))
    time.sleep(1.2)
    return {}


PARTS = [
    lambda mix, count: mix.make("time-wait", count),
    lambda mix, count: mix.make("established", count),
    lambda mix, count: mix.make("fin-wait-2", count),
    lambda mix, count: mix.make("close-wait", count),
    lambda mix, count: mix.make("time-wait", count, OTHER, 91, source=THIRD, first=True),
    lambda mix, count: mix.make("established", count, OTHER, 92, source=HOST, first=True),
    lambda mix, count: mix.make("time-wait", count, source=HOST, first=True),
    lambda mix, count: mix.make("time-wait", count, within=(40300, 41200)),
    lambda mix, count: mix.make("established", count, mapped=True),
    lambda mix, count: mix.make("established", count, late=True, source=THIRD),
    lambda mix, count: mix.make("established", count, device="lo"),
    lambda mix, count: mix.make("time-wait", count, OTHER, 99),
    lambda mix, count: mix.make("time-wait", count, HOST6, source=OTHER6, first=True),
]


def three_of_all(mix):
    mix.put("tcp_tw_reuse", mix.random.choice([0, 1, 2]))
    count = mix.part(0.1, 0.3)
    for part in mix.random.sample(PARTS, 3):
        part(mix, count)
    time.sleep(1.3)
    return {}


MIXES = {
    **{
        f"waits {where} reuse={reuse} {age}": waits(where, reuse, age)
        for where in ("elsewhere", "loopback")
        for reuse in (0, 1, 2)
        for age in ("old", "young", "mixed")
    },
    "waits, and is young for 20 s": delay,
    "waits, half without timestamps": without_timestamps,
    "waits, and timestamps are turned off": timestamps_turned_off,
    "first, one destination, the asker's source": first("established", 1, HOST, 2),
    "first, waiting, the asker's source": first("time-wait", 1, HOST, 1),
    "first, ten destinations, the asker's source": first("established", 10, HOST, 2),
    "first, waiting, ten destinations, the asker's source": first("time-wait", 10, HOST, 1),
    "first, waiting, any source": first("time-wait", 1, "", 1),
    "first, ten destinations, any source": first("established", 10, "", 2),
    "first, waiting, another source": first("time-wait", 1, THIRD, 1),
    "first, ten destinations, another source": first("established", 10, THIRD, 2),
    "first, two sources": first_of_two_sources,
    "first, with SO_REUSEADDR": first_reusing,
    "first, and gone": first_and_gone,
    "first, on ports of plain ones": first_on_ports_of_plain_ones,
    "first, IPv6": first_ipv6,
    "first, IPv4, asked by IPv6": first_ipv4_asked_by_ipv6,
    "bound only": bound,
    "bound without a port": late,
    "many sources": sources,
    "orphans": orphans,
    "v4-mapped": mapped,
    "v4-mapped asks": mapped_asks,
    "IPv6": ipv6,
    "IPv6 loopback": ipv6_loopback,
    "a range of its own": within,
    "ports of its own choice": explicit,
    "a device asks": device_asks,
    "a device asks beside plain ones": device_asks_plain_live,
    "a device asks, its own wait": device_waits,
    "beside a device": device_beside,
    "listeners and bound ones": listeners,
    "children of a listener that is gone": children,
    "children of 300 listeners that are gone": children_of_many,
    "an odd range with reserved ports": reserved,
    "close-wait and resets": close_wait,
    **{f"three of all, {seed}": three_of_all for seed in range(6)},
}
