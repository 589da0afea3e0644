#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules of HACKING.md that a machine can hold: who includes whom, what pure objects may need, how long things get.
# Reads the sources in $TW_SRCDIR and the objects in $TW_BUILDDIR. Each check is first shown a house with a hole in it.
set -u
export LC_ALL=C

srcdir=${TW_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${TW_BUILDDIR:-$PWD}
measure='measure measure/diag measure/proc'
wings="base model config $measure decide act tell watch daemon"
# What the annexes have for roofs: argv, and in ctl a file for each verb.
exporter_roof='main options'
ctl_roof='main options explain/explain lint/lint live/bus-verbs
live/status live/top past/history report/report simulate/simulate'
edge='-(source|sink|store|load)$'
# What of a watch enters namespaces, opens the ledger and counts on a thread of its own; its other files are pure.
watch_edges='discovery recover worker'
number=0

# Which folders a file of this folder may include. A folder that has no line here may include nothing, itself not either.
allowed() {
	local house="base model config $measure decide act tell"
	case $1 in
	base) echo base ;;
	model) echo model base ;;
	measure) echo "$measure" model base ;;
	measure/* | decide | act | tell | config) echo "$1" model base ;;
	watch) echo "watch $house" ;;
	daemon) echo "$wings" ;;
	ctl) echo ctl "$house" ;;
	ctl/explain | ctl/lint | ctl/past) echo "$1" ctl "$house" ;;
	ctl/live) echo "$1" remote ctl "$house" ;;
	remote) echo remote "$house" ;;
	exporter) echo exporter remote "$house" ;;
	ctl/report | ctl/simulate) echo "$1" ctl/past ctl "$house" ;;
	esac
}

# The folders below src/ that have sources in them: "act", "ctl", "ctl/lint".
folders() {
	find "$1/src" -name '*.[ch]' -printf '%P\n' | sed 's|/[^/]*$||' | sort -u
}

# Those whose files are pure unless their names say otherwise: all but the roof.
pure_folders() { folders "$1" | grep -vx daemon; }

# The name of an object without what automake puts in front where the library has flags of its own.
prefix_of() { echo "libtw_${1%%/*}_a-"; }

# Included are this project's files by path below src/, and config.h, which belongs to the build.
crossing_includes() {
	local folder file path
	for folder in $(folders "$1"); do
		for file in "$1/src/$folder"/*.[ch]; do
			[ -e "$file" ] || continue
			sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" |
				while read -r path; do
					[ "$path" != config.h ] || continue
					case " $(allowed "$folder") " in
					*" ${path%/*} "*) ;;
					*) echo "${file#"$1/"} includes $path" ;;
					esac
					# An annexe may look and compute. To act and to tell is the daemon's alone.
					if [[ ${folder%%/*} =~ ^(ctl|exporter|remote)$ && $path =~ ^(act|decide|tell)/ && ${path%.h} =~ $edge ]]; then
						echo "${file#"$1/"} includes the edge $path"
					fi
					case /$path/ in
					*/../* | */./*) echo "${file#"$1/"} climbs to $path" ;;
					esac
				done
		done
	done
}

# Whether a source, by its folder and name, touches the world by right.
is_edge() {
	local path=$1/$2
	[[ $2 =~ $edge ]] ||
		{ [[ $path = watch/* ]] && [[ " $watch_edges " = *" ${path#watch/} "* ]]; } ||
		{ [[ $path = ctl/* ]] && [[ " ${ctl_roof//$'\n'/ } " = *" ${path#ctl/} "* ]]; } ||
		{ [[ $path = exporter/* ]] && [[ " $exporter_roof " = *" ${path#exporter/} "* ]]; }
}

# Symbols by which an object reaches the world. Fortified and 64-bit variants are folded into the plain name first.
worldly='
open openat creat close read readv pread preadv write writev pwrite pwritev lseek fcntl ioctl dup dup2 pipe poll ppoll
select epoll_create1 epoll_ctl epoll_wait stat fstat lstat fstatat access faccessat readlink rename renameat unlink
unlinkat mkdir rmdir ftruncate fsync fdatasync flock opendir fdopendir readdir scandir chdir mmap munmap
socket bind connect listen accept accept4 recv recvfrom recvmsg send sendto sendmsg setsockopt getsockopt setns unshare
clock_gettime clock_getres clock_nanosleep nanosleep usleep sleep time gettimeofday ftime clock times getrusage
timerfd_create timer_create getrandom getentropy rand random srand
printf vprintf fprintf vfprintf dprintf vdprintf puts putchar putc fputs fputc fwrite perror psignal stdout stderr stdin
fopen fdopen freopen fclose fflush fread fgets fgetc getc getchar getline getdelim scanf fscanf setvbuf
syslog vsyslog openlog getenv secure_getenv setenv putenv system popen fork vfork execve execv execvp posix_spawn waitpid
kill raise signal sigaction exit _exit _Exit uname sysconf gethostname getpid gettid syscall pthread_create'

worldly_symbols() {
	nm -u -- "$1" | awk -v list="$worldly" '
		BEGIN { n = split(list, names); for (i = 1; i <= n; i++) bad[names[i]] = 1 }
		NF == 2 {
			name = $2
			sub(/@.*/, "", name)
			if (name ~ /^__.*_chk$/) { sub(/^__/, "", name); sub(/_chk$/, "", name) }
			sub(/^__isoc[0-9]*_/, "", name)
			sub(/64(_2)?$/, "", name)
			if (name in bad || name ~ /^(sd|mnl)_/) print name
		}'
}

# The story of HACKING.md: `FILE` `FUNCTION()`, the file below src/.
story_gaps() {
	grep -o '`[a-z/-]*\.c`[[:space:]]*`[a-z_]*()`' <(tr '\n' ' ' <"$1/HACKING.md" | sed 's/  */ /g') |
		sed 's/[`()]//g' | while read -r file function; do
		grep -qE "^[a-z].*[ *]$function\\(" "$1/src/$file" 2>/dev/null || echo "$file has no $function()"
	done
}

# Prints "OBJECT NAME" of each pure one.
pure_objects() {
	local folder object name
	for folder in $(cd "$1/src" && find . -name '*.o' -printf '%P\n' | sed 's|/[^/]*$||' | sort -u | grep -vx daemon); do
		for object in "$1/src/$folder"/*.o; do
			name=${object##*/}
			name=${name%.o}
			name=${name#"$(prefix_of "$folder")"}
			is_edge "$folder" "$name" || echo "$object src/$folder/$name"
		done
	done
}

impure_objects() {
	local object name symbol
	pure_objects "$1" | while read -r object name; do
		worldly_symbols "$object" | while read -r symbol; do
			echo "$name.c is no edge, but needs $symbol"
		done
	done
}

# A pure source that no object was made of has not been looked at.
unseen_sources() {
	local folder file name
	for folder in $(pure_folders "$1"); do
		for file in "$1/src/$folder"/*.c; do
			[ -e "$file" ] || continue
			name=${file##*/}
			name=${name%.c}
			is_edge "$folder" "$name" || [ -e "$2/src/$folder/$name.o" ] ||
				[ -e "$2/src/$folder/$(prefix_of "$folder")$name.o" ] || echo "src/$folder/$name.c has no object"
		done
	done
}

# Tests are tables for a good part, and may be a little longer.
long_files() {
	(cd "$1" && find src tests -name '*.[ch]' -o -name '*.py' -o -name '*.sh' | sort | xargs -r wc -l) |
		awk '$2 != "total" {
			most = $2 ~ /^src/ ? 400 : 500
			if ($1 > most) print $2 " has " $1 " lines, more than " most
		}'
}

long_functions() {
	(cd "$1" && find src -name '*.[ch]' | sort |
		xargs -r ctags -o - --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne) |
		awk -F '\t' '{
			start = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) start = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			if (end - start + 1 > 80) print $2 ": " $1 "() has " end - start + 1 " lines, more than 80"
		}'
}

# What runs with CAP_NET_ADMIN is read before it is trusted; what comes new pays by cutting.
heavy() {
	local sources lines files
	sources=$(cd "$1/src" && find . -name '*.[ch]' -printf '%P\n' | grep -E "$2")
	lines=$(cd "$1/src" && xargs -r cat <<<"$sources" | wc -l)
	files=$(grep -c . <<<"$sources")
	[ "$lines" -le "$3" ] || echo "$lines lines, more than $3"
	[ "$files" -le "$4" ] || echo "$files files, more than $4"
}
with_capability='^(base|model|config|measure|decide|act|tell|watch|daemon)/'

# Files that need each other can only be read together. Prints each ring.
circles() {
	local objects
	mapfile -t objects < <(cd "$1" && find src -name '*.o' | grep -E "^src/${with_capability#^}" | sort)
	cd "$1" && {
		nm -A --defined-only -- "${objects[@]}" | sed -n 's/^\([^:]*\):[0-9a-f]* [TDBRCVW] \(.*\)$/D \2 \1/p'
		nm -A -u -- "${objects[@]}" | sed -n 's/^\([^:]*\): *U \(.*\)$/U \2 \1/p'
	} | awk '
		$1 == "D" { where[$2] = $3 }
		$1 == "U" { wants[++n] = $2; who[n] = $3 }
		END { for (i = 1; i <= n; i++) if (wants[i] in where && where[wants[i]] != who[i]) print who[i], where[wants[i]] }' |
		tsort 2>&1 >/dev/null | sed -n 's/^tsort: \(src.*\)/\1/p'
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

# The check finds what was put there for it to find, and not more than so many lines.
finds() {
	local found want
	found=$("${@:4}")
	want=$2
	if [ "$(grep -c . <<<"$found")" = "$3" ] && grep -q "$want" <<<"$found"; then
		ok "$1"
	else
		not_ok "$1"
		printf '# expected %s, found:\n' "$want"
		sed 's/^/# /' <<<"$found"
	fi
}

# A house with a hole in each wall, and beside each hole something that looks like one and is none.
build_bad_house() {
	local i
	mkdir -p "$1/src/measure/diag" "$1/src/base" "$1/src/ctl/"{explain,lint,attic} "$1/src/daemon" "$1/src/watch" "$1/tests"
	printf '#include "act/reconcile.h"\n#include "../act/reconcile.h"\n#include "model/flow.h"\n#include "config.h"\n' \
		>"$1/src/measure/bad.c"
	printf '#include "tell/record.h"\n#include "measure/kernel-source.h"\n#include "daemon/once.h"\n%s\n' \
		'#include "tell/record-sink.h"' >"$1/src/ctl/explain/explain.c"
	printf '#include "ctl/%s"\n' page.h lint/lint.h past/past.h >"$1/src/ctl/lint/lint.c"
	printf '#include "ctl/lint/lint.h"\n' >"$1/src/ctl/main.c"
	printf '#include "base/text.h"\n' >"$1/src/ctl/attic/attic.h"
	printf '#include "model/flow.h"\n#include "measure/survey.h"\n' >"$1/src/measure/diag/diag.h"
	printf '#include "ctl/page.h"\n' >"$1/src/daemon/page.c"
	printf '#include "daemon/loop.h"\n#include "tell/record-sink.h"\n' >"$1/src/watch/watch.c"
	printf '#include <stdio.h>\n#include <time.h>\nint bad(char *p);\nint bad(char *p)\n{\n%s\n%s\n}\n' \
		'snprintf(p, 4, "x");' 'return (int)time(0);' >"$1/src/base/clock.c"
	cp "$1/src/base/clock.c" "$1/src/base/clock-source.c"
	for i in clock clock-source; do "${CC:-cc}" -c -o "$1/src/base/$i.o" "$1/src/base/$i.c" || return; done
	cp "$1/src/base/clock.o" "$1/src/watch/libtw_watch_a-watch.o"
	cp "$1/src/base/clock.o" "$1/src/watch/libtw_watch_a-worker.o"
	cp "$1/src/base/clock.o" "$1/src/ctl/explain/libtw_ctl_a-now.o"
	cp "$1/src/base/clock.o" "$1/src/ctl/explain/libtw_ctl_a-explain.o"
	for i in one-other other-one; do
		printf 'int %s(void);\nint %s(void);\nint %s(void) { return %s(); }\n' "${i#*-}" "${i%-*}" "${i%-*}" "${i#*-}" \
			>"$1/src/watch/$i.c"
		"${CC:-cc}" -c -o "$1/src/watch/libtw_watch_a-$i.o" "$1/src/watch/$i.c" || return
	done
	printf '1. `base/clock.c` `bad()`: is there.\n2. `base/clock.c`\n   `gone()`: is not.\n' >"$1/HACKING.md"
	yes '' | head -n 401 | tee "$1/tests/short.c" >"$1/src/base/long.c"
	{ echo 'int f(void)'; echo '{'; yes ';' | head -n 79; echo '}'; } >"$1/src/base/long.h"
	{ echo 'int g(void)'; echo '{'; yes ';' | head -n 77; echo '}'; } >>"$1/src/base/long.h"
}

house=$(mktemp -d) || exit 99
trap 'rm -rf "$house"' EXIT
build_bad_house "$house" || exit 99

echo 1..26
finds "a crossing include is found" 'measure/bad.c includes act/reconcile.h' 11 crossing_includes "$house"
finds "an annexe that reaches up is found" 'ctl/explain/explain.c includes daemon/once.h' 11 crossing_includes "$house"
finds "an annexe that tells is found" 'ctl/explain/explain.c includes the edge tell/record-sink' 11 crossing_includes "$house"
finds "who leans on an annexe is found" 'daemon/page.c includes ctl/page.h' 11 crossing_includes "$house"
finds "a room of measure that leans on it is found" 'diag/diag.h includes measure/survey.h' 11 crossing_includes "$house"
finds "a watch that reaches up is found" 'watch/watch.c includes daemon/loop.h' 11 crossing_includes "$house"
finds "a room that leans on another is found" 'ctl/lint/lint.c includes ctl/past/past.h' 11 crossing_includes "$house"
finds "a shared word that leans on a room is found" 'ctl/main.c includes ctl/lint/lint.h' 11 crossing_includes "$house"
finds "a folder that has no rule is found" 'ctl/attic/attic.h includes base/text.h' 11 crossing_includes "$house"
finds "a clock in a pure object is found" 'base/clock.c is no edge, but needs time' 3 impure_objects "$house"
finds "a clock in a watch is found" 'watch/watch.c is no edge, but needs time' 3 impure_objects "$house"
finds "a source without an object is found" 'measure/bad.c has no object' 2 unseen_sources "$house" "$house"
finds "a long file is found" 'src/base/long.c has 401' 1 long_files "$house"
finds "a step of the story that is gone is found" 'base/clock.c has no gone()' 1 story_gaps "$house"
finds "a house that is too large is found" 'lines, more than 100' 2 heavy "$house" "$with_capability" 100 5
finds "two files that need each other are found" 'watch/libtw_watch_a-one-other.o' 2 circles "$house"
holds "every step of the story is there" story_gaps "$srcdir"
holds "no include crosses a wall or climbs" crossing_includes "$srcdir"
holds "every pure source has an object to look at" unseen_sources "$srcdir" "$builddir"
holds "no pure object reaches the world" impure_objects "$builddir"
holds "no two files need each other" circles "$builddir"
holds "what runs with CAP_NET_ADMIN is light" heavy "$srcdir" "$with_capability" 23200 150
holds "so is the client" heavy "$srcdir" '^ctl/' 12000 200
holds "no file is longer than 400 lines, no test than 500" long_files "$srcdir"
if ctags --version 2>/dev/null | grep -q Universal; then
	finds "a long function is found" 'long.h: f() has 82' 1 long_functions "$house"
	holds "no function is longer than 80 lines" long_functions "$srcdir"
else
	echo "ok $((++number)) # SKIP a long function is found: there is no Universal Ctags"
	echo "ok $((++number)) # SKIP no function is longer than 80 lines: there is no Universal Ctags"
fi
