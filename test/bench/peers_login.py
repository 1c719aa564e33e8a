# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the peers that take submission: in TLS, from who logged in, with one Dovecot to ask or a
file, and one way to keep a password for all of them."""

import base64
import contextlib
import os
import subprocess

from authority import Authority
from lab import GATEWAY, wait_until
from mail import Postfix
from mta import DovecotAuth
from peers import BeforeQueue, Gateway
from postern import USER

PACKAGES = (DovecotAuth.package, *DovecotAuth.LIBRARIES)
NAME, PORT = "gw.example.net", 587
USERNAME, PASSWORD = "anna", "a password of the bench"
RESPONSE = base64.b64encode(f"\0{USERNAME}\0{PASSWORD}".encode()).decode()
# the least that crypt(3) does by SHA-256: what is compared is not how slow a hash is
SCHEME, SETTING = "CRYPT", "$5$rounds=1000$benchbenchbench0"


def hashed():
    done = subprocess.run(
        ["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", PASSWORD, SETTING],
        capture_output=True, text=True, check=True)
    assert done.stdout.startswith(SETTING), done.stdout
    return done.stdout


class Dovecots:
    """One, for whoever asks it; nobody's, else."""

    def __init__(self, lab):
        self.lab, self.dovecot = lab, None

    def start(self):
        if self.dovecot is None:
            self.dovecot = DovecotAuth(self.lab.gateway, "bench", {USERNAME: hashed()},
                                       "plain login", scheme=SCHEME)
        else:
            self.dovecot.start()
        return self.dovecot.path

    def stop(self):
        if self.dovecot:
            self.dovecot.stop()

    def roles(self):
        running = self.dovecot and self.dovecot.process and self.dovecot.process.poll() is None
        return {pid: "dovecot" for pid in self.dovecot.pids()} if running else {}


class Submission(Postfix):
    MASTER = Postfix.MASTER + """
587       inet  n       -       n       -       -       smtpd
  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
"""


class PostfixDovecot(BeforeQueue):
    """Postfix, its smtpd asking Dovecot who it is and passing the message on as it comes."""

    name = "postfix-dovecot"
    lacks = "rules, limits, many messages in one connection to the server"

    def __init__(self, lab):
        super().__init__(lab)
        self.target = GATEWAY["guest0"][1]
        self.dovecots = Dovecots(lab)
        self.signed = Authority(lab.path("postfix-tls")).sign("gw", NAME)

    def rules(self, on):
        """It is spoken to by its own address."""

    def start(self):
        path = self.dovecots.start()
        if self.postfix is None:
            self.postfix = Submission(self.gateway, NAME, more=self.MORE + f"""
smtpd_tls_cert_file = {self.signed[0]}
smtpd_tls_key_file = {self.signed[1]}
smtpd_sasl_type = dovecot
smtpd_sasl_path = {path}
""")
        else:
            self.postfix.start()
        self.process = self.postfix.process
        wait_until(self.greets, 10, "Postfix greets")

    def stop(self):
        super().stop()
        self.dovecots.stop()

    def roles(self):
        return {**super().roles(), **self.dovecots.roles()}


class Submit(Gateway):
    """Postern's listener."""

    speaks = True
    lacks = ""

    def __init__(self, lab):
        super().__init__(lab)
        self.target = GATEWAY["guest0"][1]
        self.certificate, self.key = Authority(lab.path("tls-" + self.name)).sign("gw", NAME)

    def auth(self):
        """What stands in the policy of where passwords are checked."""
        raise NotImplementedError

    def text(self, before_rules=""):
        with open(os.path.join(os.path.dirname(__file__), "peers", "submit.conf")) as file:
            text = file.read()
        for word, value in (("CERTIFICATE", self.certificate), ("KEY", self.key),
                            ("AUTH", self.auth())):
            text = text.replace(f"@{word}@", value)
        return text

    def start(self):
        self.forget()
        self.postern.write(self.text())
        self.postern.start()
        self.postern.ctl("log level warning")
        wait_until(self.greets, 10, "Postern greets")

    def greets(self):
        with contextlib.suppress(OSError):
            with self.lab.client.connect(self.target, PORT, 2) as sock:
                return sock.recv(3) == b"220"
        return False


class SubmitDovecot(Submit):
    """It asks the same Dovecot."""

    name = "submit-dovecot"

    def __init__(self, lab):
        super().__init__(lab)
        self.dovecots = Dovecots(lab)

    def auth(self):
        return f'dovecot "{self.dovecots.dovecot.path}"' if self.dovecots.dovecot else 'dovecot "/"'

    def start(self):
        self.dovecots.start()
        super().start()

    def stop(self):
        super().stop()
        self.dovecots.stop()

    def roles(self):
        return {**super().roles(), **self.dovecots.roles()}


class SubmitFile(Submit):
    """It reads the same hash from a file."""

    name = "submit-file"

    def __init__(self, lab):
        super().__init__(lab)
        self.users = lab.path("users")
        with open(self.users, "w") as file:
            file.write(f"{USERNAME}:{hashed()}\n")
        subprocess.run(["chown", USER, self.users], check=True)
        os.chmod(self.users, 0o600)

    def auth(self):
        return f'file "{self.users}"'


LOGIN = (PostfixDovecot, SubmitDovecot, SubmitFile)
