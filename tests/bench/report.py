# SPDX-License-Identifier: GPL-2.0-or-later
"""What was found, as tables for people; beside the limits that it is held against."""

MILLION = 1_000_000

OURS = ("gauge", "census", "census-all", "survey")
COLUMNS = (*OURS, "raw family", "raw legacy", "raw masked", "ss | wc", "node_exporter")


def duration(seconds):
    """Three digits, and the unit that fits."""
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1 or unit == "us":
            value = seconds * scale
            return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"
    raise AssertionError


def count(number):
    for unit, scale in (("M", 10**6), ("k", 10**3)):
        if number >= scale and number % scale == 0:
            return f"{number // scale} {unit}"
    return str(number)


def table(rows, out):
    """Columns as wide as they must be; the first is text."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip(), file=out)


def cpu(contest, name):
    figure = contest["figures"].get(name)
    return figure["cpu_ns"] / 1e9 if figure else None


def raw(contest):
    """The limit: the faster of the two ways to dump all."""
    return min(cpu(contest, "raw family"), cpu(contest, "raw legacy"))


def machine(host, out):
    print(
        f"Linux {host['kernel']}, {host['cores']} x {host['cpu']}, load {host['load_before']:.2f} at the beginning",
        file=out,
    )
    print(f"{host['compiler']}\n", file=out)


def contests(found, out):
    """One table of CPU time, one of wall time, one of CPU time against the raw dump."""
    for title, cell in (
        ("CPU time, user and kernel (medians)", lambda contest, name: duration(cpu(contest, name))),
        ("wall time (medians)", lambda contest, name: duration(contest["figures"][name]["wall_ns"] / 1e9)),
        ("CPU time, raw dump = 1", lambda contest, name: f"{cpu(contest, name) / raw(contest):.3f}"),
    ):
        rows = [(title, "destinations", *COLUMNS)]
        for contest in found:
            cells = [cell(contest, name) if name in contest["figures"] else "-" for name in COLUMNS]
            rows.append((f"{count(contest['number'])} {contest['state']}", count(contest["destinations"]), *cells))
        table(rows, out)
        print(file=out)


def _percent(share):
    return f"{share * 100:.3f} %"


def _mib(kib):
    return f"{kib / 1024:.1f} MiB"


def _lives(found):
    """The daemon's lives, each with a title."""
    steady = found["steady"]
    return [("empty", found["idle"]), (f"{count(steady['number'])} TIME-WAIT", steady)]


def daemon(found, out):
    """The daemon as it lives: its share of a core, its memory, its ticks and reloads."""
    ticks, waits = ("a tick", "a wake", "and its reads"), ("reload p50", "p99", "max", "late", "answer p50", "p99", "max", "late")
    rows = [("the daemon", "share of a core", "over", "RSS", "RSS at the end", *ticks, *waits)]
    for title, trial in _lives(found):
        live, patience = trial["live"], (trial["reloads"], trial["answers"])
        rows.append(
            (
                title,
                _percent(live["share"]),
                f"{live['seconds']:.0f} s",
                _mib(live["rss_kib"]),
                _mib(live["rss_kib_after"]),
                duration(trial["ticks"]["tick_cpu_ns"] / 1e9),
                *(duration(trial[name]["cpu_ns"] / 1e9) for name in ("wake", "wake_gauge")),
                *(duration(waits[f"{name}_seconds"]) for waits in patience for name in ("median", "p99", "max", "late")),
            )
        )
    memory = found.get("memory")
    if memory:
        live = memory["live"]
        title = f"{count(memory['number'])} TIME-WAIT, {count(memory['destinations'])} destinations"
        rss = _mib(live["rss_kib"]), _mib(live["rss_kib_after"])
        rows.append((title, _percent(live["share"]), f"{live['seconds']:.0f} s", *rss, *"-----------"))
    table(rows, out)
    print(file=out)


def _ratio(title, value, limit):
    return {"work": title, "limit": f"<= {limit:.2f}", "found": f"{value:.3f}", "holds": value <= limit}


def _of_contest(contest):
    what = f"{count(contest['number'])} {contest['state']}"
    rows = []
    if contest["state"] == "time-wait":
        rows.append(_ratio(f"census / raw dump, {what}", cpu(contest, "census") / raw(contest), 0.30))
    walk = cpu(contest, "census") / cpu(contest, "raw masked")
    rows.append(_ratio(f"census / the kernel's bare walk, {what}", walk, 1.15))
    survey = cpu(contest, "survey")
    rows.append(_ratio(f"survey / raw dump, {what}", survey / raw(contest), 1.15))
    rows.append(_ratio(f"survey / `ss | wc`, {what}", survey / cpu(contest, "ss | wc"), 0.25))
    if "node_exporter" in contest["figures"]:
        rows.append(_ratio(f"survey / node_exporter, {what}", survey / cpu(contest, "node_exporter"), 1 / 3))
    return rows


def _limit(title, value, limit, text):
    return {"work": title, "limit": f"<= {text(limit)}", "found": text(value), "holds": value <= limit}


def verdicts(found):
    """The contract: each row that this run has measured."""
    rows = []
    for title, trial in _lives(found):
        tick, wake = trial["ticks"]["tick_cpu_ns"] / 1e9, trial["wake"]["cpu_ns"] / 1e9
        rows.append(_limit(f"gauge tick, {title}", tick, 150e-6, duration))
        rows.append(_limit(f"gauge tick, {title}, above that of a bare wake", tick - wake, 150e-6, duration))
    for contest in found["contests"]:
        gauge = cpu(contest, "gauge")
        if gauge > 150e-6:
            title = f"gauge, {count(contest['number'])} {contest['state']}"
            rows.append(_limit(title, gauge, 150e-6, duration))
    rows.append(_limit("idle daemon, share of a core", found["idle"]["live"]["share"], 0.0005, _percent))
    for contest in found["contests"]:
        if contest["number"] >= MILLION:
            rows += _of_contest(contest)
    steady = found["steady"]
    title = f"default configuration at {count(steady['number'])} TIME-WAIT"
    rows.append(_limit(title, steady["live"]["share"], 0.01, _percent))
    for what, title in (("reloads", "reload"), ("answers", "answer over D-Bus")):
        late = steady[what]["max_seconds"] - found["idle"][what]["median_seconds"]
        rows.append(_limit(f"{title} in the middle of dumps, worst, above that of idle", late, 0.020, duration))
        if late > 0.020:
            late -= steady[what]["late_seconds"]
            rows.append(_limit("  the same, above what a process waits that only sleeps", max(late, 0), 0.020, duration))
    memory = found.get("memory")
    if memory:
        live = memory["live"]
        title = f"memory at {count(memory['number'])} sockets, {count(memory['destinations'])} destinations"
        rows.append(_limit(title, live["rss_kib_most"], 12 * 1024, _mib))
        grown = live["rss_kib_after"] - live["rss_kib"]
        rows.append(_limit(f"memory that came in {live['seconds']:.0f} s", max(grown, 0), 128, _mib))
    return rows


def contract(rows, out):
    lines = [("contract", "limit", "found", "holds")]
    lines += [(row["work"], row["limit"], row["found"], "yes" if row["holds"] else "NO") for row in rows]
    table(lines, out)
