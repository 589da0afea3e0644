# SPDX-License-Identifier: GPL-2.0-or-later
# The guest before its command: what may be written to is in memory.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
mkdir -m 1777 /run/tmp
export TMPDIR=/run/tmp PYTHONDONTWRITEBYTECODE=1
[ -e /sys/fs/cgroup/cgroup.procs ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
