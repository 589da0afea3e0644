#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether the fuzz corpus of netlink has each kind of answer that the kernel gives.
set -u
srcdir=${TW_SRCDIR:?}

command -v python3 >/dev/null || { echo "1..0 # SKIP there is no python3"; exit 0; }
exec python3 "$srcdir/tests/fuzz/record.py" --check "$srcdir/tests/fuzz/corpus/diag"
