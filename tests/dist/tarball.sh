#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a distribution gets: makes the tarball in a configured build directory, and looks whether all is in it, whether it
# makes itself again byte for byte, and whether it builds, installs and tests itself. BUILD_DIRECTORY
set -u
cd "$(dirname "$0")/../.." || exit 99
build=$(realpath "$1") || exit 99
work=$build/unpacked
passed=0 failed=0 skipped=0

# A line about each; what it said comes before. NAME COMMAND...
result() {
	local began=$SECONDS
	if "${@:2}"; then
		echo "$1: ok ($((SECONDS - began)) s)"
		passed=$((passed + 1))
	else
		echo "$1: FAILED ($((SECONDS - began)) s)"
		failed=$((failed + 1))
		return 1
	fi
}

make_tarball() {
	rm -f "$build"/*.tar.xz
	make -C "$build" dist && tarball=$(echo "$build"/*.tar.xz) && [ -e "$tarball" ]
}

unpack() {
	chmod -Rf u+w "$work"
	rm -rf "$work"
	mkdir "$work" && tar -C "$work" -xf "$tarball" && source=$work/$(basename "$tarball" .tar.xz)
}

# All that is kept in git is in it, but for what speaks to git alone.
is_complete() {
	local left_out
	left_out=$(comm -23 <(git ls-files | grep -vx .gitignore | sort) \
		<(tar -tf "$tarball" | cut -d / -f 2- | sort))
	[ -z "$left_out" ] || { printf 'not in the tarball:\n%s\n' "$left_out"; return 1; }
}

# And nothing beside that but what autoreconf makes.
has_no_more() {
	local more
	more=$(comm -13 <(git ls-files | sort) <(tar -tf "$tarball" | cut -d / -f 2- | grep -v '/$' | grep . | sort) |
		grep -vxE 'build-aux/.*|aclocal.m4|config.h.in|configure|Makefile.in')
	[ -z "$more" ] || { printf 'not kept in git:\n%s\n' "$more"; return 1; }
}

# Out of the tarball, in another directory and zone and by someone whose files nobody else may read.
makes_itself_again() {
	mkdir "$work/again" || return
	(umask 077 && cd "$work/again" && export TZ=Asia/Tokyo &&
		"$source/configure" --quiet --prefix=/opt && make dist) &&
		cmp "$tarball" "$work/again/${tarball##*/}"
}

# The source is read-only there, and root is stopped by that no more than by a door that is ajar: so without the right.
# What looks at the source is run in the tarball's own test.
distcheck() {
	local plain=()
	[ "$(id -u)" != 0 ] || plain=(setpriv --bounding-set=-dac_override --inh-caps=-dac_override)
	"${plain[@]}" make -C "$build" -j "$(nproc)" distcheck \
		TESTS="\$(compiled_tests)"
}

# The daemon alone: of the libraries those three are found, and what it installs is nothing of the other two programs'.
builds_alone() {
	local installed
	mkdir "$work/alone" "$work/alone/bin" || return
	cat >"$work/alone/bin/pkg-config" <<-'EOF'
		#!/bin/sh
		case "$*" in *jansson* | *ncurses* | *microhttpd*) exit 1 ;; esac
		exec /usr/bin/pkg-config "$@"
	EOF
	chmod +x "$work/alone/bin/pkg-config"
	(cd "$work/alone" && "$source/configure" --quiet --prefix=/opt --disable-ctl --disable-exporter \
		--with-systemdsystemunitdir=/opt/units --with-catalogdir=/opt/catalog --with-sysusersdir=/opt/users \
		--with-dbuspolicydir=/opt/bus --with-bashcompletiondir=/opt/completions \
		PKG_CONFIG="$work/alone/bin/pkg-config" && make -s -j "$(nproc)" && make -s check &&
		make -s DESTDIR="$work/alone/root" install) || return
	installed=$(find "$work/alone/root" -type f | sed 's|.*/||' | grep -E 'timewaitctl|exporter|grafana')
	[ -z "$installed" ] || { printf 'installed all the same:\n%s\n' "$installed"; return 1; }
	"$work/alone/root/opt/sbin/timewaitd" --check --config="$work/alone/root/opt/etc/timewaitd/timewaitd.conf" &&
		! ldd "$work/alone/root/opt/sbin/timewaitd" | grep -E 'jansson|ncurses|microhttpd'
}

# Its own ./dev, far from any checkout.
tests_itself() {
	local log=$build/own.log counted left_out
	env -C "$source" -u TW_BUILDDIR -u TW_SRCDIR ./dev test house unit >"$log" 2>&1
	cat "$log"
	counted=$(tail -n 1 "$log" | grep -E '^[0-9]+ passed, 0 failed, [0-9]+ skipped$') || return
	read -r counted _ _ _ left_out _ <<<"$counted"
	passed=$((passed + counted)) skipped=$((skipped + left_out))
}

result "tarball" make_tarball && unpack || exit
if [ -e .git ] && git ls-files >/dev/null 2>&1; then
	result "tarball holds all" is_complete
	result "tarball holds no more" has_no_more
else
	echo "tarball holds all: SKIP (no checkout of git's)"
	skipped=2
fi
result "tarball makes itself again" makes_itself_again
result "the daemon builds alone" builds_alone
result "distcheck" distcheck
result "tarball tests itself" tests_itself
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
