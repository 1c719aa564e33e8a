# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figure 11: what it costs to have messages judged by a milter, beside Postfix with the same."""

import time

from figures_mail import sink
from mail import smtp_source
from peers import Spent
from result import Figure, Metric, Target

ONE, MANY = "4 KB, 20 sessions, one each", "4 KB, 20 sessions, many each"
BULK, BULKS = "25 MB, 1 at a time", "25 MB, 8 at a time"
CPU, FILTER, COPIED = "us CPU/message", "us of it the filter", "MB/s"
SIZE = 25 << 20

# that of the gateway that gives on what it reads, at least so much of it
COPY = 0.8
TARGETS = (*(Target(CPU, case, peer, "postfix-milter", most=1.0)
             for case in (ONE, MANY) for peer in ("stream", "whole")),
           *(Target(COPIED, case, peer, "message", least=COPY)
             for case in (BULK, BULKS) for peer in ("stream", "whole")))


def eleven(bench):
    figure = Figure(11, "Messages judged by a milter (OpenDKIM, verifying): CPU of all processes, "
                    "the filter's among them",
                    [Metric(CPU), Metric(FILTER), Metric("messages/s", digits=0),
                     Metric(COPIED, digits=0), Metric("CPU s/GB", digits=3)], TARGETS)
    count = max(40, bench.count(2000))
    cases = {ONE: lambda peer: small(bench, peer, count, False),
             MANY: lambda peer: small(bench, peer, count, True),
             BULK: lambda peer: bulk(bench, peer, 1, 6),
             BULKS: lambda peer: bulk(bench, peer, 8, 16)}
    server = sink(bench)
    bench.alternate(figure, cases, lambda peer, case: cases[case](peer), fresh=True,
                    among=bench.scanning_peers)
    server.stop()
    return figure


def send(bench, peer, count, size, sessions, together):
    """Sends so many, until the server has the last; (seconds, what the peer spent)."""
    options = ["-s", sessions, "-m", count, "-l", size, *(["-d"] if together else [])]
    spent, began = Spent(peer), time.monotonic()
    smtp_source(bench.lab.client, peer.target, *map(str, options), timeout=300)
    if hasattr(peer, "rest"):
        peer.rest()
    seconds = time.monotonic() - began
    return seconds, spent.settled().used()


def small(bench, peer, count, together):
    send(bench, peer, 40, 4096, 20, together)
    seconds, used = send(bench, peer, count, 4096, 20, together)
    return {CPU: used["cpu"] / count * 1e6, "messages/s": count / seconds,
            FILTER: used.get("filter", 0) / count * 1e6}


def bulk(bench, peer, sessions, full):
    count = max(sessions, bench.count(full))
    seconds, used = send(bench, peer, count, SIZE, sessions, False)
    return {COPIED: count * SIZE / 1e6 / seconds, "CPU s/GB": used["cpu"] / (count * SIZE / 1e9)}
