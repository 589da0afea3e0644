# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs the core of the system tests on Debian's kernels, and the service under a real systemd on one of them, each in a
virtual machine: at most two at a time, and each ends within its time. `fetch` has to have been there before.

    kernels KERNELS INIT [NAME]...

KERNELS is the directory of `fetch`, which gets the consoles' logs too; INIT is init.c as a static program; NAME is a
row of MACHINES. What a kernel cannot do is tested for what is said of it; the few tests that only later kernels can
hold are listed with the kernel's reason and counted neither as passed nor as skipped.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import time

from guest import Guest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
AT_A_TIME = 2
# Of each, in seconds: two after the other have to end within the 2000 s that `./dev` gives all of them.
TIMEOUT = 900

# In this order: the first begin without the kernel's modules, and load them.
CORE = """
tests/kernels/inside/test_modules.py
tests/kernels/inside/test_counts.py
tests/kernels/inside/test_kernel.py
tests/system/test_states.py
tests/system/test_once.py
tests/system/test_restore.py
tests/system/test_gate.py::test_without_timestamps
tests/system/test_gate.py::test_on_the_loopback_it_is_covered_already
tests/system/test_config.py
tests/system/test_failures.py
tests/system/test_destroy.py::test_only_the_destination_that_is_meant
tests/system/test_destroy.py::test_observing_only_counts
tests/system/test_destroy.py::test_a_leak_keeps_its_descriptors
""".split()
# A name has blanks. Others differ no more than these from kernel to kernel, and each takes a while there.
CORE += [
    f"tests/system/test_port_model.py::test_as_many_as_a_plain_connect_finds[{name}]"
    for name in (
        "waits elsewhere reuse=1 old",
        "waits loopback reuse=2 old",
        "first, ten destinations, the asker's source",
        "first, waiting, any source",
        "orphans",
    )
]
# And how each of them hands out ports, of which the simulated kernel knows the ways.
CORE += [
    f"tests/system/test_simulated_kernel.py::test_as_the_real_one[{name}]"
    for name in (
        "autobind-without-reuseaddr",
        "bind-takes-the-other-parity-first",
        "bound-first-established-reuse-1",
        "bound-first-time-wait-reuse-1",
        "bound-first-two-sources-share-ports",
        "connect-goes-round",
        "connect-takes-the-low-bounds-parity-first",
        "explicit-port-with-reuseaddr",
        "ipv6-bound-first-blocks-ipv4",
        "late-bind-is-as-connect",
        "odd-sized-range",
        "port-range-of-a-socket",
        "waits-elsewhere-reuse-1",
        "waits-loopback-reuse-2",
    )
]
# Long, and no different on any kernel.
LEFT_OUT = """
tests/system/test_restore.py::test_any_order_leaves_every_sysctl_as_it_was
tests/system/test_restore.py::test_a_kill_at_any_moment
tests/system/test_failures.py::test_a_truncated_ledger
""".split()
SYSTEMD = [
    "tests/systemd/test_service.py::" + name
    for name in (
        "test_starts_and_stops",
        "test_counts_real_sockets",
        "test_runs_with_one_capability",
        "test_a_stop_gives_back",
        "test_a_violent_end_gives_back[KILL]",
        "test_a_reload_takes_over",
    )
]


def pytest(tests, left_out=()):
    return shlex.join(
        [sys.executable, "-m", "pytest", "-v", "-p", "tell", "-p", "no:cacheprovider", "--tb=short", "-rs"]
        + [f"--deselect={name}" for name in left_out]
        + tests
    )


LOAD_MODULES = shlex.join([sys.executable, "tests/kernels/inside/modules.py", "inet_diag", "tcp_diag"])
MACHINES = {
    "5.10": ("5.10", pytest(CORE, LEFT_OUT)),
    "6.1": ("6.1", pytest(CORE, LEFT_OUT)),
    "6.12": ("6.12", pytest(CORE, LEFT_OUT)),
    "6.1-systemd": ("6.1", f"{LOAD_MODULES} && {pytest(SYSTEMD)}"),
}


class Outcome:
    """What came of one machine."""

    def __init__(self, name, status, lines, seconds):
        self.name, self._seconds = name, seconds
        self.passed, self.failed, self.not_run = 0, [], []
        for line in lines:
            try:
                self._add(json.loads(line))
            except ValueError:
                self.failed.append(f"a result that cannot be read: {line}")
        if status is None:
            self.failed.append(f"no end within {TIMEOUT} s, or the kernel did not start")
        elif status != 0 and not self.failed:
            self.failed.append(f"exit status {status}")
        elif not self.passed and not self.failed:
            self.failed.append("no test was run")

    def _add(self, result):
        said = f"{result['test']}: {result.get('reason', '')}"
        if result["outcome"] == "passed":
            self.passed += 1
        elif result["outcome"] == "skipped":
            self.not_run.append(said)
        else:
            self.failed.append(said)

    def tell(self, log):
        print(
            f"{self.name}: {self.passed} passed, {len(self.failed)} failed, {len(self.not_run)} not run there"
            f" ({self._seconds:.0f} s)"
        )
        for said in self.not_run:
            print(f"  not run: {said}")
        for said in self.failed:
            # As `./dev` looks for it in a log.
            print(f"FAIL: {self.name}: {said} (see {log})")
        sys.stdout.flush()


def run(name, kernels, init, sockets):
    series, command = MACHINES[name]
    environment = {
        "TW_BUILDDIR": str(pathlib.Path(os.environ.get("TW_BUILDDIR", SOURCE / "build/test")).resolve()),
        "TW_UNABLE": "",
        "PYTHONPATH": str(SOURCE / "tests/kernels/inside"),
    }
    log = kernels / f"{name}.log"
    began = time.monotonic()
    guest = Guest(kernels / series, init, kernels / f"guest-{name}", f"{sockets}/{name}")
    status, lines = guest.run(f"cd {shlex.quote(str(SOURCE))} && {command}", log, TIMEOUT, environment)
    outcome = Outcome(name, status, lines, time.monotonic() - began)
    outcome.tell(log)
    return outcome


def main(sockets, kernels, init, *names):
    kernels = pathlib.Path(kernels).resolve()
    # Not left by `with`: an interrupt would wait for the machines there.
    pool = concurrent.futures.ThreadPoolExecutor(AT_A_TIME)
    waiting = [pool.submit(run, name, kernels, pathlib.Path(init), sockets) for name in names or MACHINES]
    outcomes = [one.result() for one in waiting]
    failed = sum(len(outcome.failed) for outcome in outcomes)
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="twguest") as place:
        try:
            sys.exit(main(place, *sys.argv[1:]))
        except KeyboardInterrupt:
            # The machines end with the process that started them; nobody waits for their results.
            shutil.rmtree(place)
            os._exit(130)
