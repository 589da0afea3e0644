# SPDX-License-Identifier: GPL-2.0-or-later
"""A plugin of pytest: each test's outcome goes out of the virtual machine as it comes, a line of JSON."""

import json
import os


def _reason(report):
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(getattr(report.longrepr, "reprcrash", None) or report.longrepr or "").splitlines()[:1]


def pytest_runtest_logreport(report):
    if report.when != "call" and report.outcome == "passed":
        return
    line = {"test": report.nodeid, "outcome": report.outcome, "seconds": round(report.duration, 1)}
    if report.outcome != "passed":
        reason = _reason(report)
        line["reason"] = reason if isinstance(reason, str) else " ".join(reason)
    with open(os.environ["RESULTS"], "a") as results:
        results.write(json.dumps(line) + "\n")
