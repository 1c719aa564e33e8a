# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns what tests of scans have in common: guests whose messages are scanned, their letters, and
what is recorded of them."""

import itertools

from lab import wait_until
from postern import policy, server, zone
from scene import Scene, equal, holds
from scripted import Clamd, Milter

RULE = "rule guests {{ zone guest user any server relay scan {} }}\n"


def letter(word, body=b"Hello", header=b""):
    return (f"From: a@client.example\r\nTo: b@internet.example\r\nSubject: {word}\r\n"
            f"Message-ID: <{word}@client.example>\r\n").encode() + header + b"\r\n" + body + b"\r\n"


class Scanned(Scene):
    def use(self, family, scans, names, servers="", more="", rules="", top="", server_more="",
            port=25):
        self.postern.apply(policy(top, zone(more), scans,
                                  server(self.lab.dmz, family, port=port, more=server_more), servers,
                                  rules, RULE.format(names)))
        self.postern.login("alice", self.lab.client)

    def open(self, family, host=None, **how):
        smtp = self.connect(family, host, **how)
        holds(smtp.reply(), "220")
        holds(smtp.ask("EHLO client.example"), "250")
        return smtp

    def deliver(self, family, text, **how):
        with self.open(family, **how) as smtp:
            return smtp.deliver(text[:-2])

    def asked(self, family, text=None, recipients=("b@internet.example",)):
        """The replies to MAIL, each RCPT, DATA and the dot, as far as it goes."""
        replies = []
        with self.open(family) as smtp:
            replies.append(smtp.ask("MAIL FROM:<a@client.example>"))
            replies += [smtp.ask(f"RCPT TO:<{recipient}>") for recipient in recipients]
            replies.append(smtp.ask("DATA"))
            if replies[-1].startswith("354"):
                smtp.sock.sendall(text + b".\r\n")
                replies.append(smtp.reply())
            smtp.ask("QUIT")
        return replies

    def record(self, word):
        """Of the message whose Message-ID has the word, whole."""
        found = []

        def there():
            for row in self.postern.rows("message", "show", "limit", "30"):
                whole = self.postern.rows("message", "show", row["message"])[0]
                if word in str(whole["message_id"]):
                    found[:] = [whole]
                    return True
            return False
        wait_until(there, 10, f"the record of {word}")
        return found[0]

    def last_record(self, word):
        """The newest, once it is one whose scan has the word: control hears of a message later than
        its client does."""
        def told():
            rows = self.postern.rows("message", "show", "limit", "1")
            whole = rows and self.postern.rows("message", "show", rows[0]["message"])[0]
            return whole if whole and word in (whole["scan"] or "") else None
        return wait_until(told, 10, f"a record whose scan has {word!r}")

    def stored(self, word):
        return [message for message in self.dmz.having(word)]

    def taken(self, family, word, text=None):
        """The server has it, once; returns it as it is there."""
        text = text or letter(word)
        holds(self.deliver(family, text), "250 2.0.0 Ok: kept")
        self.dmz.wait_message(word)
        equal(len(self.stored(word)), 1, "messages at the server")
        return self.stored(word)[0][2]

    def not_taken(self, family, word, *reply, text=None):
        said = self.deliver(family, text or letter(word))
        holds(said, *reply)
        equal(len(self.stored(word)), 0, "messages at the server")
        return said


def milter_at(host, family, port=7400, more="", name="filter"):
    address = host.ip(family) if family == 4 else f"[{host.ip(family)}]"
    return f'scan {name} {{ milter "inet:{address}:{port}" {more} }}\n'


def clamd_at(host, family, port=3400, more="", name="virus"):
    address = host.ip(family) if family == 4 else f"[{host.ip(family)}]"
    return f'scan {name} {{ clamav "{address}:{port}" {more} }}\n'


class Scripted(Scanned):
    """With a milter and a clamd that say what the test tells them to, in scans that are each a new
    one: what is known of one before is not known of it."""

    def __init__(self, lab):
        self.milter, self.clamd = Milter(lab.dmz), Clamd(lab.dmz)
        self.numbers = itertools.count(1)
        super().__init__(lab)

    def scan(self, family, kind, more):
        self.name = f"{kind}{next(self.numbers)}"
        at = {"milter": milter_at, "clamd": clamd_at}[kind]
        self.use(family, at(self.lab.dmz, family, more=more, name=self.name), self.name)
