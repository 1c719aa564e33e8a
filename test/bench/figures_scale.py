# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figures 5 and 6: admission of clients that were never seen, and how cost grows with
sessions, rules and lists."""

import concurrent.futures
import re
import time

import load
from figures_mail import send, sink
from lab import GATEWAY
from postern import POSTERNCTL
from result import Figure, Metric

MAC = GATEWAY["guest0"][0]
DESTINATION = "2001:db8:3::25"


class Clients:
    """Numbers of clients, each used for its own test only: a MAC and an address of its own."""

    def __init__(self, bench):
        self.lab, self.next = bench.lab, 1 << 24
        self.lab.gateway.ipcmd(f"route replace 2001:db8:1:1::/64 via {self.lab.client.ip6}")

    def log_in(self, postern, count):
        """So many that are logged in and were never seen; the first one's number."""
        start, self.next = self.next, self.next + count
        log_in_many(postern, range(start, self.next), "2001:db8:1:1", "02:bb")
        return start

    def come(self, start, count, rate):
        """The SYNs of so many clients, at this rate: how long each waited for its SYN+ACK."""
        return load.run(self.lab.client, "first", "eth0", MAC, DESTINATION, start, count, rate)[0]


def five(bench):
    figure = Figure(5, "Admission: SYN to SYN+ACK, microseconds, of clients never seen and known",
                    [Metric("p50"), Metric("p99", most=1000), Metric("answered %"),
                     Metric("% in the kernel alone", digits=2)])
    clients = Clients(bench)
    rates = {f"{rate} new clients/s": rate for rate in (100, 1000, 5000)}
    known = {f"{rate} known clients/s": rate for rate in (1000, 5000)}

    def measure(peer, case):
        rate = rates.get(case) or known[case]
        count = max(20, bench.count(min(2 * rate, 5000)))
        start = clients.log_in(peer.postern, count)
        if case in known:
            clients.come(start, count, 500)
        before = peer.postern.counter("admissions")
        times = clients.come(start, count, rate)
        queued = peer.postern.counter("admissions") - before
        return {"p50": times["p50"], "p99": times["p99"],
                "answered %": times["n"] * 100 / count,
                "% in the kernel alone": 100 - queued * 100 / count}
    with load.server(bench.lab):
        bench.alternate(figure, list(rates) + list(known), measure, names=("postern",))
    return figure


# -- scale --------------------------------------------------------------------------------------

def rules(count):
    """So many rules, the matching one last."""
    return "".join(f'rule r{i} {{ zone guest user "x{i}" server relay }}\n'
                   for i in range(count - 1))


def list_(count):
    elements = ", ".join(f"2001:db8:f:{i >> 8:x}:{i & 255:x}::/80" for i in range(count))
    return (f"list many {{ {elements} }}\n"
            "rule listed { source many verdict answer 554 \"No\" }\n")


def login_text(numbers, network="2001:db8:1:2", mac="02:cc"):
    """A login of each number: its user, address and MAC."""
    return "".join(f"session login u{i} zone guest address {network}::{i >> 16:x}:{i & 0xffff:x} "
                   f"mac {mac}:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:"
                   f"{i & 255:02x}\n" for i in numbers)


def batch(postern, text):
    """Seconds that posternctl takes for these commands in one run."""
    began = time.monotonic()
    postern.gateway.run(POSTERNCTL, "--run", postern.rundir, "-b", "-", input=text, timeout=280)
    return time.monotonic() - began


def log_in_many(postern, numbers, *where):
    """Seconds that these logins take, by eight portals at once: each waits for the disk."""
    step = -(-len(numbers) // 8)
    began = time.monotonic()
    texts = [login_text(numbers[first:first + step], *where)
             for first in range(0, len(numbers), step)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: batch(postern, text), texts))
    return time.monotonic() - began


def single_login(postern, count):
    """What one login takes, one after the other, in ms; posternctl's own start aside."""
    first = 1 << 26
    many, one = range(first, first + count), range(first + count, first + count + 1)
    seconds = batch(postern, login_text(many)) - batch(postern, login_text(one))
    return seconds / (count - 1) * 1000


def peak(postern):
    """Resident bytes of all processes at their highest, in MB."""
    total = 0
    for pid in postern.pids():
        with open(f"/proc/{pid}/status") as file:
            total += int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))
    return total / 1024


def apply_(postern, text):
    began = time.monotonic()
    postern.ctl("policy", "apply", "-", input=text, timeout=120)
    return time.monotonic() - began


def six(bench):
    metrics = [Metric("us CPU/message"), Metric("first p50"), Metric("first p99", most=1000),
               Metric("apply s", most=1.0, digits=3), Metric("peak MB"),
               Metric("start s", digits=2), Metric("batch us/login"),
               Metric("login ms", most=1.0, digits=2)]
    figure = Figure(6, "Scale: sessions, rules (the matching one last), entries of a list", metrics)
    clients = Clients(bench)
    many = bench.count(100000)
    cases = {f"{n} sessions": (n, "") for n in (1, 1000, many)}
    cases |= {f"{n} rules": (1, rules(n)) for n in (1, 100, bench.count(10000))}
    cases |= {f"{n} entries in a list": (1, list_(n)) for n in (1, many)}

    if bench.smoke:
        cases = dict(list(cases.items())[2::3])

    def measure(peer, case):
        sessions, text = cases[case]
        postern, values = peer.postern, {}
        values["apply s"] = apply_(postern, peer.text(before_rules=text))
        if sessions > 1:
            values["batch us/login"] = log_in_many(postern, range(sessions)) / sessions * 1e6
        values["login ms"] = single_login(postern, max(5, bench.count(200)))
        count = max(40, bench.count(2000))
        used = send(bench, peer, count, 4096, 20, False)[1]
        values["us CPU/message"] = used["cpu"] / count * 1e6
        count = max(20, bench.count(2000))
        times = clients.come(clients.log_in(postern, count), count, 1000)
        values |= {"first p50": times["p50"], "first p99": times["p99"]}
        values["peak MB"] = peak(postern)
        postern.stop()
        began = time.monotonic()
        postern.start()
        values["start s"] = time.monotonic() - began
        return values

    server = sink(bench)
    for case in cases:
        bench.alternate(figure, [case], measure, names=("postern",), fresh=True,
                        rounds=min(bench.rounds, 3))
    server.stop()
    return figure
