# SPDX-License-Identifier: GPL-2.0-or-later
"""How each call can fail, and what has to be so afterwards."""

import dataclasses
import errno
import re
import signal

from explained import FATAL, HARMLESS, NEVER_FAILS
from stage import MISUSED, STUCK

SHORT = 1000  # inject.h: less than what was asked for
EXIT_STATUSES = (0, 1, 78)

# What the kernel documents for each call, where one answer stands for all that the daemon treats alike.
ERRORS = {
    **dict.fromkeys(("malloc", "calloc", "realloc", "reallocarray", "strdup", "asprintf"), (errno.ENOMEM,)),
    **dict.fromkeys(("open", "openat", "opendir", "fopen"), (errno.EMFILE, errno.EACCES)),
    **dict.fromkeys(("stat", "fstat", "fstatat", "access"), (errno.EACCES,)),
    "mkdir": (errno.EACCES,),
    "chmod": (errno.EPERM,),
    "unlinkat": (errno.EROFS,),
    "renameat": (errno.ENOSPC,),
    **dict.fromkeys(("fdopendir", "scandir"), (errno.ENOMEM,)),
    "readdir": (errno.EIO,),
    "close": (errno.EIO,),
    "read": (errno.EIO, errno.EINTR, SHORT),
    "pread": (errno.EIO, errno.EINTR, SHORT),
    "write": (errno.ENOSPC, errno.EIO, errno.EINTR, SHORT),
    "writev": (errno.ENOSPC,),
    "fsync": (errno.EIO,),
    "ftruncate": (errno.EIO,),
    "flock": (errno.ENOLCK,),
    "fcntl": (errno.EPERM,),
    "poll": (errno.ENOMEM,),  # one that does not wait cannot be interrupted
    "memfd_create": (errno.EMFILE,),
    "eventfd": (errno.EMFILE,),
    "signalfd": (errno.EMFILE,),
    "timerfd_create": (errno.EMFILE,),
    "timerfd_settime": (errno.ENOMEM,),
    "epoll_create1": (errno.EMFILE,),
    "epoll_ctl": (errno.ENOSPC,),
    "epoll_wait": (errno.EINTR,),
    "socket": (errno.EMFILE, errno.EPERM),
    "bind": (errno.ENOMEM,),
    "connect": (errno.ECONNREFUSED,),
    "getsockname": (errno.ENOBUFS,),
    "getsockopt": (errno.ENOPROTOOPT,),
    "setns": (errno.EPERM,),
    "fstatfs": (errno.EACCES,),
    "setsockopt": (errno.ENOMEM,),
    "send": (errno.ENOBUFS,),
    "sendto": (errno.ENOBUFS, errno.EINTR),
    "sendmsg": (errno.ENOBUFS,),
    "recvmsg": (errno.ENOBUFS, errno.ENOMEM, errno.EINTR, SHORT),
    "recvmmsg": (errno.ENOBUFS, errno.EINTR),
    "uname": (errno.EFAULT,),
    "getrandom": (errno.ENOSYS, SHORT),
    "pthread_attr_init": (errno.ENOMEM,),
    "pthread_create": (errno.EAGAIN,),
}

# Calls of the steady loop that can go on failing for as long as it runs.
LASTING = ("open", "openat", "read", "pread", "write", "sendto", "recvmsg", "fsync", "renameat", "unlinkat")
STEADY = ("tick", "raise")
# Records that say that something is wrong.
TELLING = ("degraded", "partial", "refused", "reload-failed", "namespace-gone")


@dataclasses.dataclass(frozen=True)
class Fault:
    """A call that fails: once, or from then on for ever."""

    point: object
    error: int
    lasts: bool

    def __str__(self):
        name = "less than asked for" if self.error == SHORT else errno.errorcode[self.error]
        return f"{self.point}: {name}{' for ever' if self.lasts else ''}"

    def text(self):
        """The value of TW_FAULT."""
        point = self.point
        mode = "forever" if self.lasts else "once"
        return f"{mode} {self.error} {point.phase} {point.thread} {point.function} {point.hash} {point.object}"


def _errors_of(point):
    if (point.function, point.object) in NEVER_FAILS:
        return []
    # A sysctl is handed out and taken whole, or not at all: each is one call of its handler.
    whole = point.object.startswith("/proc/sys/")
    return [error for error in ERRORS[point.function] if not (error == SHORT and whole)]


def faults_of(points):
    """All that can happen to them. What can go on for ever is the same wherever it begins."""
    lasting = set()
    for point in points:
        yield from (Fault(point, error, False) for error in _errors_of(point))
        what = (point.thread, point.function, point.object)
        if point.phase not in STEADY or point.function not in LASTING or not point.object or what in lasting:
            continue
        lasting.add(what)
        # An interruption for ever is none; half of it for ever is half a kernel.
        yield from (Fault(point, error, True) for error in _errors_of(point) if error not in (errno.EINTR, SHORT))


def tells(life, golden):
    """Whether it said that something is wrong."""
    if life.errors:
        return True
    fresh = life.story() - golden.story()
    return any(
        event in TELLING or dropped or (event == "stopped" and "is put back" not in message)
        for event, _, message, dropped in fresh
    )


def text_of(fault, chain):
    """What the patterns of HARMLESS are searched in."""
    name = "SHORT" if fault.error == SHORT else errno.errorcode[fault.error]
    return f"{fault.point} {name}{' for ever' if fault.lasts else ''} in {chain}"


def is_harmless(fault, chain):
    """Whether there is a reason why it may pass without a word."""
    return any(re.search(pattern, text_of(fault, chain)) for pattern in HARMLESS)


def is_made_good(fault, golden):
    """Whether the same is done again soon, so that one failure changes nothing."""
    point = fault.point
    if fault.lasts:
        return False
    if fault.error in (errno.EINTR, SHORT):
        return True
    return point.object != "" and any(
        (again.function, again.object) == (point.function, point.object)
        and again.phase in STEADY
        and (again.phase != "raise" or point.phase in ("start", *STEADY))
        for again in golden.report.points
    )


def comes_and_goes(chain):
    """Whether the world decides that the call is made: the machine's cgroups are not the same in each life."""
    return "tw_cgroup_source_unit" in chain


def problems(fault, life, golden, chain):
    """Everything that is not as it must be."""
    found = []
    if life.status is None:
        return ["hangs"]
    if life.status == STUCK:
        return ["does not stop, or has no timer"]
    if life.status == MISUSED:
        return ["the test is wrong"]
    if (fault.point.function, fault.point.object) in FATAL:
        lost = [] if life.recovered else [f"loses a baseline: {life.restore_said}"]
        return lost if life.status == -signal.SIGABRT else [f"goes on, or ends with {life.status}", *lost]
    if life.status not in EXIT_STATUSES:
        found.append(f"ends with {life.status}")
    elif life.report.hits == 0:
        found += [] if comes_and_goes(chain) else ["was not reached"]
    found += what_is_lost(life)
    if not tells(life, golden):
        if not life.kept:
            found.append("leaves sysctls without a word")
        if life.status != 0 or life.story() != golden.story():
            found.append(f"changes what is done without a word: status {life.status}, {golden.story() - life.story()}")
        elif not is_made_good(fault, golden) and not is_harmless(fault, chain):
            found.append("is not told")
    return found


def what_is_lost(life):
    """Descriptors, memory and sysctls that are left at the end."""
    found = [f"leaves {name} open" for name in life.report.descriptors]
    found += [f"leaks {size} bytes of {site}" for size, site in life.report.memory]
    if not life.recovered:
        found.append(f"loses a baseline: {life.restore_said}")
    return found
