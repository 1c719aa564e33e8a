# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a client that insists: it sends each message until it holds a 250 for it, whatever happens
meanwhile, and the comparison of what it saw with what a strict server stored."""

import collections
import hashlib
import itertools
import random
import re
import threading
import time

import mail
from lab import in_thread
from report import equal

THREADS = 12
SIZES = 12 * (0,) + 12 * (1500,) + 6 * (20_000,) + (200_000,)

# what a client knows of an attempt
KEPT, REFUSED, NOT_SENT, UNKNOWN = "kept", "refused", "not sent", "unknown"


def body_of(name):
    """The same for a name each time: lines that begin with dots, 8-bit bytes, long lines."""
    rng = random.Random(name)
    lines = [f"Subject: <{name}>".encode(), b"", b".", b"..", b". a line that begins with a dot"]
    size = rng.choice(SIZES)
    while size > 0:
        line = rng.choice((b"x" * 76, b"." * 3 + b"y" * 60, "grüße ".encode() * 10,
                           hashlib.sha256(str(size).encode()).hexdigest().encode(), b"z" * 900))
        lines.append(line)
        size -= len(line)
    return b"".join(line + b"\r\n" for line in lines)


def stuffed(data):
    data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data


class Client:
    """Sends each number until it holds a 250 for it, and remembers what it saw of each attempt."""

    def __init__(self, t, prefix="m"):
        self.t, self.prefix, self.numbers = t, prefix, itertools.count()
        self.attempts, self.lock = {}, threading.Lock()
        self.enough = self.stopped = False  # no other number; no other attempt
        self.begun = self.kept = 0
        self.threads = [in_thread(self._run) for _ in range(THREADS)]

    def _run(self):
        while not self.enough:
            with self.lock:
                number = next(self.numbers)
                self.begun += 1
            for attempt in range(10_000):
                name = f"{self.prefix}{number}.{attempt}"
                saw = self._send(name, (4, 6)[(number + attempt) % 2])
                with self.lock:
                    self.attempts[name] = saw
                    self.kept += saw == KEPT
                if saw == KEPT or self.stopped:
                    break
                time.sleep(0.05)  # as a client would wait before it tries again

    def _send(self, name, family):
        saw = NOT_SENT
        try:
            with mail.Smtp(self.t.lab.client, self.t.lab.internet.ip(family), timeout=20) as smtp:
                reply = smtp.reply()
                for line, code in (("EHLO client.example", "250"),
                                   ("MAIL FROM:<a@client.example>", "250"),
                                   ("RCPT TO:<b@internet.example>", "250"), ("DATA", "354")):
                    if not reply or reply[0] not in "23":
                        return REFUSED if reply else NOT_SENT
                    reply = smtp.ask(line)
                    if not reply.startswith(code):
                        return REFUSED if reply else NOT_SENT
                smtp.sock.sendall(stuffed(body_of(name)))
                saw = UNKNOWN
                reply = smtp.ask(".")
                if reply:
                    saw = KEPT if reply.startswith("250") else REFUSED
                smtp.ask("QUIT")
        except OSError:
            pass
        return saw

    def left(self):
        return any(thread.is_alive() for thread in self.threads)


def without_trace(data):
    """Without the one header of the gateway, if it put one in front."""
    end = re.match(rb"Received: from [^\r]*(\r\n[ \t][^\r]*)*\r\n", data)
    return data[end.end():] if end else data


def check_attempts(t, attempts, prefix):
    """What is stored of names that begin so, against what clients saw: {name: what}."""
    stored = {name: files for name, files in t.dmz.stored().items() if name.startswith(prefix)}
    wrong, counts = [], collections.Counter()
    for name, saw in attempts.items():
        files = stored.pop(name, [])
        counts[saw, len(files)] += 1
        if len(files) > 1 or (saw == KEPT and not files) or (saw in (REFUSED, NOT_SENT) and files):
            wrong.append(f"{name}: {saw}, stored {len(files)} times")
        for path in files:
            with open(path, "rb") as file:
                if without_trace(file.read()) != body_of(name):
                    wrong.append(f"{name}: {saw}, stored altered: {path}")
    wrong += [f"{name}: stored, and nobody sent it" for name in stored]
    for (saw, times), n in sorted(counts.items()):
        print(f"# {n} attempts {saw}, stored {times} times")
    equal(wrong, [], "messages")
    equal(t.dmz.wrong(), [], "what a strict server does not take")


def check(t, client):
    """The same of all that this client sent."""
    check_attempts(t, client.attempts, client.prefix)
    equal(sum(saw == KEPT for saw in client.attempts.values()), client.begun, "messages kept")
