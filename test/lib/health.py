# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a health process alone in the gateway, with the test in the place of keeper and control, and
the hosts that it probes."""

import contextlib
import json
import os
import socket
import subprocess
import threading
import time

import dns
from lab import in_thread, wait_until
from report import equal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POSTERN_BUILD") or os.path.join(ROOT, "build")
NAMESERVER = "203.0.113.11"
FAST = "probe smtp every 1s; deadline connect 1s greeting 2s"


class Health:
    """The driver: commands in, told lists out."""

    def __init__(self, lab, hosts=""):
        self.lab = lab
        self.etc = lab.path("etc")
        os.makedirs(self.etc, exist_ok=True)
        self.write("resolv.conf", f"nameserver {NAMESERVER}\noptions timeout:1 attempts:2\n")
        self.write("hosts", "127.0.0.1 localhost\n" + hosts)
        self.log = lab.path("health.log")
        self.servers, self.others, self.history = {}, [], []
        self.lock = threading.Lock()
        with open(self.log, "ab") as log:
            self.process = lab.gateway.popen(
                "unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc && exec "$2"', "sh",
                self.etc, f"{BUILD}/test/netns-resolve-driver", stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True)
        in_thread(self._read)

    def write(self, leaf, text):
        with open(os.path.join(self.etc, leaf), "w") as file:
            file.write(text)

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            with self.lock:
                if "targets" in said:
                    self.servers[said["server"]] = said
                    self.history.append(said)
                else:
                    self.others.append(said)

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def policy(self, text):
        path = self.lab.path("policy")
        with open(path, "w") as file:
            file.write('language 1\nhostname "gw.example.net"\nlog level info\n' + text)
        self.do(f"policy {path}")

    def targets(self, server="s"):
        with self.lock:
            return list(self.servers.get(server, {}).get("targets", []))

    def host(self, name, server="s"):
        return next((one for one in self.targets(server) if one["name"] == name), None)

    def wait(self, name, seconds=15, server="s", **members):
        """Until the host is told with these members."""
        def found():
            host = self.host(name, server)
            if host and all(host[key] == value for key, value in members.items()):
                return host
            return None
        try:
            return wait_until(found, seconds, f"{name} with {members}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last told: {self.targets(server)}") from None

    def heard(self, key, seconds=10):
        def found():
            with self.lock:
                for at, said in enumerate(self.others):
                    if key in said:
                        return self.others.pop(at)
            return None
        return wait_until(found, seconds, key)

    def names(self, flow, address, seconds=10):
        """What a look-up for this flow comes to."""
        self.do(f"names {flow} {address}")
        return self.heard_names(flow, seconds)

    def heard_names(self, flow, seconds=10):
        def found():
            with self.lock:
                for at, said in enumerate(self.others):
                    if said.get("flow") == flow:
                        return self.others.pop(at)
            return None
        return wait_until(found, seconds, f"the names of flow {flow}")

    def count(self, **least):
        """Until each counter is at least so high: they are told once a second."""
        def reached():
            self.do("counters")
            all_of_them = self.heard("counters")["counters"]
            return all(all_of_them[name.replace("_", "-")] >= value
                       for name, value in least.items())
        wait_until(reached, 10, f"counters {least}")

    def end(self):
        """The process ends by itself, and cleanly."""
        self.process.stdin.close()
        equal(self.process.wait(20), 0, "exit status of health")


def is_established(sock):
    """As the kernel has it: who reads late that the other side has closed does not know."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1


class Smtp:
    """A host. Ways: greeting (bytes or None), offers (lines of the EHLO reply, or a function that
    says them), proxy (None, 1, 2), deny (a family whose clients are refused), xclient (bytes of the
    reply to it), believes (whoever was named by it, too), gate (an event that it waits for before it greets)."""

    def __init__(self, host, address, port=25, **ways):
        self.ways = {"greeting": b"220 mx.example.org ESMTP\r\n", "offers": (), "proxy": None,
                     "deny": None, "xclient": None, "believes": False, "wait": 0, "gate": None, **ways}
        self.address = address
        self.peers, self.commands, self.identities = [], [], []
        self.open, self.most = set(), 0  # at a time, neither side having closed
        self.lock = threading.Lock()
        self.listener = host.listen(address, port)
        in_thread(self._accept)
        host.lab.on_close(self.stop)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            self.peers.append(peer[0])
            with self.lock:
                self.open.add(sock)
                self.most = max(self.most, sum(map(is_established, self.open)))
            in_thread(self._serve, sock)

    def _serve(self, sock):
        sock.settimeout(30)
        try:
            self._talk(sock, sock.makefile("rb"))
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.remove(sock)
            sock.close()

    def _header(self, reader):
        if self.ways["proxy"] == 1:
            words = reader.readline().split()
            self.identities.append(words[2].decode())
            return 4 if words[1] == b"TCP4" else 6
        head = reader.read(16)
        assert head[:12] == b"\r\n\r\n\0\r\nQUIT\n", head
        body = reader.read(int.from_bytes(head[14:16], "big"))
        family = 4 if head[13] == 0x11 else 6
        size, kind = (4, socket.AF_INET) if family == 4 else (16, socket.AF_INET6)
        self.identities.append(socket.inet_ntop(kind, body[:size]))
        return family

    def _talk(self, sock, reader):
        ways = self.ways
        if ways["proxy"] and self._header(reader) == ways["deny"]:
            sock.sendall(b"550 5.7.1 not this family\r\n")
            return
        if ways["greeting"] is None:
            reader.read()
            return
        if ways["wait"]:
            time.sleep(ways["wait"])
        if ways["gate"]:
            ways["gate"].wait(30)
        sock.sendall(ways["greeting"])
        offers = ways["offers"]() if callable(ways["offers"]) else ways["offers"]
        for line in reader:
            word = line.split()[0].upper() if line.split() else b""
            self.commands.append(line.strip())
            if word == b"EHLO":
                lines = [b"mx.example.org", *offers, b"HELP"]
                sock.sendall(b"".join(b"250-" + one + b"\r\n" for one in lines[:-1])
                             + b"250 " + lines[-1] + b"\r\n")
            elif word == b"XCLIENT" and ways["xclient"]:
                said = ways["xclient"](line)
                if said.startswith(b"220") and b" ADDR=" in line and not ways["believes"]:
                    offers = ()
                sock.sendall(said)
            elif word in (b"MAIL", b"RCPT", b"RSET"):
                sock.sendall(b"250 2.0.0 Ok\r\n")
            elif word == b"QUIT":
                sock.sendall(b"221 bye\r\n")
                return
            else:
                sock.sendall(b"502 5.5.2 what\r\n")


class Context:
    def __init__(self, lab):
        self.lab = lab
        self.health = None
        self.hosts = []
        self.dns = dns.Dns(lab.dmz, NAMESERVER)

    def begin(self, text=None, hosts="", named=True):
        """A new health process, no server of an earlier case, an empty zone."""
        self.stop()
        self.dns.zone, self.dns.trick, self.dns.asked = {}, None, []
        if named:
            self.dns.start()
        self.health = Health(self.lab, hosts)
        if text:
            self.health.policy(text)
        return self.health

    def smtp(self, family=4, second=False, **ways):
        host = Smtp(self.lab.dmz, self.lab.dmz.ip(family, second), **ways)
        self.hosts.append(host)
        return host

    def stop(self):
        for host in self.hosts:
            host.stop()
        self.hosts = []
        self.dns.stop()
        if self.health:
            self.health.end()
        self.health = None

    def log_tail(self):
        with open(self.lab.path("health.log"), errors="replace") as file:
            return file.read()[-4000:]

    def finish(self):
        with contextlib.suppress(AssertionError):
            self.stop()
        text = self.log_tail()
        return text if "Sanitizer" in text or "runtime error" in text else ""


def server(lines, ways=FAST):
    return f"server s {{ {lines}; {ways} }}\n"


def record(family, owner, address, ttl=60):
    return dns.a(owner, address, ttl) if family == 4 else dns.aaaa(owner, address, ttl)
