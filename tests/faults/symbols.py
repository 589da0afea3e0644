# SPDX-License-Identifier: GPL-2.0-or-later
"""Names for the places that inject.c saw, and what programs and libraries import."""

import bisect
import functools
import re
import subprocess

from programs import TIMEWAITD


def _run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


@functools.cache
def libraries():
    """The libraries of timewaitd: their files by name."""
    found = re.findall(r"(\S+) => (/\S+)", _run("ldd", TIMEWAITD))
    return {path.rsplit("/", 1)[1]: path for _, path in found}


def imports(path):
    """The functions that a program or library takes from elsewhere."""
    return {line.split()[1].split("@")[0] for line in _run("nm", "-D", "--undefined-only", path).splitlines()}


def functions(path):
    """The functions that a library offers."""
    rows = [line.split() for line in _run("nm", "-D", "--defined-only", path).splitlines()]
    return {row[-1].split("@")[0] for row in rows if row[-2] in "TtWi"}


@functools.cache
def _exports(module):
    """The functions that a library offers: (begin, end, name), by begin."""
    text = _run("nm", "-DS", "--defined-only", libraries()[module]) if module in libraries() else ""
    rows = [line.split() for line in text.splitlines()]
    functions = [row for row in rows if len(row) == 4 and row[2] in "TtWi"]
    return sorted((int(at, 16), int(at, 16) + int(size, 16), name.split("@")[0]) for at, size, _, name in functions)


def _exported(module, offset):
    """What is not exported has no name."""
    rows = _exports(module)
    at = bisect.bisect_right(rows, (offset, 1 << 64, "")) - 1
    return rows[at][2] if at >= 0 and rows[at][0] <= offset < rows[at][1] else module.split(".")[0]


def _own_names(points):
    """The functions of timewaitd at these offsets, inlined ones first."""
    offsets = {_offset(frame) for point in points for frame in point.frames if frame.startswith("timewaitd+")}
    text = _run("addr2line", "-afie", TIMEWAITD, input="".join(f"{offset:#x}\n" for offset in sorted(offsets)))
    names = {}
    for line in text.splitlines():
        if line.startswith("0x"):
            names[int(line, 16)] = current = []
        elif re.fullmatch(r"\w+(\.\w+)*", line):
            current.append(line)
    return names


def _offset(frame):
    """Of the call: the return address stands behind it."""
    return int(frame.split("+")[1], 16) - 1


def _chain(point, own_names):
    for frame in point.frames:
        module = frame.split("+")[0]
        if module == "timewaitd":
            yield from own_names[_offset(frame)]
        elif not module.startswith(("libc.", "ld-")):
            yield _exported(module, _offset(frame))


def chains(points):
    """The functions that each point came from, innermost first, in one string."""
    own_names = _own_names(points)
    return {point: " ".join(_chain(point, own_names)) for point in points}
