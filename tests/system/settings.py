# SPDX-License-Identifier: GPL-2.0-or-later
"""Configurations for tests, which have no time to wait: of all kinds that run a daemon."""


def daemon_section(interval="100ms", census="100ms", survey="500ms", sample_record="0", **more):
    """
    [daemon] of one that looks often, so that a test need not wait; the budget for it is a whole core. Keys of `more` are
    written with "_" for "-".
    """
    keys = {
        "interval": interval,
        "census": census,
        "survey": survey,
        "cpu_budget": "100%",
        "sample_record": sample_record,
        **more,
    }
    return "[daemon]\n" + "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in keys.items())


def watching(*names, **more):
    """[daemon] of one that watches these network namespaces."""
    return daemon_section(namespaces=" ".join(names), **more)


QUICK = daemon_section()

# Sysctls that a rule may set, and what the tests let it set.
WANTED = {
    "net.ipv4.tcp_tw_reuse": "1",
    "net.ipv4.tcp_max_tw_buckets": "1048576",
    "net.ipv4.tcp_fin_timeout": "30",
}


def prompt_rule(name, metric, raise_at, clear_at, sysctls, always=True):
    """
    A rule that is raised and cleared at once, and then wants these sysctls: `always`, whether they help or not, is
    without gate and proof.
    """
    sets = "".join(f"set = {key}={value}\n" for key, value in sysctls.items())
    careless = "gate = no\nproof = no\n" if always else ""
    return f"""\

[rule {name}]
metric = {metric}
raise = {raise_at}
clear = {clear_at}
raise-for = 0s
clear-for = 0s
severity = notice
{careless}{sets}"""


def adjusting(sysctls=WANTED, head=QUICK, name="servers"):
    """A configuration with a rule that is raised while something listens, and then wants these sysctls."""
    return head + prompt_rule(name, "listen", 1, 0, sysctls)


# The shipped rule about ports on its own, with a hold that a test can wait for.
PORTS = """\
[rule port-exhaustion]
metric = port-use
raise = 45%
clear = 25%
clear-for = 1s
forecast = 15s
set = net.ipv4.tcp_tw_reuse=1
"""
