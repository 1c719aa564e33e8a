# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the usual scene of a test: Postern in the gateway, a server in the dmz for it to use, and a
server on the Internet that must not be reached."""

import contextlib
import socket

import mail
from lab import wait_until
from postern import Postern, policy, server, zone
from report import case, equal, holds, main, Skip  # noqa: F401  (for the tests)

GUESTS = 'rule guests { zone guest user any server relay }\n'


class Scene:
    """Servers are scripted ones, unless the test asks for a real MTA."""

    mta = False

    def __init__(self, lab, etc=None):
        self.lab = lab
        make = mail.Postfix if self.mta else mail.Server
        self.dmz = make(lab.dmz)
        self.internet = make(lab.internet)
        self.postern = Postern(lab, self.text(), etc=etc)
        self.log_tail = self.postern.log_tail
        self.finish = self.postern.finish

    def text(self, family=4, more="", rules=GUESTS, servers="", top="", zone_more=""):
        """A policy: the zone guest, a server in the dmz, and a rule that sends all users to it."""
        return policy(top, zone(zone_more), server(self.lab.dmz, family, more=more), servers, rules)

    def fresh(self, family=4, **parts):
        """No session, no dynamic state of an earlier case, and this policy."""
        self.postern.apply(self.text(family, **parts))
        self.postern.logout("zone", "guest")

    def send(self, family, word, host=None, second=False, **how):
        """A message to the Internet by a plain client; its last reply, or the refused greeting."""
        host = host or self.lab.client
        return mail.send(host, self.lab.internet.ip(family, second), word, **how)

    def connect(self, family, host=None, **how):
        host = host or self.lab.client
        return mail.Smtp(host, self.lab.internet.ip(family), **how)

    def raw(self, family, host=None, **how):
        return (host or self.lab.client).connect(self.lab.internet.ip(family), **how)

    def redirected(self, family, word, host=None, dmz=None, seconds=10, **how):
        """Sends, and asserts that the message is in the dmz and not on the Internet."""
        holds(self.send(family, word, host, **how), "250")
        (dmz or self.dmz).wait_message(word, seconds=seconds)
        equal(len(having(self.internet, word)), 0, "messages on the Internet")

    def refused(self, family, *words, host=None, **how):
        """Connects and asserts a refusing greeting with these words; returns it."""
        with self.connect(family, host, **how) as smtp:
            reply = smtp.reply()
        holds(reply, *words)
        return reply

    def entries(self, *words):
        """The kernel's client entries, as `client show` tells them."""
        return self.postern.rows("client", "show", *words)

    @contextlib.contextmanager
    def sealed(self):
        """No packet of a guest reaches the Internet within this block."""
        before = self.lab.internet.counted("guest")
        yield
        equal(self.lab.internet.counted("guest") - before, 0, "guests' packets on the Internet")

    def outcome(self, family, host=None, seconds=20, **how):
        """How a new connection to TCP/25 fares: "reset", "timeout", "internet", "dmz", or the
        refusal's code. Who expects that nobody answers says how long (patience())."""
        return outcome(host or self.lab.client, self.lab.internet.ip(family), seconds, **how)


def having(server_, word):
    return server_.messages(word) if isinstance(server_, mail.Postfix) else server_.having(word)


def outcome(host, address, seconds=20, **how):
    try:
        with mail.Smtp(host, address, timeout=seconds, **how) as smtp:
            greeting = smtp.reply()
            if not greeting:
                return "closed"
            if not greeting.startswith("220"):
                return greeting[:3]
            reply = smtp.ask("EHLO outcome.example")
            if not reply:
                return "closed"
            return "internet" if "internet" in greeting + reply else "dmz"
    except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
        return "reset"
    except (socket.timeout, TimeoutError):
        return "timeout"
    except OSError as error:
        return f"error {error.errno}"


def wait_outcome(scene, family, want, seconds=10, **how):
    """Waits until a new connection fares as wanted. One that hangs is given up for the next."""
    last = []

    def fares():
        last[:] = [scene.outcome(family, **{"seconds": 3, **how})]
        return last[0] == want
    try:
        wait_until(fares, seconds, want)
    except AssertionError:
        raise AssertionError(f"a new connection: {last[0]}, not {want}") from None
