# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon from which the processes of others are hidden."""

from buses import NOBODY

# As the service without the drop-in: a user's, to whom /proc shows no process of others (ProtectProc=invisible).
HIDDEN = f"mount -t proc -o hidepid=2 none /proc; chown -R 65534 '{{state}}'; set -- {' '.join(NOBODY)} \"$@\""


def let_in(directory):
    """Anybody may go there."""
    for place in (directory, *directory.parents):
        if place.stat().st_mode & 0o005 != 0o005:
            place.chmod(0o755)
