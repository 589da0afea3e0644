# SPDX-License-Identifier: GPL-2.0-or-later
from busy import churn
from failing.one_destination import OneDestination
from servers import start_nginx

RATE, QUIET_RATE = 3500, 100


class TwoDestinations(OneDestination):
    name = "two-destinations"
    title = "one destination is full, another is well"
    must = "only the full one named; clients of the other lose nothing; put back"
    story = f"""\
Two servers: `httperf` opens {RATE} connections a second to the first, `h2load` {QUIET_RATE} a second to the second.
Ports run out for each destination on its own, so a count of all sockets says nothing about either. timewaitd must name
the first alone, and the clients of the second must not lose a connection.
Where other programs want the processors too, `httperf` has left up to 578 of these connects untried (1022 under way)."""
    driven_by = "httperf, h2load, nginx"

    def prepare(self, stage):
        super().prepare(stage)
        start_nginx(stage, stage.peer("10.2.0.2/24"), "10.2.0.2:80")

    def load(self, stage):
        quiet = churn(stage, stage.watched, "http://10.2.0.2:80/", QUIET_RATE, 8 if stage.short else self.seconds)
        load = self.fill(stage, RATE)
        attempts, stage.facts["lost"] = quiet.finish()
        load.note += f"; to the other {attempts} connects, {stage.facts['lost']} of them failed"
        return load

    def judge(self, outcome):
        lost = outcome.watched.facts["lost"]
        return super().judge(outcome) + ([f"{lost} connects to the other failed"] if lost else [])
