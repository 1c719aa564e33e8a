# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a browser that does what it is told: one request at a time to a login page, from a host of
the lab, with whatever fields a test wants."""

import re
import ssl
import urllib.parse

NAME = "login.example"


class Answer:
    def __init__(self, raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.body = body.decode("utf-8", "replace")

    def field(self, name):
        return next((value for field, value in self.fields if field.lower() == name.lower()), None)

    def token(self, action):
        """That of the form which posts there."""
        form = re.search(rf'<form[^>]*action="/{action}".*?</form>', self.body, re.S)
        found = form and re.search(r'name="token" value="([^"]*)"', form.group(0))
        return found.group(1) if found else None

    def terms(self):
        """Which it shows, as the form says it; "": none."""
        found = re.search(r'name="terms" value="([^"]*)"', self.body)
        return found.group(1) if found else ""

    def says(self, *words):
        for word in words:
            assert word in self.body, f"{word!r} is not in\n{self.body}"
        return self


def read_all(sock):
    chunks = []
    while True:
        try:
            chunk = sock.recv(65536)
        except (ssl.SSLEOFError, ConnectionResetError):
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


class Page:
    """The login page as a host sees it. Host and Origin are what a browser would say."""

    def __init__(self, host, address, port=443, name=NAME):
        self.host, self.address, self.port, self.name = host, address, port, name
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def secure(self, timeout=30, **how):
        """A connection in TLS."""
        plain = self.host.connect(self.address, self.port, timeout=timeout, **how)
        return self.context.wrap_socket(plain, server_hostname=self.name)

    def raw(self, text, timeout=30):
        with self.secure(timeout) as sock:
            sock.sendall(text if isinstance(text, bytes) else text.encode())
            raw = read_all(sock)
        assert raw, "the connection was closed without an answer"
        return Answer(raw)

    def ask(self, method, path, body=None, fields=(), host=None, timeout=30):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.name if host is None else host}",
                 "Connection: close"]
        lines += [f"{name}: {value}" for name, value in fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join(lines) + "\r\n\r\n" + (body or ""), timeout)

    def get(self, path="/", **how):
        return self.ask("GET", path, **how)

    def post(self, path, fields=(), origin=None, **form):
        """A form, as a browser sends it from a page of ours."""
        said = [("Content-Type", "application/x-www-form-urlencoded"),
                ("Origin", origin or f"https://{self.name}"), ("Sec-Fetch-Site", "same-origin")]
        return self.ask("POST", path, urllib.parse.urlencode(form), [*said, *fields])

    def login(self, user, password, **form):
        """As a guest does it: gets the page, fills in the form, sends it."""
        page = self.get()
        token = page.token("login")
        assert token, "no form to log in by"
        return self.post("/login", user=user, password=password, token=token, terms=page.terms(), **form)

    def act(self, what):
        """Renew or logout, by the form on the page."""
        token = self.get().token(what)
        assert token, f"no form to {what} by"
        return self.post(f"/{what}", token=token)
