# SPDX-License-Identifier: GPL-2.0-or-later
"""What this machine cannot do of what tests need, by tests/able: asked once, or handed over by `./dev` in $TW_UNABLE."""

import functools
import os
import pathlib
import subprocess

_ABLE = pathlib.Path(__file__).resolve().parents[1] / "able"
# What it takes to make network namespaces with programs in them.
NAMESPACES = ("namespaces", "mounts")


@functools.cache
def _unable():
    said = os.environ.get("TW_UNABLE")
    if said is None:
        said = subprocess.run([_ABLE], stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
    return dict(line.split(": ", 1) for line in said.splitlines())


def why_not(*needs):
    """Why one of these cannot be; None where all can."""
    return next((f"no {need} here: {_unable()[need]}" for need in needs if need in _unable()), None)
