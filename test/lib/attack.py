# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the scene of the attacks on servers: hosts of several ports in the dmz that talk as a test
scripts them, a DNS server of the test's own, and a policy that knows nothing of any host."""

import contextlib
import functools
import os
import re

import dns
import mail
from lab import in_thread
from postern import policy, zone
from scene import GUESTS, Scene

NAMESERVER = "203.0.113.11"
FIRST, SECOND, THIRD = 2501, 2502, 2503
QUICK = "deadline first 6s connect 2s greeting 2s"


class Scripted:
    """A host whose connections each run a function of the test: talk(sock, reader)."""

    def __init__(self, host, port, talk):
        self.talk, self.lines = talk, []
        self.listeners = [host.listen(address, port) for address in (host.ip4, host.ip6)]
        for listener in self.listeners:
            in_thread(self._accept, listener)
        host.lab.on_close(self.stop)

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                in_thread(self._serve, sock)

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            self.talk(self, sock, sock.makefile("rb"))

    def hear(self, reader):
        line = reader.readline(4096)
        if not line:
            raise OSError("the end")
        self.lines.append(line.rstrip().decode("latin-1"))
        return self.lines[-1]

    def stop(self):
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(2)
            listener.close()


class Attacked(Scene):
    def __init__(self, lab):
        etc = lab.path("etc")
        os.makedirs(etc)
        with open(f"{etc}/resolv.conf", "w") as file:
            file.write(f"nameserver {NAMESERVER}\noptions timeout:1 attempts:1\n")
        super().__init__(lab, etc=etc)
        self.dmz.stop()
        self.hosts = []
        self.dns = dns.Dns(lab.dmz, NAMESERVER)

    def script(self, port, talk):
        self.hosts.append(Scripted(self.lab.dmz, port, talk))
        return self.hosts[-1]

    def host(self, port, **ways):
        self.hosts.append(mail.Server(self.lab.dmz, port=port, name=f"mx{port}.example", **ways))
        return self.hosts[-1]

    def begin(self, family, *lines, more=QUICK, zone_more="", user="alice"):
        """These host lines ("%a": the dmz's address), and nothing known of any host."""
        body = "\n".join(lines).replace("%a", self.lab.dmz.ip(family))
        self.postern.apply(policy(zone(zone_more)))
        self.postern.apply(policy(zone(zone_more), f"server relay {{\n{body}\n{more}\n}}\n",
                                  GUESTS))
        self.postern.logout("zone", "guest")
        self.postern.login(user, self.lab.client)

    def end(self):
        for host in self.hosts:
            host.stop()
        self.hosts = []
        self.dns.stop()

    def greeting(self, family, **how):
        with self.connect(family, timeout=30, **how) as smtp:
            return smtp.reply()

    def record(self, reply):
        """The record of a flow that Postern answered itself."""
        return self.postern.audit(re.search(r"\[(f-\w+)\]", reply).group(1))[0]


def ended(function):
    """Hosts and DNS of a case go with it."""
    @functools.wraps(function)
    def run(t, **how):
        try:
            function(t, **how)
        finally:
            t.end()
    return run


OFFER = b"250-mx\r\n250 XCLIENT NAME ADDR PORT LOGIN\r\n"
