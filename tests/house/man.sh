#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timewaitd.conf(5) has exactly the keys that the program knows, and the manuals are sound mdoc.
set -u
export LC_ALL=C

srcdir=${TW_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${TW_BUILDDIR:-$PWD}
number=0

# "daemon mode": a line for each item of the three sections' lists.
keys_of_manual() {
	awk '/^\.Sh / { section = "" }
		/^\.Sh .*\[daemon\]/ { section = "daemon" }
		/^\.Sh .*\[destroy\]/ { section = "destroy" }
		/^\.Sh .*\[rule/ { section = "rule" }
		section && $1 == ".It" && $2 == "Cm" { print section, $3 }' "$1" | sort
}

difference() {
	diff <(keys_of_manual "$1") <("$builddir/tests/tools/list-keys" | sort) |
		sed -n 's/^< /only in the manual: /p; s/^> /only in the program: /p'
}

# mandoc's complaints, but for pages that are not installed here and words that the build fills in.
complaints() {
	local page
	for page in "$srcdir"/man/*.in; do
		sed 's/@[A-Za-z]*@/x/g' "$page" | mandoc -T lint -W warning 2>&1 | sed "s|^|${page##*/} |"
	done
}

verdict() {
	echo "$2 $((++number)) - $1"
	[ -z "${3-}" ] || sed 's/^/# /' <<<"$3"
}

holds() {
	local found
	found=$("${@:2}")
	if [ -z "$found" ]; then verdict "$1" ok; else verdict "$1" "not ok" "$found"; fi
}

echo 1..3
page=$srcdir/man/timewaitd.conf.5.in
bad=$(mktemp) || exit 99
trap 'rm -f "$bad"' EXIT
sed 's/^\.It Cm mode$/.It Cm mood/' "$page" >"$bad"
if [ "$(difference "$bad")" = $'only in the program: daemon mode\nonly in the manual: daemon mood' ] ||
	[ "$(difference "$bad")" = $'only in the manual: daemon mood\nonly in the program: daemon mode' ]; then
	verdict "a key that is misspelt in the manual is found" ok
else
	verdict "a key that is misspelt in the manual is found" "not ok" "$(difference "$bad")"
fi
holds "the manual has the keys that the program knows" difference "$page"
if command -v mandoc >/dev/null; then
	holds "mandoc finds nothing to complain about" complaints
else
	echo "ok $((++number)) # SKIP mandoc finds nothing to complain about: there is no mandoc"
fi
