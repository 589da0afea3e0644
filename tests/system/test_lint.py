# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl lint: files below a root that is made for it, and a kernel with values that do harm."""

import json
import os
import socket
import subprocess

import pytest

from namespaces import PATIENCE
from programs import BUILD, ENVIRONMENT, QUICK

TIMEWAITCTL = str(BUILD / "timewaitctl")
MEMBERS = ["id", "severity", "key", "value", "where", "finding", "consequence", "advice"]


def timewaitctl(*arguments, prefix=()):
    return subprocess.run(
        [*prefix, TIMEWAITCTL, "lint", *arguments], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT
    )


def judge(done):
    """(id, where) of what was found; the exit status must agree."""
    assert done.stderr == ""
    findings = json.loads(done.stdout)
    assert all(list(finding) == MEMBERS for finding in findings)
    assert all(finding[name] for finding in findings for name in ("finding", "consequence", "advice", "where"))
    assert done.returncode == (1 if findings else 0)
    return [(finding["id"], finding["where"]) for finding in findings]


@pytest.fixture
def root(tmp_path):
    """Writes files below a root, and lints it."""

    class Root:
        path = tmp_path / "root"

        def write(self, name, text):
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        def link(self, name, target):
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)

        def found(self, *arguments):
            found = judge(timewaitctl("--json", f"--root={self.path}", *arguments))
            return [(name, where.removeprefix(f"{self.path}/")) for name, where in found]

    made = Root()
    made.path.mkdir()
    return made


def test_an_empty_root(root):
    assert root.found() == []
    done = timewaitctl("--root", str(root.path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing found.\n", "")


def test_every_directory(root):
    for number, name in enumerate(["etc", "run", "usr/local/lib", "usr/lib", "lib"]):
        root.write(f"{name}/sysctl.d/{number}.conf", "\nnet.ipv6.tcp_x = 1\n")
    assert root.found() == [
        ("no-ipv6-key", f"{name}/sysctl.d/{number}.conf:2")
        for number, name in enumerate(["etc", "run", "usr/local/lib", "usr/lib", "lib"])
    ]


def test_a_stronger_file_masks_its_namesake(root):
    root.write("usr/lib/sysctl.d/50-a.conf", "net.ipv4.tcp_fin_timeout = 5\n")
    root.write("run/sysctl.d/50-a.conf", "net.ipv4.tcp_fin_timeout = 60\n")
    root.write("usr/lib/sysctl.d/50-b.conf", "net.ipv4.tcp_timestamps = 0\n")
    root.link("etc/sysctl.d/50-b.conf", "/dev/null")
    assert root.found() == []


def test_a_later_file_wins(root):
    root.write("etc/sysctl.d/10-a.conf", "net.ipv4.tcp_fin_timeout = 5\n")
    root.write("usr/lib/sysctl.d/90-b.conf", "net/ipv4/tcp_fin_timeout = 60\n")
    root.write("etc/sysctl.d/README", "net.ipv4.tcp_timestamps = 0\n")
    root.write("etc/sysctl.d/.hidden.conf", "net.ipv4.tcp_timestamps = 0\n")
    (root.path / "etc/sysctl.d/directory.conf").mkdir()
    assert root.found() == [("overridden", "etc/sysctl.d/10-a.conf:1")]


def test_sysctl_conf_is_read_by_its_link(root):
    root.write("etc/sysctl.conf", "net.ipv4.tcp_fin_timeout = 5\n")
    assert root.found() == [("fin-timeout-low", "etc/sysctl.conf:1")]
    root.write("usr/lib/systemd/systemd-sysctl", "")
    assert root.found() == [("file-unread", "etc/sysctl.conf:1")]
    root.link("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")
    assert root.found() == [("fin-timeout-low", "etc/sysctl.d/99-sysctl.conf:1")]


def test_links_stay_below_the_root(root, tmp_path):
    (tmp_path / "outside.conf").write_text("net.ipv4.tcp_timestamps = 0\n")
    root.link("etc/sysctl.d/10-out.conf", tmp_path / "outside.conf")
    root.link("etc/sysctl.d/20-up.conf", "../../../outside.conf")
    root.link("etc/sysctl.d/30-in.conf", "/srv/in.conf")
    root.write("srv/in.conf", "net.ipv4.tcp_rfc1337 = 1\n")
    assert root.found() == [("rfc1337", "etc/sysctl.d/30-in.conf:1")]


def test_ignored(root):
    root.write("etc/sysctl.d/a.conf", "net.ipv4.tcp_rfc1337 = 1\nnet.ipv4.tcp_timestamps = 0\n")
    assert root.found("--ignore=rfc1337") == [("timestamps-off", "etc/sysctl.d/a.conf:2")]
    assert root.found("--ignore=rfc1337", "--ignore", "timestamps-off") == []


def test_text(root):
    root.write("etc/sysctl.d/a.conf", "net.ipv4.tcp_tw_recycle = 1\033[31m\n")
    done = timewaitctl("--root", str(root.path))
    assert done.returncode == 1
    head, *rest = done.stdout.splitlines()
    assert head == f"{root.path}/etc/sysctl.d/a.conf:1: error: net.ipv4.tcp_tw_recycle = 1?[31m [tw-recycle]"
    assert all(line.startswith("    ") for line in rest if "[value-invalid]" not in line)
    assert f"    mend: delete line 1 of {root.path}/etc/sysctl.d/a.conf" in rest


def test_what_cannot_be_read(root):
    root.link("etc/sysctl.d/loop.conf", "loop.conf")
    done = timewaitctl("--root", str(root.path))
    assert done.returncode == 1
    assert "etc/sysctl.d/loop.conf: Too many levels of symbolic links" in done.stderr
    done = timewaitctl("--root", str(root.path / "nowhere"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere: No such file or directory" in done.stderr


def test_bad_values_of_the_kernel(near):
    near.set_sysctl("net.ipv4.tcp_fin_timeout", "10")
    near.set_sysctl("net.ipv4.tcp_max_tw_buckets", "0")
    near.set_sysctl("net.ipv4.tcp_tw_reuse", "1")
    near.set_sysctl("net.ipv4.tcp_timestamps", "0")
    near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    near.set_sysctl("net.ipv4.ip_local_reserved_ports", "9000,40002")
    near.set_sysctl("net.core.somaxconn", "7")
    with near.entered():
        taken = socket.create_server(("127.0.0.1", 40001), backlog=100)
        reserved = socket.create_server(("127.0.0.1", 40002), backlog=2)
        outside = socket.create_server(("::1", 80), family=socket.AF_INET6, backlog=2)
    with taken, reserved, outside:
        done = near.try_run(TIMEWAITCTL, "lint", "--json", env=ENVIRONMENT)
        found = [name for name, where in judge(done) if where == "live"]
        sentences = {finding["id"]: finding["finding"] for finding in json.loads(done.stdout)}
    assert found == [
        "fin-timeout-low",
        "tw-buckets-none",
        "tw-reuse-permanent",
        "tw-reuse-no-timestamps",
        "timestamps-off",
        "range-narrow",
        "listener-in-range",
        "reserved-outside",
        "somaxconn-low",
        "backlog-cut",
    ]
    assert sentences["listener-in-range"].startswith("127.0.0.1:40001")
    assert "127.0.0.1:40001" in sentences["backlog-cut"]
    assert "99 usable ports" in sentences["range-narrow"]


def test_a_fresh_namespace_is_sound(near):
    done = near.try_run(TIMEWAITCTL, "lint", "--json", env=ENVIRONMENT)
    assert [name for name, where in judge(done) if where == "live"] == []


def test_a_change_of_the_kernel_against_a_file(tmp_path):
    """In the network namespace of the machine, with another /etc/sysctl.d: nothing is written there."""
    with open("/proc/sys/net/ipv4/tcp_keepalive_probes") as file:
        other = int(file.read()) + 1
    (tmp_path / "a.conf").write_text(f"net.ipv4.tcp_keepalive_probes = {other}\nnet.ipv4.tcp_fin_timout = 60\n")
    if not os.path.exists("/proc/sys/net/ipv4/tcp_max_orphans"):
        pytest.skip("the files do not hold in this network namespace")
    script = f"mount --bind {tmp_path} /etc/sysctl.d && exec {TIMEWAITCTL} lint --json --state-dir={tmp_path}"
    done = timewaitctl_in_mounts(script)
    found = judge(done)
    assert ("key-absent", "/etc/sysctl.d/a.conf:2") in found
    assert ("drift", "live") in found
    drift = next(finding for finding in json.loads(done.stdout) if finding["id"] == "drift")
    assert f"but /etc/sysctl.d/a.conf:1 sets {other}" in drift["finding"]


def timewaitctl_in_mounts(script):
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT
    )


def test_what_the_daemon_changed_is_said_so(near, pair, daemon, listener):
    rule = "[rule servers]\nmetric = listen\nraise = 1\nclear = 0\nraise-for = 0s\ngate = no\nproof = no\n"
    running = daemon(QUICK + rule + "set = net.ipv4.tcp_tw_reuse=1\n")
    with listener():
        running.wait_for("adjusted")
        done = near.try_run(TIMEWAITCTL, "lint", "--json", f"--state-dir={running.state}", env=ENVIRONMENT)
        found = [name for name, where in judge(done)]
        elsewhere = near.try_run(TIMEWAITCTL, "lint", "--json", env=ENVIRONMENT)
    assert "changed-by-timewaitd" in found and "tw-reuse-permanent" not in found
    assert "tw-reuse-permanent" in [name for name, where in judge(elsewhere)]


def test_it_needs_no_privilege(near):
    bare = "setpriv --securebits=+noroot,+noroot_locked --bounding-set=-all --inh-caps=-all".split()
    done = near.try_run(*bare, TIMEWAITCTL, "lint", env=ENVIRONMENT)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--ignore", "rfc1338"], "did you mean 'rfc1337'?"),
        (["--ignore", "nothing-at-all"], "there is no check 'nothing-at-all'"),
        (["--ignore"], "takes an argument"),
        (["--jason"], "no option of lint"),
        (["-x"], "no option of lint"),
        (["/etc"], "is too much"),
    ],
    ids=str,
)
def test_wrong_usage(arguments, said):
    done = timewaitctl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_help():
    done = timewaitctl("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--ignore ID" in done.stdout
