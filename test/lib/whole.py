# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns messages that are kept whole in front of a real Postfix: clients that are held at a point of
their message's way, the server's copies of each, a filter that judges when a test says, and a state
folder on a small disk of its own."""

import contextlib
import functools
import os
import random
import re
import signal
import subprocess
import threading

import mail
import partners
import valve
from lab import wait_until
from postern import Postern, policy, runs, server, zone
from scanned import RULE, Scanned, clamd_at
from scene import equal, holds
from scripted import Clamd
from valve import DOT, GIVE, STORED, Valve

SOAK = "POSTERN_SOAK" in os.environ
PORT = 2500
SMALL, LARGE = 3000, 5 << 20
MEMORY = 1 << 20  # of one text; the rest is in a file
# of the state folder's disk: below a 16th no text begins, below half of that none goes on
DISK = 160 << 20
LOW, FULL = DISK // 16, DISK // 32

# where a client's message is, besides valve.POINTS
RCPT, TEXT, VERDICT, TOLD = "rcpt", "text", "verdict", "told"
POINTS = (RCPT, TEXT, VERDICT, GIVE, DOT, STORED, TOLD)
# a short one is given at once
OF_SIZE = {SMALL: [point for point in POINTS if point != GIVE], LARGE: (TEXT, VERDICT, GIVE, DOT)}


@functools.lru_cache(40)
def text_of(name, size):
    """A message that a careless program would change, of so many bytes or some more."""
    text, rng = partners.letter(name), random.Random(name)
    block = b"".join(rng.choice((b".", b"..", b". x", b"y" * 76, b"From z", b"\xc3\xbc" * 40)) +
                     b" %d\r\n" % number for number in range(100))
    return text + block * -(-max(0, size - len(text)) // len(block))


def stuffed(data):
    return data.replace(b"\r\n.", b"\r\n..")


class Keeps(mail.Postfix):
    """What it keeps is looked into by sender: each copy that it took, by its queue id."""

    MORE = """
local_header_rewrite_clients =
smtpd_timeout = {timeout}
smtpd_data_restrictions = check_sender_access inline:{{
    {{ no@client.example = REJECT not this one }}, {{ later@client.example = DEFER not now }} }}
header_checks = regexp:{{ {{ /^Subject: never/ REJECT no such subject }} }}
"""

    def __init__(self, host):
        self.seen = {}  # path: (sender, queue id)
        super().__init__(host, more=self.MORE.format(timeout="75s" if SOAK else "300s"))

    def kill(self):
        """All of it at once."""
        with open(self.path("queue/pid/master.pid")) as file:
            pids, pending = [], [int(file.read())]
        while pending:
            pids.append(pending.pop())
            with contextlib.suppress(OSError), \
                    open(f"/proc/{pids[-1]}/task/{pids[-1]}/children") as file:
                pending += map(int, file.read().split())
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(20)
        wait_until(lambda: not any(map(runs, pids)), 20, "all its processes are gone")

    def wait_rest(self):
        """What it has taken is delivered. What it has not taken yet as it was killed stays for a
        while, and cannot be executed."""
        def rests():
            return not any(os.access(os.path.join(folder, leaf), os.X_OK)
                           for queue in ("incoming", "active", "deferred")
                           for folder, _, leaves in os.walk(self.path("queue", queue))
                           for leaf in leaves)
        wait_until(rests, 60, "its queue is empty")

    def copies(self, name):
        """Of this sender's message: {queue id: text}."""
        folder = self.path("mailbox/new")
        for leaf in os.listdir(folder) if os.path.isdir(folder) else ():
            path = os.path.join(folder, leaf)
            if path in self.seen:
                continue
            with open(path, "rb") as file:
                head = file.read(4096)
            self.seen[path] = (re.search(rb"^Return-Path: <([^@>]*)", head)[1].decode(),
                               re.search(rb"\sid (\w+)", head)[1])
        found = {}
        for path, (sender, ident) in self.seen.items():
            if sender == name:
                with open(path, "rb") as file:
                    found[ident] = file.read().replace(b"\n", b"\r\n")
        return found


class Judge(Clamd):
    """Good is what the test does not hold."""

    def __init__(self, host):
        self.go, self.held, self.reached = threading.Event(), set(), set()
        super().__init__(host)
        self.script(answer=self.judge)

    def judge(self, text):
        name = re.search(rb"^Subject: (\S+)\r$", text, re.M)[1].decode()
        self.reached.add(name)
        if name in self.held:
            self.go.wait(60)
        self.texts.clear()
        return b"stream: OK\0"

    def hold(self, name):
        self.go.clear()
        self.held.add(name)

    def release(self):
        self.held.clear()
        self.go.set()


class Held:
    """A client with a message at one of the points, or on its way there."""

    def __init__(self, t, event, point, size, family):
        self.t, self.point = t, point
        self.name = f"{event}-{point}-{'long' if size == LARGE else 'short'}-{family}"
        self.text, self.reply = text_of(self.name, size), None
        if point in valve.POINTS:
            t.valve.hold(point, self.name)
        if point == VERDICT:
            t.clamd.hold(self.name)
        self.smtp = t.begin_message(family, self.name, data=point != RCPT)
        if point == RCPT:
            self.rest = stuffed(self.text)
            return
        said = stuffed(self.text)
        half = len(said) // 2 if point == TEXT else len(said)
        self.rest = said[half:]
        self.smtp.sock.sendall(said[:half])
        if not self.rest:
            self.smtp.send(".")
        if point == TOLD:
            self.reply = self.smtp.reply()
            holds(self.reply, "250 2.0.0 Ok: queued as")

    def wait(self):
        if self.point in valve.POINTS:
            self.t.valve.wait_held(self.point, self.name)
        if self.point == VERDICT:
            wait_until(lambda: self.name in self.t.clamd.reached, 20, f"{self.name} is judged")

    def go_on(self):
        """What it has of a reply to its message in the end: the code, or ""."""
        if self.reply is not None:
            return self.reply[:3]
        with contextlib.suppress(OSError):
            if self.point == RCPT:
                self.reply = self.smtp.ask("DATA")
                if not self.reply.startswith("354"):
                    return self.reply[:3]
            if self.rest:
                self.smtp.sock.sendall(self.rest)
                self.smtp.send(".")
        self.reply = ""
        with contextlib.suppress(OSError):
            self.reply = self.smtp.reply()
        return self.reply[:3]


class Whole(Scanned):
    def __init__(self, lab):
        self.lab = lab
        self.dmz, self.valve, self.clamd = Keeps(lab.dmz), Valve(lab.dmz, PORT), Judge(lab.dmz)
        self.internet = mail.Server(lab.internet)
        self.postern = Postern(lab, policy(zone()), start=False)
        self.postern.view, self.state = self.small_disk()
        self.postern.start()
        self.log_tail, self.finish = self.postern.log_tail, self.postern.finish
        self.clients = []

    def small_disk(self):
        """A state folder on a disk of its own, in a mount namespace that lives as long as the lab:
        the words in front of a program that is to see it, and the path by which a test does."""
        script = ('mount --make-rprivate / && mount -t tmpfs -o size="$2",mode=755 tmpfs "$1" && echo there'
                  ' && exec sleep infinity')
        mounter = self.lab.gateway.popen("unshare", "-m", "sh", "-c", script, "sh",
                                         self.postern.state, str(DISK), stdout=subprocess.PIPE)
        holds(mounter.stdout.readline().decode(), "there")
        return (["nsenter", f"--mount=/proc/{mounter.pid}/ns/mnt", "--"],
                f"/proc/{mounter.pid}/root{self.postern.state}")

    def resize(self, size):
        self.lab.gateway.run(*self.postern.view, "mount", "-o", f"remount,size={size}",
                             self.postern.state)

    def policy(self, family, more="mode whole deadline 60s"):
        """By `guests` a message is kept whole; what is for stream@ is none's."""
        return policy(zone("limit flows 64 per user"),
                      clamd_at(self.lab.dmz, family, more=more),
                      server(self.lab.dmz, family, port=PORT),
                      'rule plain { zone guest user any recipient "stream@internet.example" '
                      "server relay scan none }\n", RULE.format("virus"))

    def fresh(self, family):
        self.postern.apply(self.policy(family))
        self.postern.login("alice", self.lab.client)

    def begin_message(self, family, name, data=True, recipient="b@internet.example"):
        """A connection whose message may come now."""
        smtp = self.open(family, timeout=60)
        self.clients.append(smtp)
        holds(smtp.ask(f"MAIL FROM:<{name}@client.example>"), "250")
        holds(smtp.ask(f"RCPT TO:<{recipient}>"), "250")
        if data:
            holds(smtp.ask("DATA"), "354")
        return smtp

    def message(self, family, name, size=SMALL, smtp=None, recipient="b@internet.example",
                text=None):
        """Sends one; what was replied to DATA if that was a refusal, else to the dot."""
        smtp = smtp or self.open(family, timeout=60)
        self.clients.append(smtp)
        for line in (f"MAIL FROM:<{name}@client.example>", f"RCPT TO:<{recipient}>"):
            holds(smtp.ask(line), "250")
        reply = smtp.ask("DATA")
        if not reply.startswith("354"):
            smtp.ask("RSET")
            return reply
        smtp.sock.sendall(stuffed(text or text_of(name, size)) + b".\r\n")
        return smtp.reply()

    def rest(self):
        """What was given is delivered, or nobody's."""
        self.valve.wait_rest()
        self.dmz.wait_rest()

    def leave(self):
        for smtp in self.clients:
            smtp.close()
        self.clients.clear()

    def there(self, name, text):
        """The one copy is as it was sent."""
        found = self.dmz.copies(name)
        equal(len(found), 1, f"copies of {name}")
        partners.same(next(iter(found.values())), text)

    def of_sender(self, name):
        """The record of the newest message of it."""
        def there():
            rows = self.postern.rows("message", "show", "sender", f"{name}@client.example", "limit", "1")
            return rows and self.postern.rows("message", "show", rows[0]["message"])
        return wait_until(there, 10, f"a record of {name}")[0]

    # -- the disk -----------------------------------------------------------------------------------

    def files_of(self, pid):
        """Bytes in each file without a name that it has open on the disk."""
        found, device = {}, os.stat(self.state).st_dev
        with contextlib.suppress(FileNotFoundError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                stat = os.stat(f"/proc/{pid}/fd/{fd}")
                if stat.st_dev == device and stat.st_nlink == 0:
                    found[stat.st_ino] = stat.st_size
        return found

    def in_files(self):
        """Bytes that all smtp processes have in such files."""
        return sum(sum(self.files_of(pid).values()) for pid in self.postern.pids("smtp"))

    def stocked(self):
        """Has each of them such a file?"""
        pids = self.postern.pids("smtp")
        return len(pids) == len(self.postern.pids("relay")) and all(map(self.files_of, pids))

    def room(self):
        stat = os.statvfs(self.state)
        return stat.f_bavail * stat.f_frsize

    @contextlib.contextmanager
    def filled(self, leave):
        """The disk has so much room and no more, whatever else is written meanwhile."""
        path = os.path.join(self.state, "filler")
        try:
            with open(path, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.room() - leave)
            yield
        finally:
            os.unlink(path)

    def peak(self):
        """The most memory that each had, in all."""
        texts = []
        for pid in self.postern.pids("smtp"):
            with open(f"/proc/{pid}/status") as file:
                texts.append(file.read())
        return sum(int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) << 10 for text in texts)

    # -- what goes wrong ----------------------------------------------------------------------------

    def kill(self, role):
        for pid in self.postern.signal(role):
            wait_until(lambda: not runs(pid), 10, f"{role} is dead")

    def kill_keeper(self):
        """The kernel ends its children with it."""
        pids = self.postern.pids()
        os.kill(self.postern.process.pid, signal.SIGKILL)
        self.postern.process.wait(10)
        wait_until(lambda: not any(map(runs, pids)), 10, "its children are gone")
        self.postern.process = None
        self.postern.start()

    def kill_postfix(self):
        self.dmz.kill()
        self.dmz.start()
