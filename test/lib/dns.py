# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a DNS server that says what the test tells it, true or not, over UDP and TCP."""

import contextlib
import ipaddress
import socket
import struct
import subprocess
import threading

from lab import in_thread, wait_until

A, CNAME, SOA, PTR, MX, AAAA = 1, 5, 6, 12, 15, 28
QR, TC, AA, RA = 0x8000, 0x0200, 0x0400, 0x0080
NO_ERROR, SERVFAIL, NO_NAME, REFUSED = 0, 2, 3, 5


def name(text):
    out = b""
    for label in text.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


def text_of(wire):
    """The name that stands at the beginning of these bytes."""
    at, labels = 0, []
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]].decode("latin-1"))
        at += 1 + wire[at]
    return ".".join(labels).lower()


def a(owner, address, ttl=60):
    return name(owner) + struct.pack(">HHIH", A, 1, ttl, 4) + socket.inet_aton(address)


def aaaa(owner, address, ttl=60):
    data = socket.inet_pton(socket.AF_INET6, address)
    return name(owner) + struct.pack(">HHIH", AAAA, 1, ttl, 16) + data


def mx(owner, preference, host, ttl=60):
    data = struct.pack(">H", preference) + name(host)
    return name(owner) + struct.pack(">HHIH", MX, 1, ttl, len(data)) + data


def cname(owner, to, ttl=60):
    data = name(to)
    return name(owner) + struct.pack(">HHIH", CNAME, 1, ttl, len(data)) + data


def reverse(address):
    """Where the names of an address are asked for."""
    return ipaddress.ip_address(address).reverse_pointer


def ptr(address, host, ttl=60, owner=None):
    """host: text, or the bytes of a name."""
    data = host if isinstance(host, bytes) else name(host)
    return name(owner or reverse(address)) + struct.pack(">HHIH", PTR, 1, ttl, len(data)) + data


def message(ident, question, answers, rcode=NO_ERROR, flags=0):
    return struct.pack(">HHHHHH", ident, QR | AA | RA | flags | rcode, 1, len(answers), 0,
                       0) + question + b"".join(answers)


class Dns:
    """zone: {(name, type): [records]}; a name without any is NO_NAME, without the type empty.
    trick(ident, question, tcp) may return bytes (or a list of them) to say instead, or b"" for
    silence; None: as the zone says."""

    def __init__(self, host, address, port=53):
        self.host, self.address, self.port = host, address, port
        self.zone = {}
        self.trick = None
        self.asked = []
        self.lock = threading.Lock()
        self.sockets = []
        host.lab.on_close(self.stop)

    def start(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        udp = self.host.socket(family, socket.SOCK_DGRAM)
        # a thread that is still ending holds the socket of the time before
        wait_until(lambda: self._binds(udp), 5, "the DNS port is free")
        tcp = self.host.listen(self.address, self.port)
        self.sockets = [udp, tcp]
        in_thread(self._serve_udp, udp)
        in_thread(self._accept, tcp)
        return self

    def _binds(self, sock):
        with contextlib.suppress(OSError):
            sock.bind((self.address, self.port))
            return True

    def stop(self):
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.sockets = []

    def put(self, *records):
        """Records of one (name, type) replace those that were there."""
        fresh = {}
        for record in records:
            owner = text_of(record)
            kind = struct.unpack_from(">H", record, len(name(owner)))[0]
            fresh.setdefault((owner, kind), []).append(record)
        with self.lock:
            self.zone.update(fresh)

    def forget(self, *names):
        with self.lock:
            self.zone = {key: value for key, value in self.zone.items() if key[0] not in names}

    def count(self, text, kind):
        with self.lock:
            return self.asked.count((text, kind))

    def _answer(self, query, tcp):
        if len(query) < 17:
            return []
        ident = struct.unpack_from(">H", query)[0]
        text = text_of(query[12:])
        question = query[12:12 + len(name(text)) + 4]
        kind = struct.unpack_from(">H", question, len(question) - 4)[0]
        with self.lock:
            self.asked.append((text, kind))
            records = list(self.zone.get((text, kind), []))
            known = any(key[0] == text for key in self.zone)
        said = self.trick(ident, question, tcp) if self.trick else None
        if said is not None:
            return [said] if isinstance(said, bytes) else said
        whole = message(ident, question, records, NO_ERROR if known else NO_NAME)
        if not tcp and len(whole) > 1232:
            whole = message(ident, question, [], flags=TC)
        return [whole]

    def _serve_udp(self, sock):
        while True:
            try:
                query, peer = sock.recvfrom(4096)
                for said in self._answer(query, False):
                    if said:
                        sock.sendto(said, peer)
            except OSError:
                return

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            in_thread(self._serve_tcp, sock)

    def _serve_tcp(self, sock):
        with contextlib.suppress(OSError), sock:
            while True:
                head = sock.recv(2, socket.MSG_WAITALL)
                if len(head) < 2:
                    return
                query = sock.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                for said in self._answer(query, True):
                    if said:
                        sock.sendall(struct.pack(">H", len(said)) + said)


class Dnsmasq:
    """A real one. Runs and answers when it has been made."""

    def __init__(self, host, address, *lines):
        self.host, self.address, self.lines = host, address, lines
        self.process = None
        wait_until(self._answers, 20, "dnsmasq answers")

    def _start(self):
        self.process = self.host.popen(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts",
            "--no-resolv", "--local=/example.org/", "--bind-interfaces", "--user=root",
            "--pid-file=", f"--listen-address={self.address}", "--except-interface=lo",
            *self.lines, stderr=subprocess.DEVNULL)

    def _answers(self):
        # a DNS server of the case before may hold the port for a moment: it then ends at once
        if not self.process or self.process.poll() is not None:
            self._start()
        question = name("example.org") + b"\0\1\0\1"
        with self.host.socket(kind=socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.settimeout(0.2)
            sock.connect((self.address, 53))
            sock.send(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + question)
            return sock.recv(512)[:2] == b"\x12\x34" and self.process.poll() is None
        return False

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
