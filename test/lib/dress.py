# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns disguise: hosts that have another's addresses or MAC for a while."""


class Dress:
    """Gives a host other addresses and another MAC for a while."""

    def __init__(self, host, wears=None, mac=None, addresses=None):
        self.host = host
        self.mac = mac or (wears.mac if wears else host.mac)
        self.addresses = addresses or ((wears or host).ip4, (wears or host).ip6)

    def __enter__(self):
        self._wear(self.mac, *self.addresses)
        return self

    def __exit__(self, *exc):
        self._wear(self.host.mac, self.host.ip4, self.host.ip6)

    def _wear(self, mac, ip4, ip6):
        self.host.ipcmd("link set eth0 down", "addr flush dev eth0", f"link set eth0 address {mac}",
                        "link set eth0 up", f"addr add {ip4}/25 dev eth0",
                        f"addr add {ip6}/64 dev eth0 nodad",
                        "route replace default via 192.0.2.1",
                        "route replace ::/0 via 2001:db8:1::1")


def forget_neighbours(t):
    """The gateway and the switch learn anew who is where, as they would within minutes."""
    t.lab.gateway.run("ip", "neigh", "flush", "dev", "guest0")
    t.lab.gateway.run("ip", "-6", "neigh", "flush", "dev", "guest0")


def away(host):
    host.ipcmd("link set eth0 down")


def back(host):
    host.ipcmd("link set eth0 up", f"addr replace {host.ip6}/64 dev eth0 nodad",
               "route replace default via 192.0.2.1", "route replace ::/0 via 2001:db8:1::1")
