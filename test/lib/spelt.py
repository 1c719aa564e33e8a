# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns what is asked of one person's many ways to write a name: one user, one allowance, one count
of guesses."""

import base64

from lab import wait_until
from scene import equal, holds

LIMIT = "limit messages 4/hour per user"
TAKEN, GUESSED = 4, 5


def spellings(name, domain):
    """Ten of name@domain."""
    return (name, name.upper(), name.capitalize(), f" {name}", f"{name} ", f"{name}@{domain}",
            f"{name}@{domain.upper()}", f"{name.upper()}@{domain}", f" {name}@{domain} ",
            f"{name.capitalize()}@{domain.capitalize()}")


def _plain(user, password):
    return "AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def _send(smtp):
    """The first reply that is no yes, or the last."""
    for line in ("MAIL FROM:<a@client.example>", "RCPT TO:<b@internet.example>", "DATA",
                 "Subject: spelt\r\n\r\nspelt\r\n."):
        reply = smtp.ask(line)
        if reply[0] not in "23":
            break
    return reply


def is_one(t, family, names, password, user):
    """All names are this user's, whose listener has LIMIT. He comes from one client, and is guessed
    at from another."""
    taken = 0
    for name in names:
        with t.client(family, host=t.lab.client) as smtp:
            holds(smtp.ask(_plain(name, password)), "235")
            taken += _send(smtp).startswith("250")
    equal(taken, TAKEN, "messages within the limit of one user")

    def known():
        rows = t.postern.rows("message", "show", "user", f"auth:{user}", "limit", "all")
        return len(rows) >= TAKEN and rows
    for row in wait_until(known, 10, f"records of {user}")[:TAKEN]:
        equal(t.postern.rows("message", "show", row["message"])[0]["user"], user)
    replies = []
    for name in names:
        with t.client(family, host=t.lab.client2) as smtp:
            replies.append(smtp.ask(_plain(name, "guess"))[:9])
    equal(replies, GUESSED * ["535 5.7.8"] + (len(names) - GUESSED) * ["454 4.7.0"])
