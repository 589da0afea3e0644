# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl explain: what is wrong now and what a word means, on real sockets."""

import json
import socket
import subprocess

import pytest

from namespaces import PATIENCE, Pair, wait_until
from programs import BUILD, ENVIRONMENT, SHIPPED_CONF, once
from states import STATES, Zoo, expected, wait_for_states

TIMEWAITCTL = str(BUILD / "timewaitctl")


def timewaitctl(*arguments):
    return subprocess.run([TIMEWAITCTL, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=ENVIRONMENT)


def explain(namespace, *arguments):
    """What it prints: lines of 80 columns at most, but for a single word."""
    done = namespace.try_run(TIMEWAITCTL, "explain", f"--config={SHIPPED_CONF}", *arguments, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    if "--json" in arguments:
        return json.loads(done.stdout)
    assert all(len(line) <= 80 or " " not in line for line in done.stdout.splitlines())
    return " ".join(done.stdout.split())


def accept_and_close(near, far, stack, count):
    """Connections from the far side that the near side closes first."""
    with near.entered():
        server = stack.enter_context(socket.create_server((Pair.NEAR, 80)))
    for _ in range(count):
        with far.entered():
            client = stack.enter_context(socket.create_connection((Pair.NEAR, 80)))
        connection, _ = server.accept()
        connection.close()
        assert client.recv(1) == b""
        client.close()
    wait_until(lambda: once(near)["states"]["time-wait"] == count, lambda: once(near)["states"])


def use_ports(near, pair, stack, **numbers):
    """Of 100 ports towards one destination."""
    near.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    numbers = {**dict.fromkeys([*STATES, "orphan"], 0), **{key.replace("_", "-"): n for key, n in numbers.items()}}
    stack.callback(Zoo(pair, Zoo.V4, numbers).close)
    wait_for_states(near, expected(numbers))


def test_nothing_is_wrong(near):
    text = explain(near)
    assert "rules none is over its level." in text
    assert "The daemon was not asked." in text
    assert "Wrong now" not in text and "TIME-WAIT" not in text


def test_time_wait_of_the_accepting_side_is_harmless(near, pair, stack):
    accept_and_close(near, pair.far, stack, 25)
    text = explain(near)
    assert "Wrong now" not in text
    assert "25 sockets in TIME-WAIT are on the accepting side, because this side closed first." in text
    for words in ("That is harmless: about 256 bytes each", "no port", "No alarm and no sysctl is needed"):
        assert words in text
    page = explain(near, "--json", "TIME_WAIT")
    assert page["topic"] == "time-wait"
    assert page["numbers"] == {"time-wait": 25, "time-wait-accepting": 25, "time-wait-connecting": 0}
    assert any(paragraph.startswith("Here, accepting side: 25 sockets") for paragraph in page["text"])


def test_ports_that_run_short_name_their_destination(near, pair, stack):
    use_ports(near, pair, stack, time_wait=60)
    text = explain(near)
    assert f"Wrong now: port-exhaustion (warning): {Pair.NEAR} -> {Pair.FAR}:7000 uses 60% of its ports" in text
    assert "TIME-WAIT 60" in text
    assert "The rule's own remedy: net.ipv4.tcp_tw_reuse=1" in text
    assert "net.ipv4.tcp_fin_timeout does not shorten TIME-WAIT" in text
    page = explain(near, "--json")
    assert page["topic"] is None
    numbers = page["numbers"]
    assert (numbers["port-use"], numbers["usable-ports"], numbers["time-wait-connecting"]) == (60, 100, 60)


def test_open_connections_are_not_blamed_on_time_wait(near, pair, stack):
    use_ports(near, pair, stack, established=60)
    text = explain(near)
    assert "The rule's own remedy cannot help now: 60 of 60 ports" in text
    assert "pool" in text


def test_numbers_of_json_know_what_is_unknown(near):
    page = explain(near, "--json")
    assert list(page) == ["topic", "text", "numbers"]
    numbers = page["numbers"]
    assert [state for state in STATES if state not in numbers] == []
    # Two reads of the counters are enough for a rate; the kernel shows orphans to the first namespace alone.
    assert numbers["time-wait-overflow"] == 0
    assert numbers["orphans"] is None
    assert numbers["port-eta"] is None


def test_sysctls_with_the_values_that_are_here(near):
    near.set_sysctl("net.ipv4.tcp_fin_timeout", "17")
    text = explain(near, "tcp_fin_timeout")
    assert "Here: net.ipv4.tcp_fin_timeout is 17" in text
    assert "compiled into the kernel" in text
    assert explain(near, "--json", "net.ipv4.tcp_tw_reuse")["numbers"]["tcp_tw_reuse"] == 2
    assert "this kernel does not have it; Linux 4.12 removed it" in explain(near, "tcp_tw_recycle")


def test_a_rule_of_the_file(near, tmp_path, listener):
    config = tmp_path / "conf"
    config.write_text("[rule servers]\nmetric = listen\nraise = 1\nclear = 0\n")
    with listener():
        text = explain(near, f"--config={config}", "servers")
    assert "servers (warning) watches listen: raised at 1" in text
    assert "over its level" in text


def test_it_needs_no_privilege(near):
    bare = "setpriv --securebits=+noroot,+noroot_locked --bounding-set=-all --inh-caps=-all".split()
    done = near.try_run(*bare, TIMEWAITCTL, "explain", f"--config={SHIPPED_CONF}", env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "word, meant",
    [("time-wat", "time-wait"), ("tcp_tw_recicle", "tcp_tw_recycle"), ("port-exhaustoin", "port-exhaustion")],
)
def test_near_misses(word, meant):
    done = timewaitctl("explain", f"--config={SHIPPED_CONF}", word)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{word}'" in done.stderr and f"did you mean '{meant}'?" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explian"],
        ["--chekc"],
        ["explain", "no-such-word-at-all"],
        ["explain", "time-wait", "close-wait"],
        ["explain", "--config"],
        ["explain", "--jason"],
        ["explain", "-x"],
        ["help", "nothing"],
        ["help", "explain", "explain"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments):
    done = timewaitctl(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("timewaitctl: ") and "--help" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["help"], ["help", "explain"], ["explain", "--help"]], ids=" ".join
)
def test_help(arguments):
    done = timewaitctl(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "explain" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_version():
    done = timewaitctl("--version")
    assert (done.returncode, done.stderr) == (0, "")
    name, version = done.stdout.split()
    assert name == "timewaitctl" and version[0].isdigit()


def test_a_wrong_configuration(tmp_path):
    config = tmp_path / "conf"
    config.write_text("[rule x]\nmetric = nothing\n")
    done = timewaitctl("explain", f"--config={config}")
    assert (done.returncode, done.stdout) == (78, "")
    assert f"{config}:2: " in done.stderr
