# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scene is, and what came of it. A scene is played twice: without the daemon, and with it."""

import dataclasses

from stage import Stage

# Records below this PRIORITY are alarms; informational ones, the history of samples among them, are not.
INFO = 6
QUIET_EVENTS = ("started", "stopped", "sample")
# A destination's record has its source beside it.
SUBJECTS = ("DESTINATION", "LISTENER", "UNIT", "SOURCE")


@dataclasses.dataclass
class Load:
    """What the clients of a scene met. None where the scene counts nothing."""

    attempts: int | None = None
    failed: int | None = None
    note: str = ""


@dataclasses.dataclass
class Play:
    """One playing of a scene; of the one without the daemon only the load is there."""

    load: Load
    seconds: float = 0  # until the load was over
    records: list = dataclasses.field(default_factory=list)
    changed: dict = dataclasses.field(default_factory=dict)  # sysctls that were not put back: (before, after)
    complaint: str = ""  # what the daemon said on standard error, or an ill end
    facts: dict = dataclasses.field(default_factory=dict)  # what a scene measured by itself: stage.facts

    def of(self, event, **fields):
        """The records of one event with these fields (RULE="x")."""
        return [
            record
            for record in self.records
            if record["TIMEWAITD_EVENT"] == event
            and all(record.get("TIMEWAITD_" + key) == value for key, value in fields.items())
        ]

    def alarms(self):
        return [
            record
            for record in self.records
            if int(record["PRIORITY"]) < INFO and record["TIMEWAITD_EVENT"] not in QUIET_EVENTS
        ]

    def named(self):
        """Whom the records hold responsible, without repetition."""
        found = [
            next((record[field] for field in map("TIMEWAITD_{}".format, SUBJECTS) if record.get(field)), None)
            for record in self.records
            if record["TIMEWAITD_EVENT"] not in QUIET_EVENTS
        ]
        return list(dict.fromkeys(name for name in found if name))

    def first(self, *events):
        """Seconds from the onset to the first record of these events; None where there is none."""
        times = [record["SINCE"] for record in self.records if record["TIMEWAITD_EVENT"] in events]
        return min(times, default=None)

    def first_word(self):
        """Seconds from the onset to the first alarm, or refusal, or whatever was said at all."""
        times = [r["SINCE"] for r in self.records if r["TIMEWAITD_EVENT"] not in QUIET_EVENTS]
        return min(times, default=None)


@dataclasses.dataclass
class Outcome:
    """Both playings; `watched` is the one with the daemon. A scene that could not be played has the reason in `skipped`."""

    alone: Play | None = None  # None also of a healthy scene in the short form
    watched: Play | None = None
    skipped: str = ""


class Scene:
    """
    What every scene overrides. prepare() builds servers and neighbours; load() is the trouble itself, or the honest work,
    and ends in bounded time; after() waits for what the daemon still has to do; judge() says what did not end as `must`
    has it, an empty list where all did.
    """

    name = ""
    title = ""
    must = ""  # how it has to end, in a sentence
    story = ""  # what happens and by which programs, a paragraph in Markdown for docs/outcomes.md
    driven_by = ""  # the programs that make it: who wrote the load
    healthy = False
    rules = ()  # the shipped rules that may speak up here; what others say is a false alarm
    drop_in = None  # the name of a file in conf/examples
    shorter = ""  # a drop-in of the short form alone, read last
    heavy = False  # its load needs the machine for itself
    stage = Stage

    def why_not(self):
        """Why it cannot be played on this machine; None where it can."""
        return None

    def prepare(self, stage):
        pass

    def load(self, stage):
        raise NotImplementedError

    def after(self, stage):
        """As it stands: until every change was put back, and every raised rule cleared."""
        if stage.daemon:
            stage.daemon.wait_for_peace()

    def judge(self, outcome):
        return []


def false_alarms(scene, play):
    """Alarms that nobody needed. That it measures less often on a machine in trouble is not one; on a healthy one it is."""
    expected = () if scene.healthy else (None, *scene.rules)
    return [record for record in play.alarms() if record.get("TIMEWAITD_RULE") not in expected]


def faults(scene, outcome):
    """Everything that is wrong with an outcome: what holds for each scene, and what this one adds."""
    play = outcome.watched
    found = [f"false alarm: {record['MESSAGE']}" for record in false_alarms(scene, play)]
    found += [f"not put back: {key} is {now}, was {was}" for key, (was, now) in play.changed.items()]
    if scene.healthy and play.of("adjusted"):
        found.append("a healthy machine was changed")
    if play.complaint:
        found.append(f"the daemon: {play.complaint}")
    return found + scene.judge(outcome)
