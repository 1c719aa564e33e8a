# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the scene of the login page: a portal for the guests, who are in a file of passwords, and a client
of it that says whatever it is told, byte by byte, and looks at every answer's header fields."""

import base64
import contextlib
import hashlib
import http.client
import os
import re
import socket
import ssl
import struct
import subprocess
import urllib.parse
import zlib

import mail
from authority import Authority, openssl
from lab import GATEWAY, wait_until
from postern import USER, Postern
from scene import Scene, equal, holds

NAME = "login.hotel.example"
PASSWORDS = {"anna": "an na's & <b>\u20ac", "bert": "b\"ert", "director": "d1rector%41"}
TERMS = "The network is for guests of the house.\n\nNo mail that nobody asked for.\nTake care.\n"
TOKEN = re.compile(r'action="/(\w+)"[^>]*>\s*<input type="hidden" name="token" value="([0-9a-f]+)"')
# of every answer of HTTPS, whatever it is
FIELDS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin"}
CSP = ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'")


def hashed(password):
    return openssl("passwd", "-6", "-stdin", stdin=password.encode() + b"\n").decode().strip()


def door(family):
    return GATEWAY["guest0"][1 if family == 4 else 2]


def picture(width=96, height=48):
    """A logo: a PNG of two colours."""
    row = b"\0" + b"\x0b\x57\xa4" * (width // 2) + b"\xe0\xa0\x20" * (width - width // 2)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b""))


class Answer:
    def __init__(self, sock, method=None):
        got = http.client.HTTPResponse(sock, method=method)
        got.begin()
        self.status, self.body = got.status, got.read().decode(errors="replace")
        self.fields = [(name.lower(), value) for name, value in got.getheaders()]

    def field(self, name):
        """None: it is not there. Never twice."""
        values = [value for has, value in self.fields if has == name]
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    def token(self, form):
        tokens = dict(TOKEN.findall(self.body))
        return tokens.get(form)

    def terms(self):
        """Which it shows, as the form says it; "": none."""
        found = re.search(r'name="terms" value="([^"]*)"', self.body)
        return found.group(1) if found else ""

    def says(self):
        """The sentence of its notice; None: there is none."""
        found = re.search(r'<p id="notice"[^>]*>([^<]*)</p>', self.body)
        return found and found.group(1)

    def is_proper(self):
        """Has what each answer has to have. Returns itself."""
        for name, value in FIELDS.items():
            equal(self.field(name), value, name)
        holds(self.field("content-security-policy"), *CSP)
        assert "unsafe" not in self.field("content-security-policy")
        assert not any(name in ("set-cookie", "access-control-allow-origin", "server", "x-powered-by")
                       for name, _ in self.fields), self.fields
        kind = self.field("content-type")
        if kind and kind.startswith("text/html"):
            equal(kind, "text/html; charset=utf-8")
            equal(self.field("cache-control"), "no-store")
        if self.body.startswith("<!DOCTYPE"):
            assert "<script" not in self.body and not re.search(r"<[^>]*\s(on\w+|style)=", self.body)
        return self


class Guest:
    """A host's way to the page, by one family. device: by this interface of the host."""

    def __init__(self, host, family, trust=None, port=443, source=None, address=None, device=None):
        self.host, self.family, self.port, self.source, self.device = host, family, port, source, device
        self.address = address or door(family)
        self.tls = ssl.create_default_context(cafile=trust)
        if not trust:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def connect(self, timeout):
        if not self.device:
            return self.host.connect(self.address, self.port, timeout=timeout, source=self.source)
        raw = self.host.socket(socket.AF_INET if self.family == 4 else socket.AF_INET6)
        raw.settimeout(timeout)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())
        raw.connect((self.address, self.port))
        return raw

    def open(self, timeout=30):
        raw = self.connect(timeout)
        try:
            return self.tls.wrap_socket(raw, server_hostname=NAME)
        except BaseException:
            raw.close()
            raise

    def say(self, data, timeout=30):
        """Bytes as they are, and what is answered."""
        with self.open(timeout) as sock:
            sock.sendall(data)
            return Answer(sock, data.split(b" ")[0].decode("latin-1"))

    def ask(self, method, path, body=None, **fields):
        """Header fields as words, with _ for -; None leaves one out that is usual."""
        usual = {"Host": NAME}
        if body is not None:
            body = body if isinstance(body, bytes) else body.encode()
            usual |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body)),
                      "Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}
        usual |= {name.replace("_", "-"): value for name, value in fields.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in usual.items() if value is not None)
        return self.say(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")).is_proper()

    def get(self, path="/", **fields):
        return self.ask("GET", path, **fields)

    def post(self, form, token=None, fields=None, **values):
        """Of its own page, unless a token is given."""
        if token is None:
            page = self.get()
            token, values = page.token(form) or "", {"terms": page.terms(), **values}
        values = {"token": token, **values}
        return self.ask("POST", "/" + form, urllib.parse.urlencode(values), **(fields or {}))

    def login(self, user, password=None, **more):
        return self.post("login", user=user, password=PASSWORDS.get(user) if password is None else password,
                         accept="yes", **more)

    def is_in(self):
        """As whom; None: nobody is. "" where no password is asked for."""
        body = self.get().body
        if "/logout" not in body:
            return None
        found = re.search(r"<dd><bdi>([^<]*)</bdi>", body)
        return found.group(1) if found else ""


class Portal(Scene):
    def __init__(self, lab):
        self.lab = lab
        self.authority = Authority(lab.path("tls"))
        self.file, self.key = self.authority.sign("login", NAME)
        self.users, self.terms, self.logo = lab.path("guests"), lab.path("terms.txt"), lab.path("logo.png")
        self.keep(self.users, "".join(f"{user}:{hashed(password)}\n" for user, password in PASSWORDS.items()))
        self.keep(self.terms, TERMS)
        self.keep(self.logo, picture())
        self.dmz, self.internet = mail.Server(lab.dmz), mail.Server(lab.internet)
        self.postern = Postern(lab, self.page_text())
        self.log_tail, self.finish = self.postern.log_tail, self.postern.finish

    @staticmethod
    def keep(path, text):
        """For the daemon to read, and nobody else."""
        with open(path + ".new", "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        subprocess.run(["chown", USER, path + ".new"], check=True)
        os.chmod(path + ".new", 0o400)
        os.rename(path + ".new", path)

    def page_text(self, family=4, auth="guests", more=None, top="", zone_more="", **parts):
        if more is None:
            more = f'terms file "{self.terms}" logo file "{self.logo}"'
        top += (f'certificate login {{ file "{self.file}" key "{self.key}" }}\n'
                f'auth guests {{ file "{self.users}" }}\n'
                f'portal house {{ zone guest name "{NAME}" address {door(4)}, {door(6)}\n'
                f'certificate login auth {auth} {more} }}\n')
        return self.text(family, top=top, zone_more="level message\nlease 8h\n" + zone_more, **parts)

    def begin(self, family=4, **parts):
        self.postern.apply(self.page_text(family, **parts))
        self.postern.logout("zone", "guest")
        self.dmz.at = {}
        with self.dmz.lock:
            self.dmz.messages.clear()
        wait_until(lambda: self.opens(family), 20, "the page is there")

    def forget_tries(self):
        """Whoever failed before may try again: two processes count them."""
        for role in ("auth", "web"):
            self.postern.signal(role)
        other = self.guest(4, self.lab.client2)
        wait_until(lambda: self.opens(4) and self.opens(6) and other.login("bert").status == 303, 30,
                   "one can log in again")
        other.post("logout")

    def opens(self, family):
        with contextlib.suppress(OSError):
            return self.guest(family).get().status == 200
        return False

    def guest(self, family, host=None, **how):
        return Guest(host or self.lab.client, family, trust=self.authority.file, **how)

    def spki(self):
        """By which a browser knows the certificate, as if its authority were installed."""
        key = openssl("x509", "-in", self.file, "-pubkey", "-noout")
        return base64.b64encode(hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", stdin=key))
                                .digest()).decode()

    def sessions(self):
        return self.postern.rows("session", "show")
