# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figure 8: what it costs to speak SMTP at the gateway, beside others that do and our own
relay, which does not."""

import subprocess

import load
from figures_flow import memory_of
from figures_mail import send, sink
from result import Figure, Metric, Target

ONE, MANY, BULK = ("4 KB, 20 sessions, one each", "4 KB, 20 sessions, many each",
                   "25 MB, 1 at a time")
# of a Postfix, which has a process for each
SESSIONS, SESSIONS_EACH_A_PROCESS = 2000, 60
CPU, COPIED = "us CPU/message", "MB/s"
SIZE = 25 << 20

TARGETS = (Target(CPU, ONE, "message", "postfix", most=0.45),
           Target(CPU, ONE, "message", "nginx-mail", most=0.85),
           Target(CPU, ONE, "message", "postern", most=1.3),
           Target(CPU, MANY, "message", "postfix", most=0.28),
           Target(CPU, MANY, "message", "postern", most=1.3),
           Target(COPIED, BULK, "message", "postern", least=0.8))


def eight(bench):
    figure = Figure(8, "Messages, by who speaks SMTP: CPU of all processes of the peer, memory",
                    [Metric(CPU), Metric("messages/s", digits=0), Metric("us of it kernel"),
                     Metric(COPIED, digits=0), Metric("CPU s/GB", digits=3),
                     Metric("resident bytes a session", digits=0)], TARGETS)
    count = max(40, bench.count(2000))
    cases = {ONE: lambda peer: small(bench, peer, count, False),
             MANY: lambda peer: small(bench, peer, count, True),
             BULK: lambda peer: bulk(bench, peer)}
    server = sink(bench)
    bench.alternate(figure, cases, lambda peer, case: cases[case](peer), fresh=True,
                    among=bench.mail_peers)
    server.stop()
    with load.server(bench.lab):
        # a fresh peer for each: what was touched once stays
        bench.alternate(figure, ["sessions with a recipient"], lambda peer, _: held(bench, peer),
                        rounds=min(bench.rounds, 3), fresh=True, among=bench.mail_peers)
    return figure


def small(bench, peer, count, together):
    # a process for each session is there before what is counted begins
    send(bench, peer, 40, 4096, 20, together)
    seconds, used = send(bench, peer, count, 4096, 20, together)
    return {CPU: used["cpu"] / count * 1e6, "messages/s": count / seconds,
            "us of it kernel": used["kernel"] / count * 1e6}


def bulk(bench, peer):
    count = bench.count(6)
    seconds, used = send(bench, peer, count, SIZE, 1, False)
    return {COPIED: count * SIZE / 1e6 / seconds, "CPU s/GB": used["cpu"] / (count * SIZE / 1e9)}


def held(bench, peer):
    """Each session with its first recipient named, so that all have their server."""
    sessions = SESSIONS_EACH_A_PROCESS if peer.name == "postfix" else bench.count(SESSIONS)
    before = memory_of(peer.pids())[0]
    with load.running(bench.lab.client, "hold-addressed", peer.target, 25, sessions,
                      input_=subprocess.PIPE, output=subprocess.PIPE) as holder:
        if holder.stdout.readline().strip() != str(sessions):
            raise AssertionError(f"{peer.name} did not hold {sessions} sessions")
        return {"resident bytes a session": (memory_of(peer.pids())[0] - before) / sessions}
