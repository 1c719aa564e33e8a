# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns what the tests of kernel-rules/ have in common: the driver that carries out single acts in
the gateway, servers that say who they are, and packets made by hand."""

import contextlib
import os
import queue
import re
import socket
import struct
import subprocess
import threading

from lab import wait_until
from report import equal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POSTERN_BUILD") or os.path.join(ROOT, "build")
RELAY_PORT = 4025
BUSY, NO_ENTRY, NOT_EMPTY, TABLE_FULL = 16, 2, 39, 23
IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75


class Refused(Exception):
    def __init__(self, number, line):
        super().__init__(f"{line}: error {number}")
        self.number = number


class Driver:
    """kernel-driver in the gateway: one line, its answer; events are collected."""

    def __init__(self, lab):
        # as the keeper: CAP_NET_ADMIN and nothing else
        self.process = lab.gateway.popen("setpriv", "--bounding-set=-all,+net_admin",
                                         "--inh-caps=-all,+net_admin",
                                         f"{BUILD}/test/netns-kernel-driver",
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.events = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line.startswith("event "):
                self.events.append(line[6:])
            else:
                self.lines.put(line)
        self.lines.put("error 0")

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = []
        while True:
            got = self.lines.get(timeout=30)
            if got == "ok":
                return answer
            if got.startswith("error "):
                raise Refused(int(got.split()[1]), line)
            answer.append(got)

    def all(self, *lines):
        for line in lines:
            self.do(line)

    def refused(self, line, number):
        try:
            self.do(line)
        except Refused as refused:
            equal(refused.number, number, line)
            return
        raise AssertionError(f"{line}: not refused")

    def counters(self):
        words = self.do("counters")[0].split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def clients(self):
        """(interface, MAC, address) -> (verdict, ms left, packets)"""
        found = {}
        for line in self.do("dump"):
            w = line.split()
            found[w[1], w[2], w[3]] = (w[4], int(w[6]), int(w[8]))
        return found

    def packets(self):
        self.do("")  # what was said before the answer has been read
        return [event for event in self.events if event.startswith("packet")]

    def end(self, kill=False):
        if kill:
            self.process.kill()
        else:
            self.process.stdin.close()
        status = self.process.wait(20)
        self.thread.join(5)
        return status


class Server:
    """Accepts for ever, says who it is and whom it was taken for, and keeps what it accepted."""

    def __init__(self, host, word, port, transparent=False):
        self.socks, self.word, self.accepted = [], word, []
        for family, level, option in ((socket.AF_INET, socket.IPPROTO_IP, IP_TRANSPARENT),
                                      (socket.AF_INET6, socket.IPPROTO_IPV6, IPV6_TRANSPARENT)):
            sock = host.socket(family)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if transparent:
                sock.setsockopt(level, option, 1)
            sock.bind(("", port))
            sock.listen(256)
            self.socks.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = sock.accept()
                self.accepted.append(conn)
                conn.sendall(f"{self.word} {conn.getsockname()[0]}\r\n".encode())

    def close(self):
        for sock in self.socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for conn in self.accepted:
            # no TIME_WAIT that the next case could meet
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.close()


ZONE = "zone guest closed mac guest0 - 25"


class Context:
    def __init__(self, lab):
        self.lab = lab
        self.internet = Server(lab.internet, "internet", 25)
        Server(lab.internet, "other", 2525)
        self.driver = None
        self.relay = None
        for host in (lab.client, lab.client2):
            for family in (4, 6):  # neighbours are known before anything is counted
                wait_until(lambda: self.outcome(family, host, timeout=2) == "internet", 5)

    def log_tail(self):
        return "\n".join(self.driver.events[-20:]) if self.driver else ""

    def close(self):
        if self.relay:
            self.relay.close()
            self.relay = None
        if self.driver:
            with contextlib.suppress(Refused, OSError, ValueError):
                self.driver.do("remove")
            with contextlib.suppress(OSError, ValueError):
                self.driver.end()
            self.driver = None

    def start(self, *zones, relay=True, reader=True):
        """A fresh table with these zones, a relay's listener, a reader of the queue."""
        self.close()
        self.driver = Driver(self.lab)
        self.driver.all(*(zones or (ZONE,)), "follow", "apply")
        if reader:
            self.driver.do("queue on")
        if relay:
            self.relay = Server(self.lab.gateway, "relay", RELAY_PORT, True)
        return self.driver

    def address(self, family):
        return self.lab.internet.ip(family)

    def connect(self, family, host=None, port=25, timeout=20, address=None):
        host = host or self.lab.client
        return host.connect(address or self.address(family), port, timeout)

    def outcome(self, family, host=None, port=25, timeout=20, address=None):
        """Who answers: relay, internet, or reset, or timeout; who expects that says how long."""
        try:
            with self.connect(family, host, port, timeout, address) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                word = sock.recv(100).decode().split()
                return word[0] if word else "closed"
        except ConnectionError:
            return "reset"
        except TimeoutError:
            return "timeout"

    def sent_out(self):
        return self.lab.internet.counted()

    @contextlib.contextmanager
    def sealed(self):
        """Nothing from the zones reaches the Internet."""
        before = self.sent_out()
        yield
        equal(self.sent_out(), before, "packets at the Internet host")


def normalised(host):
    """Rules by chain, from the netlink dump, without handles; sets, counters and chains as nft
    prints them."""
    dump = host.run("nft", "--debug=netlink", "list", "table", "inet", "postern").stdout
    rules, chain = {}, None
    for line in dump.splitlines():
        start = re.match(r"inet postern (\S+) \d+", line)
        if start:
            chain = start[1]
            rules.setdefault(chain, []).append([])
        elif line.startswith("  [ ") and chain:
            rules[chain][-1].append(line.strip())
        else:
            chain = None
    others = ""
    for what in ("sets", "counters"):
        others += host.run("nft", "list", what, "table", "inet", "postern").stdout
    others += host.run("nft", "list", "maps", "inet").stdout
    others = re.sub(r"\t\telements = \{ tcp timeout .*\n", "", others)  # that control is there
    blocks = re.findall(r"\t(?:set|map|counter) \S+ \{.*?\n\t\}", others, re.S)
    chains = host.run("nft", "-j", "list", "chains", "inet").stdout
    heads = re.findall(r'"table": "postern", "name": "([^"]+)", "handle": \d+([^}]*)\}', chains)
    return rules, sorted(set(blocks)), sorted(heads)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tcp_packet(source, destination, sport, dport, flags, options=b""):
    """An IP packet with a TCP header."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    src, dst = (socket.inet_pton(family, text) for text in (source, destination))
    length = 20 + len(options)
    tcp = struct.pack("!HHIIBBHHH", sport, dport, 1000, 0, length // 4 << 4, flags, 1024, 0, 0)
    tcp += options
    if family == socket.AF_INET6:
        pseudo = src + dst + struct.pack("!IxxxB", length, 6)
        head = struct.pack("!IHBB", 6 << 28, length, 6, 64) + src + dst
    else:
        pseudo = src + dst + struct.pack("!xBH", 6, length)
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 6, 0) + src + dst
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]


def frame(host, packet):
    kind = 0x86dd if packet[0] >> 4 == 6 else 0x0800
    mac = bytes.fromhex(host.mac.replace(":", ""))
    return bytes.fromhex("02005e005301") + mac + struct.pack("!H", kind) + packet


def syn(t, family, source, port, flags=2):
    return frame(t.lab.client, tcp_packet(source, t.address(family), port, 25, flags))


def send_raw(t, data):
    with t.lab.client.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        raw.send(data)
