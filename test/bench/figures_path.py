# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figure 12: what a connection of a known client costs on the path in the kernel, however many
clients the kernel knows and however many servers the policy has."""

import load
from ends import Ends
from figures_scale import Clients, apply_
from lab import wait_until
from result import Figure, Metric, Target

CPU, KNOWN, IN_KERNEL = "us CPU/connection, all ends", "known p50", "% in the kernel alone"
RATE = 2000  # of first packets, which the limits in front of the queue let through
FLAT = 1.05


def servers(count):
    """So many, each with a rule, the matching ones last."""
    return "".join(f"server s{i} {{ host 203.0.113.{100 + i % 100} port {1000 + i}\n"
                   f'probe none path kernel }}\nrule r{i} {{ zone guest user "x{i}" server s{i} }}\n'
                   for i in range(count - 1))


def is_known(postern, clients, first):
    """Does the kernel lead this client by itself? Hosts of its family may come up later, and until
    then the relay has him."""
    def told():
        return postern.counter("admissions"), postern.counter("paths-begun")
    clients.come(first, 1, RATE)
    admitted, begun = told()
    clients.come(first, 1, RATE)
    return told() == (admitted, begun + 1)


def twelve(bench):
    many, most = bench.count(100000), bench.count(1000)
    entries = {f"{n} clients known to the kernel": n for n in (20, 1000, many)}
    numbers = {f"{n} servers": n for n in (1, 30, most)}
    targets = [Target(CPU, list(of)[-1], "path-kernel", None, most=FLAT, than=next(iter(of)))
               for of in (entries, numbers)]
    figure = Figure(12, "Path in the kernel: a known client's connection, SYN to SYN+ACK in us",
                    [Metric(CPU), Metric(KNOWN), Metric("known p99"),
                     Metric(IN_KERNEL, digits=2)], targets)
    clients = Clients(bench)
    lab = bench.lab

    def measure(peer, case):
        postern = peer.postern
        apply_(postern, peer.text(before_rules=servers(numbers.get(case, 1))))
        peer.wait_carried()
        known = entries.get(case, 20)
        start = clients.log_in(postern, known)
        wait_until(lambda: is_known(postern, clients, start), 20, "the kernel knows a client")
        clients.come(start, known, RATE)
        count = max(20, bench.count(4000))
        load.run(lab.client, "greet", peer.target, 25, 20)
        ends = Ends(peer, process)
        load.run(lab.client, "greet", peer.target, 25, count)
        values = {CPU: ends.used() / count * 1e6}
        before, sample = postern.counter("admissions"), min(known, max(20, bench.count(2000)))
        times = clients.come(start, sample, RATE)
        queued = postern.counter("admissions") - before
        return values | {KNOWN: times["p50"], "known p99": times["p99"],
                         IN_KERNEL: 100 - queued * 100 / sample}
    with load.server(lab) as process, load.running(lab.dmz, "serve", lab.dmz.ip6, 25):
        for round_ in range(bench.rounds):
            for case in list(entries) + list(numbers):
                bench.alternate(figure, [case], measure, names=("path-kernel",), fresh=True,
                                rounds=1, first=round_)
    return figure
