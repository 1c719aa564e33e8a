# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the queue in the gateway: a real Postfix with the configuration that the package postern-queue
brings, run as its unit runs it, and with no configuration of a Postfix beside it."""

import contextlib
import json
import os
import re
import signal

import mail
from lab import wait_until
from mail import ROOT
from postern import runs

PORT = 10025
# what a test does not wait for
QUICK = {"queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "2s"}


class Instance:
    """`settings` stand in place of the package's, or are added."""

    def __init__(self, host, **settings):
        if not mail.have("postfix"):
            raise AssertionError(f"no Postfix in {mail.MTA}")
        self.host = host
        self.folder = host.lab.path("queue-instance")
        self.conf = self.path("conf")
        etc = self.path("etc")
        for folder in (self.folder, self.conf, etc, self.path("spool"), self.path("data"),
                       f"{etc}/postfix"):
            os.makedirs(folder, exist_ok=True)
        # the package has none there; another's must not be needed
        assert not os.path.exists(f"{mail.MTA}/postfix/etc/postfix/main.cf")
        os.chown(self.path("data"), 110, 110)
        with open(self.path("maillog"), "w") as log:
            os.fchown(log.fileno(), 110, 110)
        for leaf, more in zip(("passwd", "group"), mail.Postfix.USERS):
            with open(f"/etc/{leaf}") as old, open(f"{etc}/{leaf}", "w") as new:
                new.write(old.read() + more)
        with open(f"{etc}/resolv.conf", "w") as file:
            file.write("nameserver 127.0.0.1\n")
        self.view = mail.view("postfix", etc)
        for leaf in ("main.cf", "master.cf"):
            with open(f"{ROOT}/debian/queue/{leaf}") as old, \
                    open(f"{self.conf}/{leaf}", "w") as new:
                new.write(old.read().replace("/var/spool/postern-queue", self.path("spool"))
                          .replace("/var/lib/postern-queue", self.path("data")))
        # no syslog is heard here
        self.set(maillog_file=self.path("maillog"), maillog_file_prefixes="/",
                 myhostname="mailgate.hotel.example", **{**QUICK, **settings})
        host.lab.on_close(self.stop)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run(self, *words, **how):
        return self.host.run(*self.view, *words, **how)

    def set(self, **settings):
        """As an operator changes it."""
        self.run("postconf", "-c", self.conf, "-e",
                 *(f"{name} = {value}" for name, value in settings.items()))

    def reload(self):
        """What `postfix reload` comes to, and until nobody goes the old ways any more."""
        old = [pid for pid in self.pids() if self._name(pid) in ("qmgr", "trivial-rewrite")]
        os.kill(self.master(), signal.SIGHUP)
        wait_until(lambda: not any(map(runs, old)), 30, "those who know the old ways are gone")

    def start(self):
        self.run("postfix", "-c", self.conf, "start", timeout=200)
        wait_until(self._greets, 60, "the queue greets")
        return self

    def _greets(self):
        with contextlib.suppress(OSError), self.host.connect("127.0.0.1", PORT, 2) as sock:
            return sock.recv(3) == b"220"
        return False

    def master(self):
        """The process id of its first process, or None."""
        with contextlib.suppress(OSError, ValueError), open(self.path("spool/pid/master.pid")) as file:
            pid = int(file.read())
            return pid if runs(pid) else None
        return None

    def pids(self):
        found, pending = [], [self.master()]
        while pending:
            pid = pending.pop()
            if not pid:
                continue
            found.append(pid)
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
                pending += [int(child) for child in file.read().split()]
        return found

    def kill(self, first=True):
        """kill -9: all of its processes, or all but the first and the one that logs: that is here
        alone, and the others would wait for it."""
        pids = self.pids()
        for pid in pids if first else [pid for pid in pids[1:] if not self._name(pid) != "postlogd"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if first:
            wait_until(lambda: not any(map(runs, pids)), 10, "all its processes are gone")

    @staticmethod
    def _name(pid):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
        return ""

    def stop(self):
        if self.master():
            pids = self.pids()
            self.run("postfix", "-c", self.conf, "stop", check=False, timeout=100)
            wait_until(lambda: not any(map(runs, pids)), 20, "all its processes are gone")

    def log(self):
        with open(self.path("maillog"), errors="replace") as file:
            return file.read()

    def entries(self):
        """What waits in it, as postqueue says it, who may see one twice that moves meanwhile."""
        text = self.run("postqueue", "-c", self.conf, "-j").stdout
        entries = [json.loads(line) for line in text.splitlines()]
        return list({entry["queue_id"]: entry for entry in entries}.values())

    def login(self, ident):
        """Whom a message was taken of: (client, user). It may be queued before a process of its own
        has written that into the log."""
        line = re.compile(rf"smtpd\[\d+\]: {ident}: client=\S+?\[([^\]]+)\]\S*, "
                          r"sasl_method=XCLIENT, sasl_username=(\S+)\n")
        return wait_until(lambda: line.search(self.log()), 20, f"the login of {ident}").groups()
