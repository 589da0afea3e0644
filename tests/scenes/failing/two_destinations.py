# SPDX-License-Identifier: GPL-2.0-or-later
from failing.one_destination import OneDestination
from scene import Load
from servers import Httperf, start_nginx

RATE, QUIET_RATE = 4000, 100


class TwoDestinations(OneDestination):
    name = "two-destinations"
    title = "one destination is full, another is well"
    must = "only the full one named; clients of the other lose nothing; put back"
    story = f"""\
Two servers: `httperf` opens {RATE} connections a second to the first and {QUIET_RATE} a second to the second. Ports run
out for each destination on its own, so a count of all sockets says nothing about either. timewaitd must name the first
alone, and the clients of the second must not lose a connection."""

    def prepare(self, stage):
        super().prepare(stage)
        start_nginx(stage, stage.peer("10.2.0.2/24"), "10.2.0.2:80")

    def load(self, stage):
        seconds = 8 if stage.short else 40
        quiet = Httperf(stage, stage.watched, "10.2.0.2", 80, QUIET_RATE, seconds)
        full = Httperf(stage, stage.watched, "10.1.0.2", 80, RATE, seconds).finish()
        stage.facts["quiet"] = quiet.finish()
        return Load(full["attempts"], full["failed"], f"to the other: {stage.facts['quiet']['failed']} failed")

    def judge(self, outcome):
        lost = outcome.watched.facts["quiet"]["failed"]
        return super().judge(outcome) + ([f"{lost} connects to the other failed"] if lost else [])
