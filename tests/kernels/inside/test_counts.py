# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted is what `ss` counts, and what the kernel tells by either of its two requests."""

import collections
import socket
import struct

import pytest

from namespaces import Pair, wait_until
from programs import Churn, once, start_sink
from states import SS_STATES, Zoo, count_by_ss, expected, wait_for_states

_SOCK_DIAG, _TCPDIAG_GETSOCK, _SOCK_DIAG_BY_FAMILY = 4, 18, 20
_REQUEST_DUMP, _ERROR, _DONE = 0x301, 2, 3
# What both requests can ask for: no bound sockets, which only the newer kernels tell of.
_ALL_STATES = 0xFFF


def dump(namespace, request_type, body):
    """Rows by family and state of one request; fails when its answer ends with an error."""
    rows = collections.Counter()
    with namespace.entered():
        asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
    with asking:
        asking.settimeout(60)
        asking.send(struct.pack("=IHHII", 16 + len(body), request_type, _REQUEST_DUMP, 1, 0) + body)
        for _ in range(1000):  # datagrams of many rows each
            datagram = asking.recv(65536)
            while datagram:
                length, kind = struct.unpack_from("=IH", datagram)
                if kind in (_ERROR, _DONE):
                    (status,) = struct.unpack_from("=i", datagram, 16)
                    assert (kind, status) == (_DONE, 0)
                    return rows
                rows[struct.unpack_from("=BB", datagram, 16)] += 1
                datagram = datagram[(length + 3) // 4 * 4 :]
    raise AssertionError("a dump without an end")


def dump_both(namespace):
    # struct inet_diag_req: family, lengths of addresses, extensions, 48 bytes of id, states, dbs.
    return dump(namespace, _TCPDIAG_GETSOCK, struct.pack("=BBBB48xII", socket.AF_UNSPEC, 0, 0, 0, _ALL_STATES, 0))


def dump_family(namespace, family):
    # struct inet_diag_req_v2: family, protocol, extensions, padding, states, 48 bytes of id.
    body = struct.pack("=BBBBI48x", family, socket.IPPROTO_TCP, 0, 0, _ALL_STATES)
    return dump(namespace, _SOCK_DIAG_BY_FAMILY, body)


@pytest.fixture
def crowd(near, pair):
    """Sockets of both families in every state, and so many in TIME-WAIT that a dump takes several datagrams."""
    numbers = {state: number for number, state in enumerate([*SS_STATES.values(), "bound", "orphan"], start=2)}
    made = [Zoo(pair, addresses, numbers, 7000 + 100 * i) for i, addresses in enumerate((Zoo.V4, Zoo.V6))]
    wait_for_states(near, expected(numbers, numbers))
    for address in (Pair.FAR, Pair.FAR6):
        start_sink(pair.far, address, 8080)
        assert Churn(near, address, 8080, 200, 3).finish()[1]["failed"] == 0
    yield near
    for zoo in made:
        zoo.close()


def at_rest(namespace, look):
    """What look() says, and what `ss` counts, before it and after."""

    def settled():
        counts, seen = count_by_ss(namespace), look()
        return count_by_ss(namespace) == counts and (seen, counts)

    return wait_until(settled, lambda: f"it never rests: {count_by_ss(namespace)}")


def test_as_ss_counts(crowd):
    page, counts = at_rest(crowd, lambda: once(crowd))
    assert counts["time-wait"] > 1000
    assert {state: page["states"][state] for state in counts} == counts
    assert page["partial"] is False


def test_one_request_tells_what_two_do(crowd):
    def look():
        return dump_both(crowd), dump_family(crowd, socket.AF_INET) + dump_family(crowd, socket.AF_INET6)

    (both, each), counts = at_rest(crowd, look)
    assert both == each
    assert sum(both.values()) == sum(counts.values())
    assert {family for family, _ in both} == {socket.AF_INET, socket.AF_INET6}
