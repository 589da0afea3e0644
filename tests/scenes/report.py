# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of the scenes: as a table for a terminal, as docs/outcomes.md, as JSON."""

import json
import os
import pathlib
import platform
import re
import time

from scene import QUIET_EVENTS, false_alarms

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/outcomes.md"
# Lines of what the daemon said that the document shows of a scene.
SAID_MAX = 12
# What a distribution adds to the version says nothing elsewhere.
KERNEL = platform.release().split("-")[0]

# What the introduction says of either form: which it was, what that means, and what the daemon was configured with.
FULL = {
    "FORM": "Played in full",
    "MEANING": "The loads are those of the stories.",
    "CONFIGURATION": """\
- timewaitd runs as installed, with the shipped `timewaitd.conf` and nothing else. Where a scene needs a drop-in, it is
  one from `conf/examples`, and the scene says so.""",
}
SHORT = {
    "FORM": "Played in the short form",
    "MEANING": """\
Loads last for seconds, so that many are smaller than in their stories: what they came to stands under *The load*.
Healthy scenes are played once, with timewaitd. `./dev scenes` plays all of it in full.""",
    "CONFIGURATION": """\
- timewaitd runs as installed, with the shipped `timewaitd.conf` and drop-ins of the short form: rules clear within
  seconds, `proof-after` is 5 s, and some scenes have levels, ages, steps or intervals that are as small as their loads.
  Where a scene needs another drop-in, it is one from `conf/examples`, and the scene says so.""",
}

HEADS = (
    "scene",
    "driven by",
    "failed without",
    "failed with",
    "told after",
    "acted after",
    "named",
    "put back",
    "false alarms",
    "as it must end",
)


def verdict(run):
    """Yes, no, or why it was not played."""
    if run.outcome.skipped:
        return f"skipped: {run.outcome.skipped}"
    return "no: " + "; ".join(run.faults) if run.faults else "yes"


def _failed(play):
    if play is None or play.load.failed is None:
        return "-"
    return f"{play.load.failed} of {play.load.attempts}"


def _seconds(value):
    return "-" if value is None else f"{value:.1f} s"


def _some(names):
    names = list(dict.fromkeys(names))
    return ", ".join(names[:2] + ["..."] * (len(names) > 2)) or "-"


def _figures(run):
    play = run.outcome.watched
    if play is None:
        return [_failed(run.outcome.alone), *["-"] * 6]
    return [
        _failed(run.outcome.alone),
        _failed(play),
        _seconds(play.first_word()),
        _seconds(play.first("adjusted", "destroyed")),
        _some(play.named()),
        _some(record["TIMEWAITD_SYSCTL"].split(".")[-1] for record in play.of("restored")),
        str(len(false_alarms(run.scene, play))),
    ]


def _row(run):
    return [run.scene.name, run.scene.driven_by or "-", *_figures(run), verdict(run)]


def text(runs):
    """Aligned; who drove it stands in the document, and what was missed below."""
    rows = [HEADS, *map(_row, runs)]
    rows = [[cell.split(":")[0] if i == len(row) - 1 else cell for i, cell in enumerate(row) if i != 1] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines + [f"\n{run.scene.name}: {fault}" for run in runs for fault in run.faults])


def markdown(runs):
    rows = [HEADS, ["---"] * len(HEADS), *map(_row, runs)]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows)


def _said(play):
    """What the daemon said, for the document: each alarm, and what it did about it."""
    lines = [f"{r['SINCE']:6.1f} s  {r['MESSAGE']}" for r in play.records if r["TIMEWAITD_EVENT"] not in QUIET_EVENTS]
    return "\n".join(f"    {line}" for line in lines[:SAID_MAX] + ["        ..."] * (len(lines) > SAID_MAX))


def _told(scene):
    return f"### {scene.name}: {scene.title}\n\n{scene.story}\n\n*Must end:* {scene.must}."


def section(run):
    """The paragraph of one scene, and what the daemon said in it."""
    scene, play = run.scene, run.outcome.watched
    parts = [_told(scene)]
    if scene.drop_in:
        parts.append(f"*Configuration:* as shipped, and `conf/examples/{scene.drop_in}`.")
    if play and play.load.note:
        parts.append(f"*The load, with timewaitd:* {play.load.note}.")
    if play and _said(play):
        parts += ["What timewaitd said, in seconds from the onset:", _said(play)]
    elif play:
        parts.append("timewaitd said nothing.")
    return "\n\n".join(parts)


def untold(runs, text):
    """The scenes that a document does not have, or tells otherwise: it is not that of these scenes."""
    return [run.scene.name for run in runs if _told(run.scene) not in text]


def document(runs, short):
    """docs/outcomes.md: its frame, with what these scenes came to."""
    texts = {
        "KERNEL": KERNEL,
        "CORES": str(os.cpu_count()),
        **(SHORT if short else FULL),
        "DATE": time.strftime("%Y-%m-%d", time.gmtime()),
        "FAILING-TABLE": markdown([run for run in runs if not run.scene.healthy]),
        "HEALTHY-TABLE": markdown([run for run in runs if run.scene.healthy]),
        "FAILING": "\n\n".join(section(run) for run in runs if not run.scene.healthy),
        "HEALTHY": "\n\n".join(section(run) for run in runs if run.scene.healthy),
    }
    frame = pathlib.Path(__file__).with_name("frame.md").read_text()
    return re.sub("@([A-Z-]+)@", lambda found: texts[found[1]], frame)


def _play_values(scene, play):
    if play is None:
        return None
    return {
        "attempts": play.load.attempts,
        "failed": play.load.failed,
        "note": play.load.note,
        "seconds": round(play.seconds, 1),
        "told-after": play.first_word(),
        "acted-after": play.first("adjusted", "destroyed"),
        "named": play.named(),
        "put-back": [record["TIMEWAITD_SYSCTL"] for record in play.of("restored")],
        "not-put-back": play.changed,
        "false-alarms": [record["MESSAGE"] for record in false_alarms(scene, play)],
        "facts": play.facts,
        "records": [{"since": r["SINCE"], "event": r["TIMEWAITD_EVENT"], "message": r["MESSAGE"]} for r in play.records],
    }


def values(runs, short):
    return {
        "kernel": KERNEL,
        "short": short,
        "scenes": [
            {
                "name": run.scene.name,
                "must": run.scene.must,
                "healthy": run.scene.healthy,
                "seconds": round(run.seconds, 1),
                "skipped": run.outcome.skipped,
                "faults": run.faults,
                "without": _play_values(run.scene, run.outcome.alone),
                "with": _play_values(run.scene, run.outcome.watched),
            }
            for run in runs
        ],
    }


def tell(runs, options):
    """Prints it all. Returns the exit status: 1 if a scene did not end as it must."""
    if options.json:
        options.json.write_text(json.dumps(values(runs, options.short), indent=1) + "\n")
    if options.document:
        options.document.write_text(document(runs, options.short))
    skipped = sum(1 for run in runs if run.outcome.skipped)
    failed = sum(1 for run in runs if run.faults)
    print(f"\n{text(runs)}\n")
    stale = [] if options.names else untold(runs, DOCUMENT.read_text())
    if stale:
        print(f"{DOCUMENT.name} is not of these scenes, write it anew with --document: {', '.join(stale)}")
    print(f"{len(runs) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or stale else 0
