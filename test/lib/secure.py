# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the scene of TLS towards clients: a gateway with a certificate of the test's own authority,
and clients that speak TLS with it."""

import contextlib
import re
import ssl
import subprocess

import mail
from authority import Authority
from lab import wait_until
from scene import Scene, equal, holds

NAME, CLIENT = "gw.example.net", "mta.client.example"


class Secured(Scene):
    def __init__(self, lab):
        self.authority = Authority(lab.path("tls"))
        self.file, self.key = self.authority.sign("gw", NAME)
        self.private = Authority(lab.path("private"), "Private Authority")
        self.own = self.private.sign("mta", CLIENT)
        super().__init__(lab)

    def tls_text(self, family=4, tls="offer", more="", **parts):
        own = f'certificate gw {{ file "{self.file}" key "{self.key}" }}'
        tls = f"level message\ntls {tls} {{ certificate gw {more} }}"
        return self.text(family, **parts, zone_more=tls, top=own)

    def use(self, family, *args, **how):
        self.postern.apply(self.tls_text(family, *args, **how))
        self.postern.login("alice", self.lab.client)

    def record(self, word):
        """The record of the message with that sender."""
        rows = wait_until(lambda: self.postern.rows("message", "show", "sender",
                                                    f"{word}@client.example"), 15, "its record")
        return self.postern.rows("message", "show", rows[0]["message"])[0]

    def stored(self, word):
        wait_until(lambda: self.dmz.having(word), 15, f"{word} is stored")
        equal(len(self.dmz.having(word)), 1, "stored")
        equal(self.internet.having(word), [], "on the Internet")

    def delivers(self, word, smtp):
        holds(smtp.ask("EHLO client.example"), "250")
        holds(smtp.deliver(f"Subject: {word}\r\n\r\n{word}", f"{word}@client.example"), "250")
        self.stored(word)
        return self.record(word)["client_tls"]


class Program(mail.Smtp):
    """SMTP through the pipes of a program; its own lines are no replies."""

    def __init__(self, host, *words):
        self.process = host.popen(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self.reader, self.sock = self.process.stdout, self

    def sendall(self, data):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def reply(self):
        while True:
            line = self.reader.readline()
            if not line or re.match(rb"\d{3} ", line):
                return line.decode().rstrip("\r\n")

    def close(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.kill()
        self.process.wait(10)
        self.reader.close()


def where(address, port=25):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def s_client(t, family, *words, host=None, at=None, starttls=True):
    """at: (address, port) instead of one on the Internet."""
    begins = ("-starttls", "smtp") if starttls else ()
    return Program(host or t.lab.client, "openssl", "s_client", "-quiet", *begins, "-connect",
                   where(*(at or (t.lab.internet.ip(family),))), "-CAfile", t.authority.file, *words)


class Secure(mail.Smtp):
    """By Python's ssl, in a session that is kept open. at: (address, port) instead of one on the
    Internet."""

    def __init__(self, t, family, *before, at=None, host=None):
        super().__init__(host or t.lab.client, *(at or (t.lab.internet.ip(family),)), timeout=40)
        holds(self.reply(), "220")
        holds(self.ask("EHLO client.example"), "250-STARTTLS")
        for line in before:
            holds(self.ask(line), "250")
        holds(self.ask("STARTTLS"), "220")
        self.shake_hands(t)
        holds(self.ask("EHLO client.example"), "250")

    def shake_hands(self, t):
        context = ssl.create_default_context(cafile=t.authority.file)
        self.sock = context.wrap_socket(self.sock, server_hostname=NAME)
        self.reader.close()
        self.reader = self.sock.makefile("rb")


class Immediate(Secure):
    """The same on 465, where TLS comes first."""

    def __init__(self, t, family):
        mail.Smtp.__init__(self, t.lab.client, t.lab.internet.ip(family), 465, timeout=40)
        self.shake_hands(t)
        holds(self.reply(), "220")
        holds(self.ask("EHLO client.example"), "250")
