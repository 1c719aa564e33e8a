# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns figure 10: submission in TLS by who logs in, beside Postfix with Dovecot."""

import time

import load
from figures_mail import sink
from peers import Spent
from peers_login import PORT, RESPONSE
from result import Figure, Metric, Target

ONE, MANY = "4 KB, 20 sessions, one each", "4 KB, 20 sessions, many each"
CPU, CHECKED = "us CPU/message", "us of it who checks passwords"
# of how a peer's processes are called, those that do
CHECKERS = ("dovecot", "auth")

TARGETS = tuple(Target(CPU, case, peer, "postfix-dovecot", most=1.0)
                for case in (ONE, MANY) for peer in ("submit-dovecot", "submit-file"))


def ten(bench):
    figure = Figure(10, "Submission in TLS with AUTH, P-256, by who checks passwords: CPU of all "
                    "processes, Dovecot's among them",
                    [Metric(CPU), Metric(CHECKED), Metric("us of it kernel"),
                     Metric("messages/s", digits=0)], TARGETS)
    count = max(40, bench.count(2000))
    server = sink(bench)
    bench.alternate(figure, {ONE: "one", MANY: "many"},
                    lambda peer, case: messages(bench, peer, count,
                                                "one" if case == ONE else "many"),
                    fresh=True, among=bench.login_peers)
    server.stop()
    return figure


def messages(bench, peer, count, way):
    def send(n, sessions=20):
        load.run(bench.lab.client, "tls-submit", peer.target, PORT, sessions, n, 4096, way,
                 RESPONSE, timeout=300)
    send(1, 1)  # who was in before may come twenty at a time
    send(40)
    spent, began = Spent(peer), time.monotonic()
    send(count)
    seconds, used = time.monotonic() - began, spent.settled().used()
    return {CPU: used["cpu"] / count * 1e6, "messages/s": count / seconds,
            CHECKED: sum(used.get(role, 0) for role in CHECKERS) / count * 1e6,
            "us of it kernel": used["kernel"] / count * 1e6}
