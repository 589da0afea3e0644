#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every MESSAGE_ID of the program has its explanation in the journal's message catalog, and systemd takes the catalog.
# journalctl answers 0 to a broken catalog too, so what it has made of it is looked at. The checks are first shown a
# broken one.
set -u
export LC_ALL=C

srcdir=${TW_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
messages=$srcdir/src/tell/message.c
catalog=$srcdir/systemd/timewaitd.catalog
number=0

ids_of_program() { sed -n 's/^\t\[TW_EVENT_[A-Z_]*\] = { "\([^"]*\)".*/\1/p' "$1"; }
ids_of_catalog() { sed -n 's/^-- //p' "$1"; }

wrong_ids() {
	ids_of_program "$1" | grep -vE '^[0-9a-f]{32}$' | sed 's/$/ is no MESSAGE_ID/'
	ids_of_program "$1" | sort | uniq -d | sed 's/$/ belongs to two events/'
}

difference() {
	diff <(ids_of_program "$1" | sort) <(ids_of_catalog "$2" | sort) |
		sed -n 's/^< \(.*\)/\1 has no explanation/p; s/^> \(.*\)/\1 is explained, but no event has it/p'
}

# An entry without a subject, without its author and manual, without a text, or wider than a terminal.
poor_entries() {
	awk '
		function judge() {
			if (id == "") return
			if (!subject) print id " has no Subject"
			if (!author) print id " has no Defined-By"
			if (!manual) print id " has no Documentation"
			if (text < 2) print id " explains nothing"
		}
		/^-- / { judge(); id = $2; subject = author = manual = text = body = 0; next }
		id == "" { next }
		!body && /^Subject: ./ { subject = 1 }
		!body && /^Defined-By: timewaitd$/ { author = 1 }
		!body && /^Documentation: man:/ { manual = 1 }
		/^$/ { body = 1 }
		body && NF { text++ }
		length > 90 { print id " has a line of " length " bytes" }
		END { judge() }' "$1"
}

# @NAME@ is filled in from the record: only names that records have.
unknown_fields() {
	local known
	known=$(grep -oh '"TIMEWAITD_[A-Z_]*"' "$srcdir"/src/tell/*.c | tr -d '"' | sort -u)
	grep -o '@[A-Z_]*@' "$1" | tr -d @ | sort -u | grep -vxF -- "$known" | sed 's/$/ is no field/'
}

# A metric for which the explanation of "raised" has no paragraph: "NAME, NAME: ...".
unexplained_metrics() {
	local raised name
	raised=$(sed -n 's/^\t\[TW_EVENT_RAISED\] = { "\([^"]*\)".*/\1/p' "$messages")
	sed -n 's/^[[:space:]]*\(STATE\|RATE\)([A-Z_0-9]*, "\([a-z0-9-]*\)".*/\2/p
		s/^[[:space:]]*\[TW_METRIC_[A-Z_()]*\] = { "\([a-z0-9-]*\)",.*/\1/p' "$srcdir/src/model/metric.c" | while read -r name; do
		sed -n "/^-- $raised/,/^-- /{/^-- $raised/p; /^-- /!p}" "$1" |
			grep -qE "^([a-z0-9-]+, )*$name(, [a-z0-9-]+)*: " || echo "$name is not explained"
	done
}

# Compiles the catalog below a root of its own and compares what journalctl finds in it with what was written.
not_taken() {
	local root=$1
	mkdir -p "$root/usr/lib/systemd/catalog" "$root/var/lib/systemd/catalog"
	cp "$2" "$root/usr/lib/systemd/catalog/timewaitd.catalog"
	journalctl --root="$root" --update-catalog 2>&1
	diff <(ids_of_catalog "$2" | sort) \
		<(journalctl --root="$root" --dump-catalog 2>/dev/null | ids_of_catalog /dev/stdin | sort) |
		sed -n 's/^< \(.*\)/\1 was not taken by journalctl/p'
}

ok() { echo "ok $((++number)) - $1"; }
not_ok() { echo "not ok $((++number)) - $1"; }

# Nothing found is well.
holds() {
	local found
	found=$("${@:2}")
	if [ -z "$found" ]; then
		ok "$1"
	else
		not_ok "$1"
		sed 's/^/# /' <<<"$found"
	fi
}

finds() {
	local found
	found=$("${@:3}")
	if grep -q -- "$2" <<<"$found"; then
		ok "$1"
	else
		not_ok "$1"
		printf '# expected %s, found:\n' "$2"
		sed 's/^/# /' <<<"$found"
	fi
}

have_journalctl() { command -v journalctl >/dev/null && journalctl --help | grep -q -- --update-catalog; }

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
sed '0,/^-- /s/^-- \(.\)/-- 0/; 0,/^Subject/{/^Subject/d}
	0,/@TIMEWAITD_/s/@TIMEWAITD_/@TIMEWAITX_/; s/^port-eta: /port: /' \
	"$catalog" >"$work/bad.catalog" || exit 99
sed '0,/{ "\([0-9a-f]*\)"/s//{ "0"/' "$messages" >"$work/bad.c" || exit 99

echo 1..12
finds "a MESSAGE_ID that is none is found" '^0 is no MESSAGE_ID' wrong_ids "$work/bad.c"
finds "an event without explanation is found" 'has no explanation' difference "$messages" "$work/bad.catalog"
finds "an entry without subject is found" 'has no Subject' poor_entries "$work/bad.catalog"
finds "a field that records do not have is found" 'TIMEWAITX_[A-Z]* is no field' unknown_fields "$work/bad.catalog"
finds "a metric without explanation is found" '^port-eta is not explained' unexplained_metrics "$work/bad.catalog"
holds "every event has a MESSAGE_ID of its own" wrong_ids "$messages"
holds "the catalog explains each MESSAGE_ID and no other" difference "$messages" "$catalog"
holds "every entry has its parts" poor_entries "$catalog"
holds "the catalog names fields that records have" unknown_fields "$catalog"
holds "every metric is explained where it is raised" unexplained_metrics "$catalog"
if have_journalctl; then
	sed '0,/^-- /s/^-- .*/-- nonsense/' "$catalog" >"$work/broken.catalog"
	finds "a catalog that journalctl does not take is found" 'nonsense' not_taken "$work/broken" "$work/broken.catalog"
	holds "journalctl takes the catalog whole" not_taken "$work/root" "$catalog"
else
	echo "ok $((++number)) # SKIP a catalog that journalctl does not take is found: there is no journalctl"
	echo "ok $((++number)) # SKIP journalctl takes the catalog whole: there is no journalctl"
fi
