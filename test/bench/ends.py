# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the CPU time of all who have to do with a message: client, server, peer and the kernel's own
threads. What a kernel forwards is done in the time of whoever sent the packet, so what forwarding
costs is what all of them need above direct forwarding in the same round."""

import os
import resource

from peers import cpu_of


def soft_interrupts():
    """The kernel's threads that do what was left over."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read().startswith("ksoftirqd/"):
                    found.append(int(pid))
        except OSError:
            continue
    return found


class Ends:
    """From here on, until used() is asked. Programs that ended meanwhile count, as clients do."""

    def __init__(self, peer, *servers):
        self.peer = peer
        self.others = [server.pid for server in servers] + soft_interrupts()
        self.before = self._now()

    def _now(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (cpu_of(self.others + self.peer.pids())[0] + children.ru_utime
                + children.ru_stime)

    def used(self):
        """Seconds."""
        return self._now() - self.before
