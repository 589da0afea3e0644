# SPDX-License-Identifier: GPL-2.0-or-later
"""
Plays half-hours whose truth is known, and prints the score.

    oracle [--seeds FIRST-LAST] [--json FILE] [--story] [--test COUNT]

--story tells of each seed that lost something what it lost, and the fewest programs with which it still does. --test
plays the mixes of kept.json, in which nothing may be lost, so many seeds that are always the same and a tenth as many
new ones, and fails where the score is below what floor.json asks for.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("TW_BUILDDIR", HERE.parents[1] / "build/test")).resolve()
FLOOR, KEPT = HERE / "floor.json", HERE / "kept.json"
# What is no loss where it is zero.
LOSSES = ("healthy_alerts", "useless_writes", "remedies_taken_back", "owed", "contradictions", "false_claims", "flapping")


def split(first, last, parts):
    """The seeds in so many runs of about the same length."""
    count = last - first + 1
    edges = [first + count * part // parts for part in range(parts + 1)]
    return [(begin, end - 1) for begin, end in zip(edges, edges[1:]) if begin < end]


def play(first, last, story=False):
    """The sum of what these seeds came to, one process a processor."""
    command = [BUILD / "tests/oracle/oracle", *(["-s"] if story else [])]
    runs = [
        subprocess.Popen([*command, str(begin), str(end)], stdout=subprocess.PIPE, text=True)
        for begin, end in split(first, last, len(os.sched_getaffinity(0)))
    ]
    score = collections.Counter()
    for run in runs:
        printed, _ = run.communicate()
        if run.returncode != 0:
            sys.exit(f"oracle: exit status {run.returncode}")
        score.update(json.loads(printed))
    return score


def share(score, part, whole):
    return 100 * score[part] / score[whole] if score[whole] else 100.0


def line(score):
    return (
        f"{score['seeds']} seeds, {score['shortages']} shortages: named right {share(score, 'named_right', 'shortages'):.1f} %,"
        f" told before {share(score, 'slow_told_before', 'slow_shortages'):.1f} % of the {score['slow_shortages']} slow ones;"
        f" {score['healthy_alerts']} alerts in {score['healthy_seeds']} healthy seeds, {score['useless_writes']} useless"
        f" writes, {score['remedies_taken_back']} remedies taken back, {score['owed']} owed,"
        f" {score['contradictions']} contradictions, {score['false_claims']} false claims,"
        f" {score['flapping']} flapping; {score['unseen']} of programs that never had a port"
    )


def below(score, floor):
    """What of the score is worse than the floor."""
    found = []
    for part, whole in (("named_right", "shortages"), ("slow_told_before", "slow_shortages")):
        if share(score, part, whole) < floor[part]:
            found.append(f"{part}: {share(score, part, whole):.1f} % of {score[whole]}, at least {floor[part]} % is asked for")
    for key in (*LOSSES, "unseen"):
        if score[key] * 100 > floor[key] * score["seeds"]:
            found.append(f"{key}: {score[key]} in {score['seeds']} seeds, at most {floor[key]} in a hundred is asked for")
    return found


def lost_of_kept():
    """Mixes that lost once, for reasons that were mended."""
    found = []
    for mix, why in json.loads(KEPT.read_text()).items():
        command = [BUILD / "tests/oracle/oracle", mix, mix.partition("/")[0]]
        score = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        short = score["named_right"] < score["shortages"] or score["slow_told_before"] < score["slow_shortages"]
        if short or any(score[key] for key in LOSSES):
            found.append(f"{mix} loses again: {why}")
    return found


def test(count):
    """Fixed seeds, then new ones: those have to end, and to leave nothing behind; how many of them lose is chance."""
    floor = json.loads(FLOOR.read_text())
    score = play(1, count)
    print(line(score))
    found = lost_of_kept() + below(score, floor)
    new = int(time.time()) * 1000
    score = play(new, new + max(count // 10, 1) - 1)
    print(f"seeds {new} and on: {line(score)}")
    for key in ("owed", "contradictions", "false_claims"):
        if score[key]:
            found.append(f"{key}: {score[key]}, from seed {new} on")
    for said in found:
        print(f"FAIL: oracle: {said}")
    print(f"{2 - bool(found)} passed, {1 if found else 0} failed, 0 skipped")
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1-1000")
    parser.add_argument("--json")
    parser.add_argument("--story", action="store_true")
    parser.add_argument("--test", type=int)
    chosen = parser.parse_args()
    if chosen.test:
        return test(chosen.test)
    first, _, last = chosen.seeds.partition("-")
    score = play(int(first), int(last or first), chosen.story)
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps(score) + "\n")
    print(line(score))
    return 0


if __name__ == "__main__":
    sys.exit(main())
