# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figures 3, 4 and 7: what a flow costs in time and memory, and what a restart costs."""

import os
import signal
import subprocess
import threading
import time

import load
from lab import wait_until
from postern import POSTERND, USER
from result import Figure, Metric

PAGE = os.sysconf("SC_PAGE_SIZE")


def three(bench):
    """Half load: connections at half the rate at which the slowest proxy greets them."""
    figure = Figure(3, "Latency, microseconds: one command and its reply; connect to greeting",
                    [Metric("p50", -1), Metric("p99", -1), Metric("p999", -1)])
    lab = bench.lab
    trips, greets = bench.count(10000), bench.count(1000)
    modes = {"round trip": ("trip", trips), "greeting": ("greet", greets)}
    cases = [f"{mode}, {state}" for state in ("idle", "half load") for mode in modes]
    with load.server(lab):
        rate = half_load(bench)

        def measure(peer, case):
            mode, state = case.split(", ")
            words = (modes[mode][0], peer.target, 25, modes[mode][1])
            if state == "idle":
                times = load.run(lab.client, *words)[0]
            else:
                with load.running(lab.client2, "pace", peer.target, 25, rate, 600):
                    times = load.run(lab.client, *words)[0]
            return {name: times[name] for name in ("p50", "p99", "p999")}
        bench.alternate(figure, cases, measure)
    figure.title += f" (half load: {rate} connections a second)"
    return figure


def half_load(bench):
    slowest = None
    for peer in bench.peers:
        if peer.proxies:
            peer.start()
            began = time.monotonic()
            load.run(bench.lab.client, "greet", peer.target, 25, bench.count(1000))
            rate = bench.count(1000) / (time.monotonic() - began)
            peer.stop()
            slowest = min(slowest or rate, rate)
    return max(10, int((slowest or 1000) / 2))


# -- memory -------------------------------------------------------------------------------------

def memory_of(pids):
    """(resident, proportional) bytes."""
    resident = proportional = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Rss:"):
                    resident += int(line.split()[1]) * 1024
                elif line.startswith("Pss:"):
                    proportional += int(line.split()[1]) * 1024
    return resident, proportional


def kernel_memory():
    """Bytes of (slab, socket buffers), the machine's."""
    with open("/proc/meminfo") as file:
        slab = sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Slab:"))
    with open("/proc/net/sockstat") as file:
        words = next(line for line in file if line.startswith("TCP:")).split()
    return slab, int(words[words.index("mem") + 1]) * PAGE


def four(bench):
    figure = Figure(4, "Memory of an idle flow, bytes: all processes of the peer, and the kernel",
                    [Metric("resident", -1, most=1024, digits=0),
                     Metric("proportional", -1, digits=0),
                     Metric("slab, all four ends", digits=0),
                     Metric("sockmem, all four ends", digits=0)])
    lab = bench.lab
    cases = [bench.count(1000), bench.count(8000)]

    def measure(peer, flows):
        before, kernel = memory_of(peer.pids()), kernel_memory()
        with load.running(lab.client, "hold", peer.target, 25, flows, input_=subprocess.PIPE,
                          output=subprocess.PIPE) as holder:
            if holder.stdout.readline().strip() != str(flows):
                raise AssertionError(f"{peer.name} did not hold {flows} flows")
            values = {name: max(0, now - then) / flows for name, now, then in
                      zip(("slab, all four ends", "sockmem, all four ends"), kernel_memory(),
                          kernel)}
            if peer.pids():
                after = memory_of(peer.pids())
                values |= {"resident": (after[0] - before[0]) / flows,
                           "proportional": (after[1] - before[1]) / flows}
        return values

    with load.server(lab):
        for flows in cases:
            # a fresh peer for each: what was touched once stays
            bench.alternate(figure, [f"{flows} flows"], lambda peer, _: measure(peer, flows),
                            rounds=min(bench.rounds, 3))
    return figure


# -- restart ------------------------------------------------------------------------------------

def child(postern, role):
    return postern.pids(role)[0]


def crash(role):
    def act(postern):
        pid = child(postern, role)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in postern.pids(role) and postern.pids(role), 20,
                   f"a new {role}")
    return act


def reload_(postern):
    text = postern.show("policy show")
    # never the same text twice
    rule = f'rule more-{time.monotonic_ns()} {{ zone guest user "nobody" server relay }}\n'
    postern.apply(text + rule)


def upgrade(postern):
    postern.gateway.run(POSTERND, "--upgrade", "--run", postern.rundir, "--user", USER, timeout=60)


def seven(bench):
    title = "Restart: 200 new connections a second, greeted; the longest gap between two"
    figure = Figure(7, title,
                    [Metric("gap ms"), Metric("failed", digits=0), Metric("greeted", digits=0)])
    acts = {"nothing": lambda postern: None, "policy apply": reload_, "relay crash": crash("relay"),
            "control crash": crash("control"), "upgrade": upgrade}
    lab = bench.lab

    def measure(peer, case):
        seconds = 2 if bench.smoke else 4
        found = []
        thread = threading.Thread(target=lambda: found.extend(
            load.run(lab.client, "pace", peer.target, 25, 200, seconds)))
        thread.start()
        greeted = peer.postern.counter("flows-accepted")
        wait_until(lambda: peer.postern.counter("flows-accepted") > greeted, 10, "flows come")
        acts[case](peer.postern)
        thread.join(60)
        return {"gap ms": found[0]["gap_ms"], "failed": found[0]["failed"],
                "greeted": found[0]["greeted"]}
    with load.server(lab):
        for case in acts:
            bench.alternate(figure, [case], measure, names=("postern",))
    return figure
