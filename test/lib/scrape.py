# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns HTTP as the tests speak it to the web process, and the reading of what it serves."""

import re
import socket

SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def receive(sock):
    """All bytes until the other side ends."""
    parts = []
    try:
        while part := sock.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def ask(host, address, port, request, timeout=20, ends=False):
    """The answer's bytes to these bytes, behind which the client may end its side."""
    with host.connect(address, port, timeout) as sock:
        try:
            sock.sendall(request)
            if ends:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive(sock)


def request(path="/metrics", method="GET", more=""):
    return f"{method} {path} HTTP/1.1\r\nHost: gw.example.net\r\n{more}\r\n".encode()


def get(host, address, port, path="/metrics", **how):
    """(status, headers, body)"""
    head, _, body = ask(host, address, port, request(path), **how).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body.decode()


class Page:
    """The values of a page: page[name, label, value, ...] with labels in the page's order."""

    def __init__(self, text):
        self.text = text
        self.values, self.labels, self.kinds, self.helps = {}, set(), {}, set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                assert name not in self.kinds, f"{name} twice"
                self.kinds[name] = kind
            elif line.startswith("# HELP "):
                self.helps.add(line.split()[2])
            else:
                self._add(line)

    def _add(self, line):
        match = SAMPLE.match(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value = match.groups()
        pairs = LABEL.findall(labels or "")
        assert ",".join(f'{label}="{text}"' for label, text in pairs) == (labels or ""), line
        self.labels |= {label for label, _ in pairs}
        key = (name, *(word for pair in pairs for word in pair))
        assert key not in self.values, f"{key} twice"
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in self.kinds or self.kinds.get(family) == "histogram", f"{name} has no TYPE"
        self.values[key] = float(value)

    def __getitem__(self, key):
        return self.values[key if isinstance(key, tuple) else (key,)]

    def get(self, *key):
        return self.values.get(key, 0)

    def names(self):
        return set(self.kinds)


def holds_connection(sock):
    """Has the other side not ended this connection?"""
    sock.setblocking(False)
    try:
        return sock.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
