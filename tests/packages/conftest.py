# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages in two versions, and for each test a machine of its own over a bare root."""

import contextlib
import pathlib
import sys

import pytest

# Behind this folder: some of its files have names that are there too.
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "systemd"), str(TESTS / "system")]

import workshop  # noqa: E402
from machine import Machine, why_not  # noqa: E402


def pytest_collection_modifyitems(items):
    reason = why_not() or (None if workshop.codename() else "needs Debian")
    for item in items if reason else []:
        if "deb" in item.fixturenames or "machine" in item.fixturenames:
            item.add_marker(pytest.mark.skip(reason=reason))


class Debian(Machine):
    """A machine that installs packages."""

    @classmethod
    @contextlib.contextmanager
    def booted(cls, place, root="/"):
        machine = cls(place, root, binds=(workshop.PLACE,))
        try:
            machine.mark()
            yield machine
        finally:
            machine.stop()

    def apt(self, *words):
        return self.run(
            "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends",
            *map(str, words), timeout=300,
        )  # fmt: skip

    def install_debs(self, *packages):
        return self.apt("install", *packages)

    def is_active(self, unit):
        return self.try_run("systemctl", "is-active", unit).stdout.strip() == "active"

    def is_enabled(self, unit):
        return self.try_run("systemctl", "is-enabled", unit).stdout.strip() == "enabled"

    def version(self, package):
        return self.run("dpkg-query", "-W", "-f", "${Version}", package)

    def sysctls(self):
        """All of the network, by name."""
        lines = self.try_run("sysctl", "-a", "--pattern", r"^net\.").stdout.splitlines()
        return dict(line.split(" = ", 1) for line in lines if " = " in line)

    def files(self):
        """Where packages and services leave something, but for the way to the packages themselves."""
        found = self.run("find", "/etc", "/run", "/usr", "/var", "-xdev", timeout=300)
        return set(found.splitlines()) - {str(path) for path in (workshop.PLACE, *workshop.PLACE.parents)}


@pytest.fixture(scope="session")
def deb():
    """The directory of the first version."""
    return workshop.build("deb", "deb")


@pytest.fixture(scope="session")
def newer(deb):
    """That of one that is made later, of the same source."""
    return workshop.build("deb", "newer", "+1", DEB_BUILD_OPTIONS="nocheck")


@pytest.fixture(scope="session")
def rpm():
    return workshop.build("rpm", "rpm", NODEPS="1")


@pytest.fixture(scope="session")
def root(deb):
    root = workshop.bare_root()
    workshop.fetch_dependencies(root, workshop.debs(deb))
    return root


@pytest.fixture
def machine(root, tmp_path):
    with Debian.booted(tmp_path / "place", root) as machine:
        yield machine


@pytest.fixture
def installed(machine, deb):
    """With all three packages."""
    machine.install_debs(*workshop.debs(deb))
    return machine
