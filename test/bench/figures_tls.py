# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figure 9: what TLS costs at message level, beside the same in clear and a handshake alone."""

import subprocess
import time

import load
from authority import Authority
from figures_flow import memory_of
from figures_mail import sink
from peers import Spent
from result import Figure, Metric, Target

ONE = "4 KB, 20 sessions, one each"
CLEAR, CLIENT, BOTH = ("with a recipient, in clear", "greeted in TLS, no server",
                       "with a recipient, TLS both sides")
CPU, KERNEL = "us CPU/message", "us of it kernel"
MEMORY = "resident bytes a session"
# what TLS is to cost at most: by the least that a server can do for it over the network, and, more
# strictly, by the library's part alone
SUM, STRICT_SUM = "message + starttls", "message + handshake"
SUMS = {SUM: "starttls", STRICT_SUM: "handshake"}
SIZE, SESSIONS = 4096, 2000
# what is held, by whom, in which way
HELD = ((CLEAR, "message", "hold-addressed"), (CLIENT, "message-tls", "greeted"),
        (CLIENT, "nginx-mail-tls", "greeted"), (BOTH, "message-tls", "recipient"))

TARGETS = (Target(CPU, ONE, "message-tls", SUM, most=1.15),
           Target(CPU, ONE, "message-tls", STRICT_SUM, most=1.15),
           Target(CPU, ONE, "message-tls", "nginx-mail-tls", most=1.0),
           Target(MEMORY, CLEAR, "message", None, most=4 << 10),
           Target(MEMORY, CLIENT, "message-tls", None, most=20 << 10),
           Target(MEMORY, BOTH, "message-tls", None, most=36 << 10))


def nine(bench):
    figure = Figure(9, "Messages in TLS, a full handshake each, P-256: CPU of the peer, memory",
                    [Metric(CPU), Metric(KERNEL), Metric("messages/s", digits=0),
                     Metric(MEMORY, digits=0)], TARGETS)
    signed = Authority(bench.lab.path("server-tls")).sign("mx", "mx.dmz.example")
    count = max(40, bench.count(2000))
    server = sink(bench)
    bench.alternate(figure, [ONE], lambda peer, _: messages(bench, peer, count, signed),
                    fresh=True, among=bench.secure_peers)
    server.stop()
    add_sums(figure)
    for case, name, way in HELD:
        # towards a server that has it, TLS is spoken unless the policy says otherwise
        with load.server(bench.lab, *(signed if name != "message" else ())):
            bench.alternate(figure, [case], lambda peer, _, way=way: held(bench, peer, way),
                            names=[name], rounds=min(bench.rounds, 3), fresh=True,
                            among=bench.secure_peers)
    return figure


def messages(bench, peer, count, signed):
    if not peer.proxies:
        return {CPU: load.run(bench.lab.client, "tls-handshakes", count, *signed)[0]["us"]}
    if peer.name == "starttls":
        plain, secured = (send(bench, peer, count, 0, way)[1] for way in ("clear", "tls"))
        return {metric: (secured[word] - plain[word]) / count * 1e6
                for metric, word in ((CPU, "cpu"), (KERNEL, "kernel"))}
    seconds, used = send(bench, peer, count, SIZE, "clear" if peer.name == "message" else "tls")
    return {CPU: used["cpu"] / count * 1e6, "messages/s": count / seconds,
            KERNEL: used["kernel"] / count * 1e6}


def send(bench, peer, count, size, way):
    """So many, a session each, after a few that make the peer warm; (seconds, what it spent)."""
    def some(n):
        load.run(bench.lab.client, "tls-send", peer.target, 25, 20, n, size, way, timeout=300)
    some(40)
    spent, began = Spent(peer), time.monotonic()
    some(count)
    seconds = time.monotonic() - began
    return seconds, spent.settled().used()


def add_sums(figure):
    for name, alone in SUMS.items():
        values = figure.values(ONE, alone, CPU)
        for round_, value in figure.values(ONE, "message", CPU).items():
            if round_ in values:
                figure.add(ONE, name, round_, {CPU: value + values[round_]})


def held(bench, peer, way):
    sessions = bench.count(SESSIONS)
    words = [way] if way.startswith("hold") else ["tls-hold"]
    words += [peer.target, 25, sessions] + ([] if way.startswith("hold") else [way])
    before = memory_of(peer.pids())[0]
    with load.running(bench.lab.client, *words, input_=subprocess.PIPE,
                      output=subprocess.PIPE) as holder:
        if holder.stdout.readline().strip() != str(sessions):
            raise AssertionError(f"{peer.name} did not hold {sessions} sessions")
        return {MEMORY: (memory_of(peer.pids())[0] - before) / sessions}
