# SPDX-License-Identifier: GPL-2.0-or-later
"""The records of a bad morning, made up: as `timewaitd --log=json` would have written them."""

import json
import math

BEGIN = 1795330800  # 2026-11-22 07:00 UTC
MINUTE = 60
EVERY = 20  # seconds between two samples
HOST = "shop-frontend-07"

DESTINATIONS = """\
10.20.30.40 10.20.31.5:8443 13120 12984 131 5 46.5%
10.20.30.40 10.20.31.6:8443 4410 4392 18 0 15.6%
2001:db8:1234:5678:9abc:def0:1234:5678 [2001:db8:1234:5678:9abc:def0:1234:9999]:44300 812 640 172 0 2.9%
10.20.30.40 10.20.99.1:5432 240 0 240 0 0.9%
127.0.0.1 127.0.0.1:6379 32 30 2 0 0.1%
... and 412 more"""
LISTENERS = """\
0.0.0.0:443 502/511 1240 39 3 120 77.5%
[::]:9100 0/4096 3 0 0 14 unknown
127.0.0.1:6379 1/128 34 2 0 0 2.3%"""
UNITS = """\
shop-checkout-payment-gateway@europe-west-replica-2.service 339 4271.2s 10240
système de caisse.service 41 123.4s 0
unknown 2 5s 0"""
BOUND = """\
unbound.service 8
shop-checkout-payment-gateway@europe-west-replica-2.service 1"""


def states(second):
    """What the sockets are like so many seconds after the beginning: a burst of an hour, and a leak that stays."""
    rush = math.exp(-(((second - 62 * MINUTE) / (17 * MINUTE)) ** 2))
    waves = 0.5 + 0.5 * math.sin(second / 140)
    time_wait = 1800 + 24000 * rush + 700 * waves
    leak = max(0, (second - 70 * MINUTE) / 12)
    return {
        "LISTEN": 24,
        "SYN_SENT": round(3 * rush),
        "SYN_RECV": round(4 * rush * waves),
        "ESTABLISHED": round(420 + 900 * rush + 60 * waves),
        "FIN_WAIT_1": round(2 + 5 * rush),
        "FIN_WAIT_2": round(17 + 40 * waves),
        "CLOSE_WAIT": round(4 + leak),
        "LAST_ACK": 0,
        "CLOSING": 0,
        "TIME_WAIT": round(time_wait),
        "BOUND": 9,
        "PORT_USE": round(100 * (0.52 * time_wait + 131) / 28232, 3),
    }


def record(second, event, priority, message, **fields):
    return {
        "__REALTIME_TIMESTAMP": str(round((BEGIN + second) * 1_000_000)),
        "_HOSTNAME": HOST,
        "MESSAGE": message,
        "PRIORITY": str(priority),
        "TIMEWAITD_EVENT": event,
        "TIMEWAITD_NAMESPACE": "host",
        **{"TIMEWAITD_" + name: str(value) for name, value in fields.items()},
    }


def raised(second, priority, message, rule, metric, value, threshold):
    return record(
        second,
        "raised",
        priority,
        message,
        RULE=rule,
        METRIC=metric,
        VALUE=value,
        THRESHOLD=threshold,
        USABLE_PORTS=28232,
        TOP_DESTINATIONS=DESTINATIONS,
        TOP_LISTENERS=LISTENERS,
        TOP_UNITS=UNITS,
        TOP_BOUND=BOUND,
        **states(second),
    )


def told():
    """All but the samples."""
    busy = "10.20.30.40 -> 10.20.31.5:8443"
    reuse = {"RULE": "port-exhaustion", "SYSCTL": "net.ipv4.tcp_tw_reuse"}
    waits = {"RULE": "fin-wait", "SYSCTL": "net.ipv4.tcp_fin_timeout"}
    wide = {"RULE": "wide-range", "SYSCTL": "net.ipv4.ip_local_port_range"}
    yield record(1, "started", 5, "timewaitd 0.1.0 watches host with 6 rules in mode enforce.")
    yield raised(
        3410.2,
        4,
        f"port-exhaustion: {busy} uses 45.9% of its ports (threshold 45%), 12967 of 28232, TIME-WAIT 12832.",
        "port-exhaustion",
        "port-use",
        45.9,
        45,
    )
    yield record(
        3410.3,
        "adjusted",
        5,
        "port-exhaustion: set net.ipv4.tcp_tw_reuse from 2 to 1, so that connect() may take a port in TIME-WAIT again.",
        OLD="2",
        NEW="1",
        **reuse,
    )
    yield record(
        3440.3,
        "effect",
        5,
        "port-exhaustion: net.ipv4.tcp_tw_reuse=1 helped: 1240 ports a second are taken again, port-use fell from 46.5% to "
        "31.2% in 30s.",
        **reuse,
    )
    yield record(
        3600,
        "refused",
        4,
        "net.ipv4.ip_local_port_range was not set for wide-range: /etc/timewaitd/timewaitd.conf.d/wide.conf:12 asks for "
        "it, and timewaitd does not change it any more: while services run, that can take a port that one of them is "
        "about to use. Instead: set it for good in a file of /etc/sysctl.d; `timewaitctl explain "
        "net.ipv4.ip_local_port_range` tells more.",
        **wide,
    )
    yield record(
        4100, "yielded", 4, "net.ipv4.tcp_fin_timeout is now 45, and not what timewaitd has set (30): left alone.", OLD="30",
        NEW="45", **waits
    )
    yield raised(
        4510.7,
        3,
        "accept-queue-full: the accept queue of 0.0.0.0:443 is 98.2% full (502 of 511): the unit nginx.service does not "
        "accept fast enough.",
        "accept-queue-full",
        "accept-queue",
        98.2,
        80,
    )
    yield record(4530.7, "cleared", 5, "accept-queue-full: cleared after 20s.", RULE="accept-queue-full")
    yield record(5020, "cleared", 5, "port-exhaustion: cleared after 26min 50s.", RULE="port-exhaustion")
    yield record(
        5020.1, "restored", 5, "port-exhaustion: put net.ipv4.tcp_tw_reuse back from 1 to 2.", OLD="1", NEW="2", **reuse
    )
    yield raised(
        5460,
        3,
        "close-wait-leak: 102 sockets are in CLOSE-WAIT for more than 1min (threshold 100): "
        "shop-checkout-payment-gateway@europe-west-replica-2.service does not close them.",
        "close-wait-leak",
        "close-wait-aged",
        102,
        100,
    )
    yield record(
        5461,
        "advice",
        5,
        "close-wait-leak: restart or mend shop-checkout-payment-gateway@europe-west-replica-2.service; no sysctl helps.",
        RULE="close-wait-leak",
    )
    yield record(
        6300, "stretched", 6, "The census and the survey come half as often: they took more than 1% of a CPU."
    )


def samples(minutes):
    """The daemon was away for some minutes: where samples are missing, so has the line to be."""
    for second in range(0, minutes * MINUTE, EVERY):
        if not 29 * MINUTE <= second < 35 * MINUTE:
            yield record(second, "sample", 6, "A sample.", **states(second))


def records(minutes=120):
    """All of them, in the order of time."""
    every = [*samples(minutes), *(one for one in told() if one["TIMEWAITD_EVENT"] == "started" or minutes >= 120)]
    return sorted(every, key=lambda one: int(one["__REALTIME_TIMESTAMP"]))


def write(path, found):
    path.write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
    return path
