# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns running the bench's own load generator (load.c) in a host."""

import contextlib
import json
import os
import subprocess

from lab import wait_until
from mail import BUILD

PROGRAM = os.path.join(BUILD, "test", "bench-load")


def run(host, *words, timeout=120):
    """The JSON lines that it printed."""
    done = host.run(PROGRAM, *map(str, words), timeout=timeout)
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextlib.contextmanager
def running(host, *words, input_=None, output=subprocess.DEVNULL):
    """Runs beside what is measured; its Popen."""
    process = host.popen(PROGRAM, *map(str, words), stdin=input_, stdout=output, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def server(lab, *signed):
    """A server in the dmz that answers each line at once; with a certificate and its key, in TLS,
    too."""
    mode = "tls-serve" if signed else "serve"
    with running(lab.dmz, mode, lab.dmz.ip4, 25, *signed) as process:
        wait_until(lambda: _greets(lab), 10, "the bench's server greets")
        yield process


def _greets(lab):
    with contextlib.suppress(OSError), lab.dmz.connect(lab.dmz.ip4, 25, 1) as sock:
        return sock.recv(3) == b"220"
    return False
