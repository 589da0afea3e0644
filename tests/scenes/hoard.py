#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Binds every port of the local range and connects none, in as many processes as the limit of descriptors asks for. A service
of type "notify": it is ready when they are bound.
"""

import contextlib
import os
import pathlib
import resource
import signal
import socket

LOW, HIGH = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
share = most - 100
bound, binding = os.pipe()
for first in range(LOW, HIGH + 1, share):
    if os.fork() == 0:
        os.close(bound)
        held = []
        for port in range(first, min(first + share, HIGH + 1)):
            one = socket.socket()
            with contextlib.suppress(OSError):  # somebody else's already
                one.bind(("", port))
            held.append(one)
        os.close(binding)
        signal.pause()
os.close(binding)
os.read(bound, 1)  # its end, when the last one has closed it
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
signal.pause()
