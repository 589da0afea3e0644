# SPDX-License-Identifier: GPL-2.0-or-later
"""The script of a release refuses what does not agree, and makes the same tarball as the commit says."""

import hashlib
import re
import shutil
import subprocess

import pytest

from workshop import SOURCE, run


@pytest.fixture
def checkout(tmp_path):
    """One of what stands here, with its NEWS as a release has it; nothing of it is kept."""
    if not (SOURCE / ".git").exists() or not shutil.which("git"):
        pytest.skip("needs git and a checkout")
    place = tmp_path / "checkout"
    run("git", "clone", "-q", SOURCE, place)
    for path in run("git", "-C", SOURCE, "ls-files").splitlines():
        if (SOURCE / path).is_file():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / path, place / path)
    edit(place / "NEWS", r"^(\d\S*) \(.*\)$", r"\1 (2030-01-31)")
    return place


def edit(path, pattern, replacement):
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in {path}"
    path.write_text(text)


def commit(place):
    run("git", "-C", place, "add", "-A")
    run("git", "-C", place, "-c", "user.name=test", "-c", "user.email=test", "commit", "--allow-empty", "-qm", "packaging: release")


def release(place):
    return subprocess.run(
        [place / "packaging/release", place.parent / "out"], capture_output=True, text=True, timeout=600
    )  # fmt: skip


def test_it_makes_the_tarball_and_its_sum(checkout):
    commit(checkout)
    done = release(checkout)
    assert done.returncode == 0, done.stderr
    (tarball,) = (checkout.parent / "out").glob("timewaitd-*.tar.xz")
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    assert tarball.with_name(tarball.name + ".sha256").read_text() == f"{digest}  {tarball.name}\n"
    assert run("git", "-C", checkout, "status", "--porcelain") == ""
    assert run("git", "-C", checkout, "tag") == run("git", "-C", SOURCE, "tag")


@pytest.mark.parametrize(
    "path, pattern, replacement, said",
    [
        ("configure.ac", r"\[timewaitd\], \[[\d.]+\]", "[timewaitd], [9.9.9]", "NEWS has"),
        ("NEWS", r"^\d\S* \(2030-01-31\)$", "9.9.9 (2030-01-31)", "NEWS has 9.9.9"),
        ("NEWS", r" \(2030-01-31\)$", " (not released yet)", "NEWS does not say when"),
        ("packaging/debian/changelog", r"^timewaitd \([\d.]+", "timewaitd (9.9.9", "debian/changelog has 9.9.9"),
        ("packaging/rpm/timewaitd.spec", r"^(Version: +)\S+", r"\g<1>9.9.9", "timewaitd.spec has 9.9.9"),
        ("packaging/rpm/timewaitd.spec", r" - [\d.]+-1$", " - 9.9.9-1", "the changelog in packaging/rpm/"),
    ],
    ids=["configure.ac", "NEWS", "date", "debian", "spec", "spec log"],
)
def test_what_does_not_agree_is_refused(checkout, path, pattern, replacement, said):
    edit(checkout / path, pattern, replacement)
    commit(checkout)
    done = release(checkout)
    assert done.returncode == 1
    assert said in done.stderr
    assert not list((checkout.parent / "out").glob("*"))


def test_what_is_not_committed_is_refused(checkout):
    commit(checkout)
    (checkout / "stray").write_text("")
    done = release(checkout)
    assert done.returncode == 1
    assert "not committed" in done.stderr and "stray" in done.stderr
