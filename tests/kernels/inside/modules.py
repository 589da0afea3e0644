# SPDX-License-Identifier: GPL-2.0-or-later
"""Loads and unloads the kernel's modules of sock_diag. As a program: loads those named."""

import ctypes
import os
import pathlib
import sys

_libc = ctypes.CDLL(None, use_errno=True)
_FINIT_MODULE, _DELETE_MODULE = 313, 176  # of x86-64
FOLDER = pathlib.Path(os.environ["TW_MODULES"])


def _call(number, name, *arguments):
    if _libc.syscall(number, *arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)


def load(name):
    with open(FOLDER / f"{name}.ko", "rb") as file:
        _call(_FINIT_MODULE, name, file.fileno(), b"", 0)


def unload(name):
    _call(_DELETE_MODULE, name, name.encode(), os.O_NONBLOCK)


def loaded(name):
    return os.path.exists(f"/sys/module/{name}")


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        if not loaded(wanted):
            load(wanted)
