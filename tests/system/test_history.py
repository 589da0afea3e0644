# SPDX-License-Identifier: GPL-2.0-or-later
"""timewaitctl history, simulate and report, on records that the daemon made of real sockets."""

import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree

import pytest

from namespaces import PATIENCE
from programs import BUILD, ENVIRONMENT, QUICK

TIMEWAITCTL = str(BUILD / "timewaitctl")
DENSE = QUICK.replace("sample-record = 0", "sample-record = 100ms")
RULE = """\
[rule servers]
metric = listen
raise = 2
clear = 1
raise-for = 300ms
clear-for = 300ms
set = net.ipv4.tcp_fin_timeout=30
gate = no
proof = no
"""
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\"'&]]><b onload=x>"


def run(*arguments, status=0, **options):
    done = subprocess.run(
        [TIMEWAITCTL, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**ENVIRONMENT, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        **options,
    )
    assert done.returncode == status, done.stdout + done.stderr
    if status == 0:
        assert done.stderr == ""
    return done.stdout if status == 0 else done.stderr


@pytest.fixture
def story(daemon, listener, tmp_path):
    """The records of a rule that is raised and cleared twice, as a file; and the rules as another."""
    one = daemon(DENSE + RULE)
    for count in (1, 2):
        with listener(), listener():
            one.wait_for("raised", count=count)
        one.wait_for("cleared", count=count)
    samples = len(one.records("sample"))
    one.wait_for("sample", count=samples + 3)
    one.stop()
    path = tmp_path / "records.json"
    path.write_text("".join(json.dumps(record) + "\n" for record in one.records()))
    config = tmp_path / "rules.conf"
    config.write_text(DENSE + RULE)
    return path, config


def test_history(story):
    records, _ = story
    text = run("history", "--input", records, "--metric", "listen", "--metric", "cost-tick", "--width", 70)
    lines = text.splitlines()
    assert max(map(len, [line for line in lines if "│" in line])) <= 70
    assert "listen (sockets)" in text and "cost-tick (ms)" in text
    assert re.search(r"^listen: min 0, avg [\d.]+, max 2 of \d+ samples$", text, re.M)
    assert "▲ raised" in text or "several" in text
    assert len(re.findall(r"^\S+ \S+ raised: ", text, re.M)) == 2
    assert len(re.findall(r"^\S+ \S+ adjusted: ", text, re.M)) == 2
    assert "\033" not in text
    assert run("history", "--input", records, "--ascii", "--metric", "time-wait").isascii()


def test_history_as_json(story):
    records, _ = story
    page = json.loads(run("history", "--input", records, "--json", "--metric", "LISTEN"))
    (series,) = page["series"]
    assert (series["name"], series["unit"], series["max"]) == ("listen", "sockets", 2)
    samples = [json.loads(line) for line in records.read_text().splitlines()]
    known = [float(s["TIMEWAITD_LISTEN"]) for s in samples if s["TIMEWAITD_EVENT"] == "sample" and "TIMEWAITD_LISTEN" in s]
    assert [figure for _, figure in series["points"]] == known
    assert [event["event"] for event in page["events"]].count("raised") == 2
    # A span without any record.
    assert json.loads(run("history", "--input", records, "--json", "--until", "2020-01-01"))["events"] == []


def test_simulate_agrees_with_the_daemon(story):
    records, config = story
    page = json.loads(run("simulate", "--input", records, "--config", config, "--json"))
    assert [alert["mark"] for alert in page["alerts"]] == ["same", "same"], page
    assert page["rules"] == [{"name": "servers", "tried": True, "samples": page["rules"][0]["samples"], "note": None}]
    text = run("simulate", "--input", records, "--config", config)
    assert "a shorter burst is not seen" in text
    assert "= 2 as it happened." in text


def test_simulate_other_rules(story, tmp_path):
    records, _ = story
    config = tmp_path / "other.conf"
    config.write_text(
        DENSE
        + RULE.replace("raise = 2", "raise = 3")
        + "[rule one]\nmetric = listen\nraise = 1\nclear = 0\n"
        + "[rule unit]\nmetric = close-wait\nunit = web.service\nraise = 1\nclear = 0\n"
        + "[rule aged]\nmetric = close-wait-aged\nage = 70s\nraise = 10\nclear = 1\n"
    )
    text = run("simulate", "--input", records, "--config", config)
    assert len(re.findall(r"^- servers: raised ", text, re.M)) == 2
    assert re.search(r"^\+ one: raised ", text, re.M)
    flat = " ".join(text.split())
    assert "unit: not tried. It looks at one destination, unit or listener alone" in flat
    assert "aged: tried with age = 1min 30s: samples do not count by an age of 1min 10s." in flat


class Page(html.parser.HTMLParser):
    """The text of a page, and the elements in it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.links = set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action", "data")]
        assert not any(name.startswith("on") for name, _ in attributes)

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.words.append(data)


def poison(path):
    """Whatever can be chosen by others, chosen badly."""
    lines = []
    for line in path.read_text().splitlines():
        record = json.loads(line)
        for key in ("MESSAGE", "TIMEWAITD_RULE", "TIMEWAITD_SYSCTL", "TIMEWAITD_OLD", "TIMEWAITD_NEW"):
            if key in record and record["TIMEWAITD_EVENT"] != "sample":
                record[key] = HOSTILE
        if record["TIMEWAITD_EVENT"] == "raised":
            record["_HOSTNAME"] = HOSTILE
            record["TIMEWAITD_TOP_UNITS"] = f"{HOSTILE} 3 71.2s 4\nunknown 1 2s 3\n... and 7 more"
            record["TIMEWAITD_TOP_DESTINATIONS"] = HOSTILE
            record["TIMEWAITD_TOP_LISTENERS"] = "\n\n \n" + HOSTILE * 40
        lines.append(json.dumps(record) + "\n")
    path.write_text("".join(lines))


@pytest.mark.parametrize("hostile", [False, True])
def test_report(story, tmp_path, hostile):
    records, _ = story
    if hostile:
        poison(records)
    path = tmp_path / "page.html"
    assert run("report", "--input", records, "-o", path) == ""
    text = path.read_text(encoding="utf-8")
    xml.etree.ElementTree.fromstring(text)
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "b onload", "base", "form"}
    assert page.links == [] and "http://" not in text and "https://" not in text and "url(" not in text
    assert {"svg", "table", "style", "main", "title"} <= page.tags
    words = "".join(page.words)
    assert ("<script>alert(1)</script>" in words) == hostile
    assert "\x1b" not in text and "\u202e" not in text
    if not hostile:
        assert "net.ipv4.tcp_fin_timeout" in words and "servers" in words
    assert path.stat().st_mode & 0o077 == 0
    assert run("report", "--input", records, "-o", "-")[:9] == "<!DOCTYPE"


def test_journal_of_another_place(story, tmp_path):
    """What journalctl -o json writes does as well, with whatever else is in it."""
    records, config = story
    journal = tmp_path / "journal.json"
    journal.write_text('{"MESSAGE":"other","__REALTIME_TIMESTAMP":"5"}\n\n{"MESSAGE":[1,2]}\n' + records.read_text())
    assert run("simulate", "--input", "-", "--config", config, input=journal.read_text()) == run(
        "simulate", "--input", records, "--config", config
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    for verb in (["history"], ["report", "-o", tmp_path / "page.html"], ["simulate", "--config", config]):
        error = run(*verb, "--directory", empty, "--namespace", "blue", status=1)
        assert re.match(f"timewaitctl: there is no (record|sample) of network namespace blue in {empty}\n$", error)
    assert f"in {records} between these times" in run("history", "--input", records, "--until", "2020-01-01", status=1)


def test_without_the_right_to_read():
    for journal in ("/var/log/journal", "/run/log/journal"):
        if os.path.isdir(journal) and os.listdir(journal):
            pytest.skip("a journal of the machine's own")
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        tool = shutil.copy(TIMEWAITCTL, place)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tool, "history"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=ENVIRONMENT,
        )
    assert done.returncode == 1
    assert "systemd-journal" in done.stderr and "usermod" in done.stderr


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["history", "--metric", "time-wat"], "did you mean 'time-wait'?"),
        (["history", "--metric", "nothing-like-it"], "there is no metric"),
        (["history", "--since", "soonish"], "no point in time"),
        (["history", "--since", "today", "--until", "yesterday"], "later than"),
        (["history", "--width", "7"], "no number from 30"),
        (["history", "--config", "x"], "--config is no option of history"),
        (["history", "extra"], "too much"),
        (["history", "--file", "a", "--input", "b"], "not several"),
        (["simulate"], "--config NEW is missing"),
        (["simulate", "--metric", "x"], "is no option of simulate"),
        (["report"], "-o FILE is missing"),
        (["report", "-x"], "-x is no option"),
        (["report", "-o"], "takes an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage(arguments, said):
    error = run(*arguments, status=2)
    assert said in error and "--help" in error


def test_files_that_are_wrong(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"a":"b"}\nnot json\n')
    assert f"{bad}:2: " in run("history", "--input", bad, status=1)
    assert "No such file" in run("history", "--input", tmp_path / "none", status=1)
    (tmp_path / "bad.conf").write_text("[rule x]\nmetric = nothing\n")
    assert ":2: " in run("simulate", "--config", tmp_path / "bad.conf", "--input", bad, status=78)
