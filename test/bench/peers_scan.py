# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the peers that have each message judged by a milter, the same for all of them: OpenDKIM,
verifying, which adds its result to the header of each."""

import os

from filters import Opendkim
from lab import wait_until
from peers import BeforeQueue, Message

PORT = 8891
CONFIG = """
Mode v
AuthservID gw.example.net
AlwaysAddARHeader yes
Socket inet:{port}@127.0.0.1
PidFile {folder}/pid
Syslog no
"""


class Verifier(Opendkim):
    def __init__(self, host):
        super().__init__(host, "bench", "client.example", PORT)
        self.configure(CONFIG.format(port=self.port, folder=self.folder))

    def roles(self):
        running = self.process and self.process.poll() is None
        return {self.process.pid: "filter"} if running else {}


class WithFilter:
    """A peer that has one, while it runs."""

    verifier = None

    def start(self):
        if self.verifier is None:
            self.verifier = Verifier(self.gateway)
        self.verifier.begin_again()
        super().start()

    def stop(self):
        super().stop()
        self.verifier.stop()

    def roles(self):
        return {**super().roles(), **(self.verifier.roles() if self.verifier else {})}


class ScanStream(WithFilter, Message):
    """Postern, the text going on to the server while the filter hears it."""

    name = mode = "stream"
    lacks = "what the filter adds to the header"

    def text(self, before_rules=""):
        with open(os.path.join(os.path.dirname(__file__), "peers", "scan.conf")) as file:
            text = file.read()
        return text.replace("@MODE@", self.mode).replace("@MILTER@", f"127.0.0.1:{PORT}")


class ScanWhole(ScanStream):
    """The same, the text being kept until the verdict."""

    name = mode = "whole"
    lacks = ""


class PostfixMilter(WithFilter, BeforeQueue):
    """Postfix, which queues what it has taken and then sends it on: before a queue it has a milter
    hear no text."""

    name = "postfix-milter"
    lacks = "identity, rules by recipient, audit; it answers for what it has not delivered"
    ruled = "postfix"
    MORE = """
smtpd_milters = inet:{milter}
milter_default_action = tempfail
relayhost = [203.0.113.10]:25
default_transport = smtp
relay_transport = smtp
virtual_mailbox_domains =
smtp_host_lookup = native
default_process_limit = 250
max_use = 1000000
max_idle = 1h
smtpd_client_event_limit_exceptions = static:all
""".format(milter=f"127.0.0.1:{PORT}")

    def rest(self):
        """What it has taken is at the server."""
        wait_until(lambda: not any(
            files for queue in ("incoming", "active", "deferred")
            for _, _, files in os.walk(self.postfix.path("queue", queue))), 300, "its queue is empty")


SCANNING = (Message, ScanStream, ScanWhole, PostfixMilter)
