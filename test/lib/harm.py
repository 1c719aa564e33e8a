# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns what goes wrong while mail flows: each fault, and all of them at random moments."""

import collections
import contextlib
import os
import signal
import time

from lab import wait_until
from scene import Scene


class Harm(Scene):
    """With a strict server in the dmz, `rng`, and a text of the policy that has a word in it."""

    def kill(self, role):
        for pid in self.postern.pids(role):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pause(self, role, most):
        """Stopped for a while; the keeper may kill it meanwhile."""
        pids = self.postern.pids(role)
        for kind, seconds in ((signal.SIGSTOP, self.rng.uniform(0.1, most)), (signal.SIGCONT, 0)):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, kind)
            time.sleep(seconds)

    def kill_all(self):
        self.postern.kill_all()
        time.sleep(self.rng.uniform(0, 1))
        self.postern.start()

    def restart(self):
        self.postern.stop(60)
        self.postern.start()

    def upgrade(self):
        os.kill(self.postern.process.pid, signal.SIGUSR2)

    def apply(self):
        self.postern.ctl("policy", "apply", "-", check=False, timeout=60,
                         input=self.text(f"policy {self.rng.random()}"))

    def link(self, leg):
        self.lab.gateway.ipcmd(f"link set {leg} down")
        time.sleep(self.rng.uniform(0.05, 1.5))
        self.lab.gateway.ipcmd(f"link set {leg} up")

    def delete_rules(self):
        for family in ("-4", "-6"):
            for line in self.lab.gateway.run("ip", family, "rule", "show").stdout.splitlines():
                if "proto 250" in line:
                    self.lab.gateway.run("ip", family, "rule", "del", "pref",
                                         line.split(":")[0], check=False)

    def kill_server(self):
        self.dmz.kill()
        time.sleep(self.rng.uniform(0, 1))
        self.dmz.start()

    def stop_server(self):
        os.kill(self.dmz.process.pid, signal.SIGSTOP)
        time.sleep(self.rng.uniform(0.1, 4))
        os.kill(self.dmz.process.pid, signal.SIGCONT)

    def log_out(self):
        self.postern.ctl("session", "logout", "user", "alice", check=False, timeout=60)
        wait_until(lambda: self.postern.ctl("session", "login", "alice", "zone", "guest", "address",
                                            self.lab.client.ip4, "address", self.lab.client.ip6,
                                            "mac", self.lab.client.mac, check=False,
                                            timeout=60).returncode == 0, 60, "logged in again")


def storm(t, begin, faults, messages, rounds):
    """begin() gives a client that sends; faults are done to it, {kind: function}, each at least so
    many times and until so many messages are kept. Returns the client when it has ended."""
    done, deck = collections.Counter(), []
    began = time.monotonic()
    with t.sealed():
        client = begin()
        try:
            while not client.enough:
                deck = deck or t.rng.sample(sorted(faults), len(faults))
                step = client.kept + t.rng.randrange(100)
                until = time.monotonic() + 8
                # after some messages, or where they got stuck meanwhile
                wait_until(lambda: client.kept >= step or time.monotonic() > until, 60,
                           "messages go on")
                kind = deck.pop()
                try:
                    faults[kind]()
                except AssertionError as error:
                    raise AssertionError(f"{kind}: {error}") from None
                done[kind] += 1
                client.enough = client.kept >= messages and \
                    sum(done.values()) >= rounds * len(faults)
            wait_until(lambda: not client.left(), 120, "all that was begun is taken")
        finally:
            client.enough = client.stopped = True
    for kind, n in sorted(done.items()):
        print(f"# {n} times: {kind}")
    print(f"# {sum(done.values())} faults of {len(done)} kinds in "
          f"{time.monotonic() - began:.0f} s")
    return client
