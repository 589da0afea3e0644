# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine with a kernel of Debian's, over this machine's own root: with every program, and read-only."""

import contextlib
import os
import pathlib
import shlex
import shutil
import stat
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
# Of Debian 12; later it is a package of its own.
VIRTIOFSD = next(filter(os.path.exists, ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")), "virtiofsd")
# Loaded by the tests themselves: what the daemon says without them is tested too.
LEFT_TO_TESTS = ("inet_diag", "tcp_diag")
# Emulated throughout: what virtualization a machine has, and whether it works, is not our business. Without cx16
# because 6.12 does not start on the processor that QEMU 7.2 makes of it.
MACHINE = (
    "-accel tcg -cpu qemu64,-cx16 -M q35 -smp 1 -numa node,memdev=memory"
    " -nodefaults -no-user-config -no-reboot -display none"
).split()
# The host's root as it is when the machine starts: what changes later need not be seen.
SERVED = "-o source=/ -o sandbox=chroot -o cache=always -o xattr --thread-pool-size=1".split()
# The one that is no part of QEMU tells the guest where mounts begin, and overlayfs makes no directory upon these.
if os.path.realpath(VIRTIOFSD) != "/usr/lib/qemu/virtiofsd":
    SERVED.append("--no-announce-submounts")
KERNEL_OPTIONS = "console=ttyS0 quiet panic=-1 mitigations=off cgroup_no_v1=all"


def _archive(files):
    """An initramfs: {name: (mode, bytes)}, in the cpio format "newc"."""
    parts = []
    for number, (name, (mode, data, device)) in enumerate([*files.items(), ("TRAILER!!!", (0, b"", (0, 0)))], start=1):
        path = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        head = b"070701" + "".join(f"{field:08x}" for field in fields).encode() + path
        parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]
    return b"".join(parts)


def _initramfs(init, modules):
    none = (0, 0)
    files = {name: (stat.S_IFDIR | 0o755, b"", none) for name in ("dev", "proc", "sys", "modules")}
    files["dev/console"] = (stat.S_IFCHR | 0o600, b"", (5, 1))
    files["init"] = (stat.S_IFREG | 0o755, init.read_bytes(), none)
    for module in sorted(modules.glob("*.ko")):
        if module.stem not in LEFT_TO_TESTS:
            files[f"modules/{module.name}"] = (stat.S_IFREG | 0o644, module.read_bytes(), none)
    return _archive(files)


def _dies_with_us(command):
    return ["setpriv", "--pdeathsig", "KILL", *command]


@contextlib.contextmanager
def _process(command, log):
    process = subprocess.Popen(_dies_with_us(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Guest:
    """
    One kernel, in `kernel` as `fetch` leaves it; `init` is the program of init.c, `place` a directory of its own, and
    `files` a path for a socket, which has to be short.
    """

    def __init__(self, kernel, init, place, files, memory="512M"):
        self._kernel = pathlib.Path(kernel).resolve()
        self._init = pathlib.Path(init)
        self._place = pathlib.Path(place).resolve()
        self._files = files
        self._memory = memory

    def run(self, command, log, timeout, environment):
        """
        Runs a shell command in the guest's root, as root. Returns its exit status, None where it has none within
        `timeout`, and the lines that it wrote to $RESULTS. Console and all output go to the file `log`.
        """
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        try:
            return self._boot(command, pathlib.Path(log), timeout, environment)
        finally:
            shutil.rmtree(self._place)

    def _write_script(self, command, environment):
        exports = {**environment, "RESULTS": "/dev/ttyS1", "TW_MODULES": str(self._kernel / "modules")}
        script = self._place / "script"
        script.write_text(
            "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items())
            + f". {shlex.quote(str(HERE / 'prepare.sh'))}\n{command}\n"
        )
        return script

    def _emulator(self, script, log):
        initramfs = self._place / "initramfs"
        initramfs.write_bytes(_initramfs(self._init, self._kernel / "modules"))
        return ["qemu-system-x86_64", *MACHINE, "-m", self._memory,
                "-object", f"memory-backend-memfd,id=memory,size={self._memory},share=on",
                "-chardev", f"socket,id=files,path={self._files}",
                "-device", "vhost-user-fs-pci,chardev=files,tag=host",
                "-serial", f"file:{log}", "-serial", f"file:{self._place}/results",
                "-kernel", str(self._kernel / "vmlinuz"), "-initrd", str(initramfs),
                "-append", f"{KERNEL_OPTIONS} TW_SCRIPT={script}"]  # fmt: skip

    def _boot(self, command, log, timeout, environment):
        with open(self._place / "said", "w+") as said:
            emulator = self._emulator(self._write_script(command, environment), log)
            with _process([VIRTIOFSD, f"--socket-path={self._files}", *SERVED], said):
                _wait_for_file(self._files, said)
                with _process(emulator, said) as process, contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout)
            said.seek(0)
            return self._results(log, said.read())

    def _results(self, log, said):
        results = self._place / "results"
        lines = results.read_text(errors="replace").splitlines() if results.exists() else []
        if lines and lines[-1].startswith("status "):
            return int(lines.pop().split()[1]), lines
        with open(log, "a") as file:
            file.write(said)
        return None, lines


def _wait_for_file(path, said):
    end = time.monotonic() + 60
    while not os.path.exists(path):
        if time.monotonic() > end:
            said.seek(0)
            raise RuntimeError(f"virtiofsd does not start: {said.read()}")
        time.sleep(0.02)
