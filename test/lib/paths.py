# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the scene of a server with `path kernel`: its policy, what the kernel knows and leads, and
how a connection fares whose packets no relay has."""

import contextlib
import socket

from lab import wait_until
from postern import policy, zone
from scene import GUESTS, Scene, equal, holds

QUICK = "probe smtp every 1s\ndeadline first 6s connect 1s greeting 2s\n"


class Paths(Scene):
    probe = QUICK

    def text(self, family=4, more="", rules=GUESTS, servers="", top="", zone_more=""):
        """As the scene's, but the server's path is the kernel."""
        return policy(top, zone(zone_more), self.relay(family, more=more), servers, rules)

    def relay(self, *families, hosts=None, more=""):
        """The server, with a host of each family, or with these lines of hosts."""
        hosts = hosts or "".join(f"host {self.lab.dmz.ip(family)} port 25\n" for family in families)
        return f"server relay {{ {hosts}path kernel\n{self.probe}{more}\n}}\n"

    def begin(self, family, user="alice", more=(), **parts):
        self.fresh(family, **parts)
        if user:
            self.postern.login(user, self.lab.client, more=more)
        self.led(family)
        wait_until(lambda: not self.kernels(), 10, "no flow of the case before")

    def ends(self, family):
        """Where each path of the family leads now."""
        return [path[f"ip{family}"] for row in self.postern.rows("server", "show", "relay")
                for path in row["paths"]]

    def led(self, *families, seconds=20):
        wait_until(lambda: all(all(self.ends(family)) for family in families), seconds,
                   "each path leads to a host")

    def verdicts(self, family, host=None):
        """What the kernel knows of the client of that family."""
        address = (host or self.lab.client).ip(family)
        return [row["verdict"] for row in self.entries() if row["address"] == address]

    def kernels(self):
        """The flows of the kernel path, live."""
        return [row for row in self.postern.live() if row["path"] == "kernel"]

    def flow_of(self, smtp):
        """The live flow by which this client talks."""
        port = smtp.sock.getsockname()[1]
        return wait_until(lambda: [row for row in self.kernels()
                                   if row["client"].endswith(f":{port}")], 10, "it is shown")[0]

    def recorded(self, flow, user, mac, ending=None):
        """The record of a flow that has ended: whose it was, and that the kernel had it."""
        row = self.postern.audit(flow["flow"])[0]
        equal((row["path"], row["user"], row["mac"]), ("kernel", user, mac))
        if ending:
            equal(row["ending"], ending)
        return row

    def greeted(self, family, host=None, **how):
        """A connection that the kernel leads: the server sees the client's own address and port."""
        smtp = self.connect(family, host, **how)
        holds(smtp.reply(), "220 mx.dmz.example")
        assert self.far(smtp), "the server's side of it"
        return smtp

    def far(self, smtp):
        """The server's socket of this connection; None if the server does not see it as it is."""
        name = smtp.sock.getsockname()[:2]
        with self.dmz.lock:
            for sock in self.dmz.open:
                with contextlib.suppress(OSError):
                    if sock.getpeername()[:2] == name:
                        return sock
        return None


def goes_on(smtp):
    """Does the client get an answer to its next line?"""
    try:
        return smtp.ask("NOOP").startswith("250")
    except (ConnectionResetError, BrokenPipeError, socket.timeout):
        return False


def ends(smtp, what=""):
    """At a packet of the client's."""
    wait_until(lambda: not goes_on(smtp), 10, f"the flow ends {what}")


def is_reset(sock):
    """A packet of the server's finds the connection reset, and that soon."""
    def told():
        try:
            sock.sendall(b"250 and more\r\n")
        except (ConnectionResetError, BrokenPipeError):
            return True
        except OSError:  # closed by its own thread, which found it reset
            return True
        return False
    wait_until(told, 10, "the server is told that the connection is over")
