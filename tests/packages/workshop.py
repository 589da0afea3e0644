# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the packages, and a bare root of this machine's Debian to install them in, with nothing of ours in it."""

import os
import pathlib
import re
import shutil
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PLACE = SOURCE / "build/packages"

# Beside what debootstrap calls minimal: what a server has, and what the tests ask with.
BESIDE = "systemd-sysv,dbus,procps"


def run(*command, timeout=900, **options):
    """What a command says; all of it where it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, **options,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-5000:]}"
    return done.stdout


# A build has no privilege: one that wants some fails here too.
PLAIN = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


def build(kind, name, suffix="", **environment):
    """The directory with the packages that packaging/build has made of this tree."""
    place = PLACE / name
    shutil.rmtree(place, ignore_errors=True)
    words = (suffix,) if suffix else ()
    said = run(*PLAIN, SOURCE / "packaging/build", kind, place, *words, env={**os.environ, **environment}, timeout=1800)
    (PLACE / f"{name}.log").write_text(said)
    return place


def tests_of(place):
    """How many tests passed and failed while these packages were built."""
    counts = dict(re.findall(r"^# (PASS|FAIL|ERROR): +(\d+)$", (PLACE / f"{place.name}.log").read_text(), re.MULTILINE))
    return int(counts["PASS"]), int(counts["FAIL"]) + int(counts["ERROR"])


def debs(place):
    return sorted(deb for deb in place.glob("*.deb") if "-dbgsym_" not in deb.name)


def codename():
    """Of the Debian that the packages are built on; None elsewhere."""
    words = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return words.get("VERSION_CODENAME") if words.get("ID") == "debian" else None


def mirror():
    """Where this machine has its own packages from."""
    return run(
        "apt-get", "indextargets", "--format", "$(REPO_URI)",
        "Created-By: Packages", f"Codename: {codename()}", "Component: main",
    ).split()[0]  # fmt: skip


def bare_root():
    """Made once, and only read by the machines that are booted over it."""
    root = PLACE / f"root-{codename()}"
    if not root.exists():
        part = root.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        run("debootstrap", "--variant=minbase", f"--include={BESIDE}", codename(), part, mirror(), timeout=1800)
        part.rename(root)
    return root


def fetch_dependencies(root, packages):
    """Into the cache of its apt: a machine has no network."""
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    place = root / "var/cache/apt/packages"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    names = []
    for package in packages:
        shutil.copy(package, place)
        names.append(f"/var/cache/apt/packages/{package.name}")
    fetch = ("chroot", root, "apt-get", "-qq", "-y", "--download-only", "--no-install-recommends", "install", *names)
    try:
        run(*fetch)
    except AssertionError:
        # What is known of the mirror is from another day, or nothing.
        run("chroot", root, "apt-get", "-qq", "update")
        run(*fetch)
    finally:
        shutil.rmtree(place)


def with_another_configuration(deb, place):
    """The same package again, but that the configuration in it has one line more, which is a comment."""
    place.mkdir()
    tree = place / "tree"
    run("dpkg-deb", "-R", deb, tree)
    with open(tree / "etc/timewaitd/timewaitd.conf", "a") as configuration:
        configuration.write("# As the next release has it.\n")
    run("dpkg-deb", "--root-owner-group", "-b", tree, place / deb.name)
    shutil.rmtree(tree)
    return place / deb.name
