# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figures 1 and 2: messages and bulk, sent by smtp-source to smtp-sink."""

import time

from ends import Ends
from mail import SmtpSink, smtp_source
from peers import Spent
from result import Figure, Metric, Target

CPU = Metric("us CPU/message", -1, 0.9)
KERNEL = Metric("us of it kernel")
SOFTIRQ = Metric("us softirq, machine")
ENDS, FORWARDING = Metric("us CPU, all ends"), Metric("us of it forwarding")


def send(bench, peer, count, size, sessions, together, server=None):
    """Sends so many messages; (seconds, what the peer spent, with "ends" what all did)."""
    ends = Ends(peer, server.process) if server else None
    options = ["-s", sessions, "-m", count, "-l", size, *(["-d"] if together else [])]
    spent, began = Spent(peer), time.monotonic()
    smtp_source(bench.lab.client, peer.target, *map(str, options), timeout=300)
    seconds = time.monotonic() - began
    used = spent.settled().used()
    return seconds, used | ({"ends": ends.used()} if ends else {})


def sink(bench):
    # its name in the greeting costs it no look-up
    return SmtpSink(bench.lab.dmz, options=("-h", "mx.dmz.example"), keep=False)


def one(bench):
    title = "Messages: CPU time of the peer's processes a message, and messages a second"
    figure = Figure(1, title,
                    [CPU, Metric("messages/s", +1, 1.0, 0), KERNEL, SOFTIRQ, ENDS, FORWARDING])
    cases = {}
    for size in (4096, 65536):
        for together in (False, True):
            for sessions in (1, 20, 200):
                count = bench.count(600 if sessions == 1 else 2000) // (1 if size == 4096 else 2)
                name = (f"{size // 1024} KB, {sessions} sessions, "
                        f"{'many' if together else 'one'} each")
                cases[name] = (max(count, 2 * sessions), size, sessions, together)
    if bench.smoke:
        cases = dict(list(cases.items())[1::4])
    figure.targets = [target for case in cases for target in (
        Target("messages/s", case, "path-kernel", "dnat", least=0.97),
        Target(FORWARDING.name, case, "path-kernel", "haproxy", most=0.25))]

    def measure(peer, name):
        count = cases[name][0]
        seconds, used = send(bench, peer, *cases[name], server=server)
        values = {"messages/s": count / seconds, SOFTIRQ.name: used["softirq"] / count * 1e6,
                  ENDS.name: used["ends"] / count * 1e6}
        if peer.pids():
            values |= {CPU.name: used["cpu"] / count * 1e6,
                       KERNEL.name: used["kernel"] / count * 1e6}
        return values
    server = sink(bench)
    bench.alternate(figure, cases, measure)
    server.stop()
    for case in cases:
        figure.add_above(case, "direct", ENDS.name, FORWARDING.name)
    return figure


def two(bench):
    figure = Figure(2, "Bulk: messages of 25 MB",
                    [Metric("CPU s/GB", -1, 0.9, 3), Metric("MB/s", +1, 1.0, 0),
                     Metric("softirq s/GB, machine", digits=3)])
    size = 25 << 20
    cases = {"1 at a time": (1, 6), "8 at a time": (8, 16)}

    def measure(peer, name):
        sessions, count = cases[name]
        count = max(sessions, bench.count(count))
        seconds, used = send(bench, peer, count, size, sessions, False)
        gigabytes = count * size / 1e9
        values = {"MB/s": gigabytes * 1000 / seconds,
                  "softirq s/GB, machine": used["softirq"] / gigabytes}
        if peer.pids():
            values["CPU s/GB"] = used["cpu"] / gigabytes
        return values
    server = sink(bench)
    bench.alternate(figure, cases, measure)
    server.stop()
    return figure
