#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a test program, by way of a checker where one is given, with a directory for temporary files that has to be empty
# behind it. cmocka says "not ok" of a test that was skipped, and automake takes that for a failure. $TW_AWAKE is a
# command that gives it the usual priority. COMMAND...
# shellcheck disable=SC2086
place=$(mktemp -d) || exit
trap 'rm -rf "$place"' EXIT
TMPDIR=$place ${TW_AWAKE-} "$@" | sed -u 's/^not ok \([0-9]* # SKIP\)/ok \1/'
status=${PIPESTATUS[0]}
rmdir "$place" 2>/dev/null || { echo "# left behind: $(find "$place" -mindepth 1 | xargs)" && exit 1; }
exit "$status"
