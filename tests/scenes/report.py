# SPDX-License-Identifier: GPL-2.0-or-later
"""What came of the scenes: as a table for a terminal, as Markdown, as JSON."""

import json
import platform

from scene import false_alarms

HEADS = ("scene", "failed without", "failed with", "told after", "acted after", "named", "put back", "false alarms", "ended")


def verdict(run):
    if run.outcome.skipped:
        return f"skipped: {run.outcome.skipped}"
    return "as it must" if not run.faults else "NOT as it must: " + "; ".join(run.faults)


def _failed(play):
    if play is None or play.load.failed is None:
        return "-"
    return f"{play.load.failed} of {play.load.attempts}"


def _seconds(value):
    return "-" if value is None else f"{value:.1f} s"


def _unique(records, field):
    return ", ".join(dict.fromkeys(record["TIMEWAITD_" + field] for record in records)) or "-"


def _row(run):
    play = run.outcome.watched
    ended = "skipped" if run.outcome.skipped else "as it must" if not run.faults else "NOT as it must"
    if play is None:
        return [run.scene.name, *["-"] * (len(HEADS) - 2), ended]
    return [
        run.scene.name,
        _failed(run.outcome.alone),
        _failed(play),
        _seconds(play.first_word()),
        _seconds(play.first("adjusted", "destroyed")),
        ", ".join(play.named()[:2]) or "-",
        _unique(play.of("restored"), "SYSCTL"),
        str(len(false_alarms(run.scene, play))),
        ended,
    ]


def text(runs):
    rows = [HEADS, *map(_row, runs)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def markdown(runs):
    rows = [HEADS, ["---"] * len(HEADS), *map(_row, runs)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _play_values(scene, play):
    if play is None:
        return None
    return {
        "attempts": play.load.attempts,
        "failed": play.load.failed,
        "note": play.load.note,
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
        "kernel": platform.release(),
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
    if options.markdown:
        options.markdown.write_text(markdown(runs))
    skipped = sum(1 for run in runs if run.outcome.skipped)
    failed = sum(1 for run in runs if run.faults)
    print(f"\n{text(runs)}\n")
    print(f"{len(runs) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
