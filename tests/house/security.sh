#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each claim of SECURITY.md names the test that holds it, and each test that it names is there.
set -u
export LC_ALL=C

srcdir=${TW_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
number=0

# Items of the list, each on one line.
claims() {
	awk '/^- / { if (item) print item; item = $0; next }
		/^  / && item { sub(/^ +/, " "); item = item $0; next }
		item { print item; item = "" }
		END { if (item) print item }' "$1"
}

unproven() { claims "$1" | grep -v '`tests/'; }

# "tests/file: name", or "tests/file" alone.
named_tests() { tr '\n' ' ' <"$1" | grep -o '`tests/[^`]*`' | tr -d '`' | tr -s ' ' | sort -u; }

# A name that is the beginning of another is not that one.
absent() {
	local file name
	named_tests "$1" | while IFS=: read -r file name; do
		name=${name# }
		if [ ! -f "$2/$file" ]; then
			echo "$file is not there"
		elif [ -n "$name" ] && ! grep -Eq "^(static void|def) $name\(" "$2/$file"; then
			echo "$file has no $name"
		fi
	done
}

ok() { echo "ok $((++number)) - $1"; }

# A check finds nothing.
holds() {
	local found
	found=$("${@:2}")
	if [ -z "$found" ]; then
		ok "$1"
	else
		echo "not ok $((++number)) - $1"
		sed 's/^/# /' <<<"$found"
	fi
}

# A check finds just this.
finds() {
	local found
	found=$("${@:3}")
	if [ "$found" = "$2" ]; then
		ok "$1"
	else
		printf 'not ok %d - %s\n# expected: %s\n' $((++number)) "$1" "$2"
		sed 's/^/# /' <<<"$found"
	fi
}

bad=$(mktemp -d) || exit 99
trap 'rm -rf "$bad"' EXIT
mkdir "$bad/tests"
printf 'def test_a(x):\n' >"$bad/tests/a.py"
printf -- '- One. (`tests/a.py: test_a`,\n  `tests/a.py: test`)\n- Two\n  lines.\n\nText.\n- Three. (`tests/b.c`)\n' >"$bad/S.md"

echo 1..5
finds "a claim without a test is found" '- Two lines.' unproven "$bad/S.md"
finds "a test that is not there is found" $'tests/a.py has no test\ntests/b.c is not there' absent "$bad/S.md" "$bad"
holds "each claim names a test" unproven "$srcdir/SECURITY.md"
holds "each test that is named is there" absent "$srcdir/SECURITY.md" "$srcdir"
if [ "$(named_tests "$srcdir/SECURITY.md" | wc -l)" -ge 40 ]; then
	ok "the tests are found in the text"
else
	echo "not ok $((++number)) - the tests are found in the text"
fi
