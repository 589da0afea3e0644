# SPDX-License-Identifier: GPL-2.0-or-later
"""
The daemon dies before and after each call that changes a file, a sysctl's or the ledger's: what it changed goes back, by
--restore or by the next start. TW_CRASH_ROUNDS goes over all of them so often.
"""

import os
import signal

import pytest

from namespaces import PATIENCE, run, wait_until
from programs import QUICK, WANTED, Daemon, adjusting

ROUNDS = int(os.environ.get("TW_CRASH_ROUNDS", "1"))
SETS = {**WANTED, "net.ipv4.ip_autobind_reuse": "1"}
CONFIG = adjusting(SETS)
# A sanitizer wants to be the first library otherwise.
PRELOADED = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
MANY = 200  # more points than any run can have

# The Nth moment around such a call, N being TW_CRASH_AT, is the last one.
LIBRARY = """
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void pass(void)
{
	static unsigned long reached;
	const char *at = getenv("TW_CRASH_AT");

	if (at && ++reached == strtoul(at, NULL, 10))
		(void)kill(getpid(), SIGKILL);
}

#define AROUND(call)            \
	do {                    \
		long r_;        \
		pass();         \
		r_ = call;      \
		pass();         \
		return r_;      \
	} while (0)

/* But for its standard streams. */
ssize_t write(int fd, const void *bytes, size_t size)
{
	struct stat status;

	if (fd <= STDERR_FILENO || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return syscall(SYS_write, fd, bytes, size);
	AROUND(syscall(SYS_write, fd, bytes, size));
}

int fsync(int fd)
{
	AROUND(syscall(SYS_fsync, fd));
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	AROUND(syscall(SYS_renameat2, from_fd, from, to_fd, to, 0));
}

int unlinkat(int fd, const char *path, int flags)
{
	AROUND(syscall(SYS_unlinkat, fd, path, flags));
}
"""


class Crashing(Daemon):
    def has(self, event):
        """Whether it has ended, or told of all its sysctls."""
        told = [record for record in self.records(event) if "TIMEWAITD_SYSCTL" in record]
        return self.process.poll() is not None or len(told) >= len(SETS)

    def live(self, listener, point):
        """Raised, cleared, stopped. True where it lived through that."""
        self.forget()
        self.environment = {
            "TW_CRASH_AT": str(point),
            "LD_PRELOAD": str(self.directory / "crash.so"),
            "ASAN_OPTIONS": PRELOADED,
        }
        with listener():
            self.start(wait=False)
            wait_until(lambda: self.has("adjusted"), self.story)
        wait_until(lambda: self.has("restored"), self.story)
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        assert status in (0, -signal.SIGKILL), f"exit status {status}: {self.story()}"
        return status == 0

    def recover(self, by_restore):
        self.environment = {}
        if by_restore:
            self.restore()
            return
        self.forget()
        self.config.write_text(QUICK)
        self.start()
        self.stop()
        self.config.write_text(CONFIG)


@pytest.mark.long
@pytest.mark.parametrize("number", range(ROUNDS))
def test_every_crash_point(near, listener, tmp_path, number):
    near.set_sysctl("net.ipv4.tcp_fin_timeout", "77")
    baseline = near.all_sysctls()
    daemon = Crashing(near, tmp_path / "crashing", CONFIG)
    daemon.stop()
    run(*"cc -shared -fPIC -x c -o".split(), str(daemon.directory / "crash.so"), "-", input=LIBRARY)
    for point in range(1, MANY):
        survived = daemon.live(listener, point)
        if not survived:
            daemon.recover(by_restore=(point + number) % 2)
        assert near.all_sysctls() == baseline, f"crash point {point}: {daemon.story()}"
        assert not (daemon.state / "ledger").exists()
        if survived:
            break
    assert survived and point > 8 * len(SETS), f"only {point} crash points"
