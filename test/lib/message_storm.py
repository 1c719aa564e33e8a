# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the storm at message level: clients that keep their connections, hold and leave messages, and
each fault that is done meanwhile."""

import collections
import contextlib
import os
import random
import signal
import threading
import time

import mail
import strict
from harm import Harm
from insistent import KEPT, NOT_SENT, REFUSED, UNKNOWN, Client, body_of, stuffed
from postern import Postern, policy, zone
from scene import GUESTS, equal

SOAK = os.environ.get("POSTERN_SOAK") is not None
MESSAGES = int(os.environ.get("POSTERN_MESSAGES", "10000" if SOAK else "300"))
SEED = int(os.environ.get("POSTERN_SEED", "1"))
ROUNDS = 12 if SOAK else 1  # of each kind of fault

# what a client does with a message
AT_ONCE = "at once"
WAITS = "waits before the dot"
LEAVES = "leaves before the dot"
GOES = "goes behind the dot"
WAYS = 80 * (AT_ONCE,) + 8 * (WAITS,) + 4 * strict.POINTS + 2 * (LEAVES, GOES)


class Clients(Client):
    """Each thread of them keeps its connection for some more messages."""

    def __init__(self, t):
        self.dmz, self.own = t.dmz, threading.local()
        super().__init__(t)

    def _send(self, name, family):
        rng = random.Random(f"{SEED} {name}")
        saw = [NOT_SENT]
        try:
            kept = getattr(self.own, "smtp", None) or self._connect(family)
            if kept and self._say(kept, name, rng, saw) and rng.random() < 0.6:
                self.own.smtp = kept
            else:
                self._close(kept)
        except OSError:
            self._close(getattr(self.own, "smtp", None))
        return saw[0]

    def _connect(self, family):
        smtp = mail.Smtp(self.t.lab.client, self.t.lab.internet.ip(family), timeout=30)
        self.own.smtp = smtp
        if smtp.reply().startswith("220") and smtp.ask("EHLO client.example").startswith("250"):
            return smtp
        return None

    def _close(self, smtp):
        smtp = smtp or getattr(self.own, "smtp", None)
        self.own.smtp = None
        if smtp:
            with contextlib.suppress(OSError):
                smtp.send("QUIT")
            smtp.close()

    def _sender(self):
        return "a@client.example"

    def _say(self, smtp, name, rng, saw):
        """True: the connection is good for another one."""
        for line, code in ((f"MAIL FROM:<{self._sender()}>", "250"),
                           ("RCPT TO:<b@internet.example>", "250"), ("DATA", "354")):
            if not smtp.ask(line).startswith(code):
                return False
        smtp.sock.sendall(stuffed(body_of(name)))
        way, pause = rng.choice(WAYS), rng.uniform(0, 1.5)
        if way == LEAVES:
            return False
        if way == WAITS:
            time.sleep(pause)
        if way in strict.POINTS:
            self.dmz.hold(way, name)
            threading.Timer(pause, self.dmz.release, (way, name)).start()
        saw[0] = UNKNOWN
        smtp.send(".")
        if way == GOES:
            return False
        reply = smtp.reply()
        if reply:
            saw[0] = KEPT if reply.startswith("250") else REFUSED
        return saw[0] == KEPT


class Storm(Harm):
    def __init__(self, lab, signed=()):
        self.lab = lab
        self.dmz, self.internet = strict.Strict(lab.dmz, signed), mail.Server(lab.internet)
        self.postern = Postern(lab, self.text())
        self.log_tail, self.finish = self.postern.log_tail, self.postern.finish
        self.rng = random.Random(SEED)

    def text(self, word="one", level="message"):
        hosts = "".join(f"host {self.lab.dmz.ip(family)} port 25\n" for family in (4, 6))
        return policy(zone(f'level {level}\nunauthenticated answer 421 "{word}"'),
                      f"server relay {{ {hosts} deadline first 15s connect 3s greeting 10s }}\n",
                      GUESTS)

    def ask(self, *words, **how):
        """A command, which may meet a daemon that is not there."""
        return self.postern.ctl(*words, check=False, timeout=60, **how)

    def kill_one(self, role):
        pids = self.postern.pids(role)
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.rng.choice(pids), signal.SIGKILL)

    def kill_both(self):
        self.kill_one("smtp")
        self.kill_one("relay")

    def block(self):
        self.ask("block", "add", "user", "alice", "for", "1h", "Not now")
        time.sleep(self.rng.uniform(0, 0.5))
        self.ask("block", "delete", "user", "alice")

    def apply_plain(self):
        """The last word of messages goes, and comes back."""
        self.ask("policy", "apply", "-", input=self.text(level="connection"))
        time.sleep(self.rng.uniform(0, 1))
        self.ask("policy", "apply", "-", input=self.text(f"policy {self.rng.random()}"))

    def drain_host(self):
        host = self.lab.dmz.ip(self.rng.choice((4, 6)))
        self.ask("server", "drain", "relay", "host", host)
        time.sleep(self.rng.uniform(0, 0.5))
        self.ask("server", "enable", "relay", "host", host)

    def faults(self):
        return {
            "kill an smtp": lambda: self.kill_one("smtp"),
            "kill all smtp": lambda: self.kill("smtp"),
            "kill a relay": lambda: self.kill_one("relay"),
            "kill an smtp and a relay": self.kill_both,
            "kill control": lambda: self.kill("control"),
            "kill health": lambda: self.kill("health"),
            "kill server": self.kill_server,
            "kill all": self.kill_all,
            "stop smtp": lambda: self.pause("smtp", 7),
            "stop relay": lambda: self.pause("relay", 3),
            "stop server": self.stop_server,
            "restart": self.restart,
            "upgrade": self.upgrade,
            "apply": self.apply,
            "apply without messages and with them": self.apply_plain,
            "logout and login": self.log_out,
            "flow kill": lambda: self.ask("flow", "kill", "user", "alice"),
            "block and unblock": self.block,
            "server drain and enable": self.drain_host,
        }


def check_records(t, clients):
    """Each message has one record, and no more are told as delivered than are stored; what a process
    that died had not told yet, or not yet written, has none."""
    t.postern.wait_no_flows()
    rows = t.postern.rows("message", "show", "limit", "all")
    names = collections.Counter(row["message"] for row in rows)
    equal([name for name, n in names.items() if n > 1], [], "messages with two records")
    endings = collections.Counter(row["ending"] for row in rows)
    for ending, n in sorted(endings.items()):
        print(f"# {n} records say {ending}")
    stored = sum(map(len, t.dmz.stored().values()))
    assert endings["delivered"] + endings["client-lost"] <= stored, f"stored: {stored}"
