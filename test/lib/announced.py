# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the scene of a test whose Postfix, in the dmz, trusts the gateway and is told by it who the
client is."""

import os
import re

import mail
from lab import wait_until
from mta import Sasl
from postern import Postern, policy, zone
from report import holds

GATEWAY4, GATEWAY6 = "203.0.113.1", "2001:db8:2::1"
# whom the servers trust beside the gateway, and whom clients claim to be
FRIEND4, FRIEND6 = "203.0.113.77", "2001:db8:2::77"
QUICK = "deadline first 12s connect 4s greeting 8s"
RULE = 'rule guests { zone guest user any server relay }\n'
NETWORKS = f"{GATEWAY4}/32, [{GATEWAY6}]/128, {FRIEND4}/32, [{FRIEND6}]/128"
TRUSTING = f"smtpd_authorized_xclient_hosts = {GATEWAY4}, [{GATEWAY6}], {FRIEND4}, [{FRIEND6}]\n"

RELAYING = """
mydestination = local.example
virtual_mailbox_domains =
local_transport = virtual
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{ { last@local.example = REJECT } }
"""


class Told(mail.Server):
    """A server that takes our word for who the client is, and keeps what it was told."""

    def __init__(self, host, port, addresses=None):
        self.told, self.peers = [], set()
        super().__init__(host, addresses, port=port, name="told.example", at={
            b"EHLO": self._hello, b"XCLIENT": self._take})

    def _hello(self, sock, _):
        known = sock.getpeername()[:2] in self.peers
        return b"250 told.example\r\n" if known else \
            b"250-told.example\r\n250 XCLIENT NAME ADDR PORT LOGIN\r\n"

    def _take(self, sock, line):
        self.peers.add(sock.getpeername()[:2])
        self.told.append(line.decode("latin-1").split())
        return b"220 told.example\r\n"

    def of(self, address):
        """The logins that were told of this client; None where there was none."""
        return self._logins([words for words in self.told if any(
            word in (f"ADDR={address}", f"ADDR=IPV6:{address}") for word in words)])

    def logins(self):
        return self._logins(self.told)

    @staticmethod
    def _logins(told):
        return [next((word[6:] for word in words if word.startswith("LOGIN=")), None) for words in told]


class ProxyPostfix(mail.Postfix):
    HELLO = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n"


class Announced:
    """Postern, and whatever Postfix a case asks for."""

    def __init__(self, lab):
        self.lab = lab
        self.postern = Postern(lab, policy(zone()))
        self.finish = self.postern.finish
        self.mta = self.sasl = None
        self.log_began = 0

    def log_tail(self):
        mta = self.mta.maillog().splitlines()[-25:] if self.mta else []
        return "\n".join([self.postern.log_tail(), *mta])

    def postfix(self, make, networks, more):
        if type(self.mta) is make and self.mta.made_of == (networks, more):
            return self.mta
        if self.mta:
            self.mta.stop()
        self.mta = None
        self.log_began = 0
        folder = self.lab.path("postfix-dmz")
        if os.path.isdir(folder):
            os.rename(folder, f"{folder}-{len(os.listdir(self.lab.folder))}")
        self.mta = make(self.lab.dmz, networks=networks, more=RELAYING + more)
        self.mta.made_of = (networks, more)
        return self.mta

    def by_xclient(self, more="", networks=NETWORKS):
        self.sasl = self.sasl or Sasl(self.lab)
        return self.postfix(mail.Postfix, networks, TRUSTING + "smtpd_sasl_auth_enable = yes\n"
                            f"smtpd_sasl_type = dovecot\nsmtpd_sasl_path = {self.sasl.path}\n"
                            + more)

    def by_proxy(self, networks=NETWORKS, more=""):
        return self.postfix(ProxyPostfix, networks,
                            TRUSTING + "smtpd_upstream_proxy_protocol = haproxy\n" + more)

    def server(self, family, *lines, up="is up", zone_more="", more=""):
        """This server and a logged-in client, once that is said of the host."""
        address = self.lab.dmz.ip(family)
        text = (f"server relay {{ host {address}\nprobe smtp every 1s\n{QUICK}\n"
                + "\n".join(lines) + "\n}\n")
        self.postern.apply(policy(zone()))
        began = len(self.postern.log_text())
        self.postern.apply(policy(zone(zone_more), text, RULE + more))
        self.postern.login("alice", self.lab.client)
        wait_until(lambda: f"host {address} port 25 {up}" in self.postern.log_text()[began:],
                   20, f"the host {up}")

    def device(self):
        """The second client, as a device of till's."""
        return f'device till {{ zone guest mac {self.lab.client2.mac} user "till" }}\n'

    def smtp(self, family, host=None):
        return mail.Smtp(host or self.lab.client, self.lab.internet.ip(family), timeout=30)

    def deliver(self, family, recipient="b@internet.example", body="Subject: hello\r\n\r\nhello",
                host=None):
        """One message; the reply that ended it."""
        with self.smtp(family, host) as smtp:
            holds(smtp.reply(), "220 ")
            holds(smtp.ask("EHLO client.example"), "250")
            holds(smtp.ask("MAIL FROM:<a@client.example>"), "250")
            reply = smtp.ask(f"RCPT TO:<{recipient}>")
            if not reply.startswith("250"):
                return reply
            holds(smtp.ask("DATA"), "354")
            reply = smtp.ask(body + "\r\n.")
            smtp.ask("QUIT")
            return reply

    def forget_peers(self):
        self.log_began = len(self.mta.maillog())

    def peers(self):
        """The clients that Postfix saw in smtpd's lines: address -> users that were named."""
        found = {}
        for line in self.mta.maillog()[self.log_began:].splitlines():
            match = re.search(r" client=\S+\[([^\]]+)\](?:.*sasl_username=(\S+))?", line)
            if match:
                found.setdefault(match[1], set()).add(match[2])
        return found
