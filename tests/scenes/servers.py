# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers and clients that several scenes use: Debian's nginx, and httperf, which paces itself and counts EADDRNOTAVAIL."""

import re
import subprocess

NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log {folder}/nginx.errors;
events {{ worker_connections 32768; }}
http {{
	access_log off;
	keepalive_timeout {keepalive}s;
	client_body_temp_path {folder};
	proxy_temp_path {folder};
	fastcgi_temp_path {folder};
	uwsgi_temp_path {folder};
	scgi_temp_path {folder};
	server {{
{listen}
		location / {{ {body} }}
	}}
}}
"""


def start_nginx(stage, namespace, *addresses, body='return 200 "well\\n";', keepalive=60):
    """nginx on these addresses ("10.1.0.2:80"); it listens when this returns."""
    folder = stage.directory / f"nginx-{namespace.name}-{addresses[0].replace(':', '-')}"
    folder.mkdir()
    listen = "\n".join(f"\t\tlisten {address} backlog=4096;" for address in addresses)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, listen=listen, body=body, keepalive=keepalive))
    started = stage.start(namespace, "nginx", "-c", config, "-e", folder / "nginx.errors")
    for address in addresses:
        stage.wait_listening(namespace, address.rsplit(":", 1)[1])
    return started


class Httperf:
    """httperf under way: `rate` connections a second with one request each, which it closes itself, for `seconds`."""

    def __init__(self, stage, namespace, address, port, rate, seconds, *options):
        self._timeout = seconds * 3 + 60
        self._process = stage.start(
            namespace,
            "httperf",
            f"--server={address}",
            f"--port={port}",
            f"--rate={rate}",
            f"--num-conns={rate * seconds}",
            "--timeout=5",
            *options,
            stdout=subprocess.PIPE,
            text=True,
        )

    def finish(self):
        """Waits for its end; returns what it counted.

        fd-unavail is its own limit: with 1022 connections under way it does not try to open more. That many are under
        way where connect() has become too slow for the rate; or for a moment, when it was not given a core for a fifth
        of a second and then catches up. EADDRNOTAVAIL of connect() is among its other errors; addrunavail is of bind().
        """
        said, _ = self._process.communicate(timeout=self._timeout)
        numbers = re.search(r"^Total: connections (\d+) .* replies (\d+) test-duration ([\d.]+)", said, re.M)
        errors = re.search(r"^Errors: fd-unavail (\d+) addrunavail (\d+) ftab-full \d+ other (\d+)", said, re.M)
        total = re.search(r"^Errors: total (\d+) client-timo (\d+)", said, re.M)
        if not (numbers and errors and total):
            raise RuntimeError(f"httperf said: {said}")
        return {
            "attempts": int(numbers[1]) + int(errors[1]) + int(errors[2]),
            "replies": int(numbers[2]),
            "seconds": float(numbers[3]),
            "failed": int(total[1]),
            "not tried": int(errors[1]),
            "timed out": int(total[2]),
            "without a port": int(errors[3]),
        }
