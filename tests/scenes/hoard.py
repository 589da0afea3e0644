#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Binds every port of the local range and connects none, in as many processes as the limit of descriptors asks for."""

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
for first in range(LOW, HIGH + 1, share):
    if os.fork() == 0:
        held = []
        for port in range(first, min(first + share, HIGH + 1)):
            one = socket.socket()
            with contextlib.suppress(OSError):  # somebody else's already
                one.bind(("", port))
            held.append(one)
        signal.pause()
signal.pause()
