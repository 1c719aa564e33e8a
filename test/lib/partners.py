# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns real mail servers that keep what they take, the real programs that send to them, and a tap
that knows every byte a program said: what is stored can be held against what was sent."""

import contextlib
import glob
import os
import re
import smtplib
import socket
import threading

import mail
from lab import in_thread, wait_until
from mta import Exim, OpenSmtpd

POSTFIX_PORT, EXIM_PORT, OPENSMTPD_PORT, KEEPER_PORT = 25, 2526, 2527, 2528
# what a server on the way may write above a message
ABOVE = {b"return-path", b"x-original-to", b"delivered-to", b"received", b"envelope-to",
         b"delivery-date", b"delivered-by"}


# -- what was sent ------------------------------------------------------------------------------

class Tap:
    """A port of a host's loopback, or another (address, port), that leads to an address; `sessions`
    are the bytes of each client there."""

    def __init__(self, host, address, port=25, listen=("127.0.0.1", 0)):
        self.host, self.address, self.to_port = host, address, port
        self.sessions = []
        self.listener = host.listen(*listen)
        self.port = self.listener.getsockname()[1]
        in_thread(self._accept)
        host.lab.on_close(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = self.host.connect(self.address, self.to_port, 30)
            except OSError:
                return
            far.settimeout(None)
            sent = bytearray()
            self.sessions.append(sent)
            in_thread(self._both, near, far, sent)

    def _both(self, near, far, sent):
        with near, far:
            back = threading.Thread(target=self._copy, args=(far, near, bytearray()), daemon=True)
            back.start()
            self._copy(near, far, sent)
            back.join()

    @staticmethod
    def _copy(one, other, seen):
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                seen += piece
                other.sendall(piece)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def texts(self):
        """The messages that were said behind a DATA, without stuffing."""
        return [text for session in self.sessions for text in texts_of(bytes(session))]


def texts_of(session):
    lines, found, at = session.split(b"\r\n"), [], 0
    while at < len(lines):
        at += 1
        if lines[at - 1].upper() != b"DATA":
            continue
        end = lines.index(b".", at)
        found.append(b"".join((line[1:] if line.startswith(b".") else line) + b"\r\n"
                              for line in lines[at:end]))
        at = end + 1
    return found


def letter(word):
    """A message that a careless program would change."""
    lines = ["From: Anna <a@client.example>", "To: b@internet.example", f"Subject: {word}",
             f"Message-Id: <{word}@client.example>", "Date: Sun, 29 Nov 2026 10:00:00 +0000",
             "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
             "Content-Transfer-Encoding: 8bit", "X-Folded: one", "\ttwo", "   three", "X-Empty:",
             "", ".", "..", ".dot", "...", ". ", "From here on", ">From there", "Grüße, 漢字",
             "\ta tab, and blanks behind  ", "x" * 990, "=20=", "", "", "the end", ""]
    return "\r\n".join(lines).encode() + b"\r\n"


# -- servers that keep --------------------------------------------------------------------------

class PostfixKeeps(mail.Postfix):
    port = POSTFIX_PORT

    def stored(self):
        return [text.encode("latin-1").replace(b"\n", b"\r\n") for text in self.messages()]

    def log(self):
        return self.maillog()


class EximKeeps(Exim):
    port = EXIM_PORT
    MAIN = Exim.MAIN.replace("file = {folder}/mailbox",
                             "directory = {folder}/maildir\n  maildir_format\n"
                             "  message_prefix =\n  message_suffix =\n  create_directory")

    def __init__(self, host, tag="keeps", main=""):
        super().__init__(host, tag, main, "  accept", self.port)

    def stored(self):
        return [text.replace(b"\n", b"\r\n") for text in read_all(f"{self.folder}/maildir/new/*")]


class OpenSmtpdKeeps(OpenSmtpd):
    """It hands what it took on to a scripted server, which keeps it: there is nothing else of it
    that can be seen without a user."""

    port = OPENSMTPD_PORT
    CONFIG = """
listen on {ip4} port {port}
listen on {ip6} port {port}
action keep relay host smtp://127.0.0.1:{keeper}
match from any for any action keep
"""

    def __init__(self, host, tag="keeps"):
        self.keeper = mail.Server(host, ("127.0.0.1",), port=KEEPER_PORT, name="keeper.example")
        super().__init__(host, tag, self.CONFIG.format(ip4=host.ip4, ip6=host.ip6, port=self.port,
                                                       keeper=KEEPER_PORT), self.port)

    def stored(self):
        with self.keeper.lock:
            return [data for _, _, data in self.keeper.messages]


class ScriptedKeeps(mail.Server):
    """Keeps each byte as it came; a dot on a line of its own is an end, whatever stands before."""

    port = KEEPER_PORT + 1

    def __init__(self, host):
        super().__init__(host, port=self.port)

    def stored(self):
        with self.lock:
            return [data for _, _, data in self.messages]

    def log(self):
        with self.lock:
            return "".join(f"{line.decode('latin-1')}\n" for line in self.commands) + \
                "kept\n" * len(self.messages)


def read_all(pattern):
    found = []
    for name in glob.glob(pattern):
        with contextlib.suppress(FileNotFoundError), open(name, "rb") as file:
            found.append(file.read())
    return found


def wait_stored(server, word, seconds=20):
    """The one message with the word in it."""
    def have():
        return [text for text in server.stored() if word.encode() in text]
    try:
        found = wait_until(have, seconds, f"a message with {word}")
    except AssertionError as error:
        raise AssertionError(f"{error}: {server.log()[-3000:]}") from None
    assert len(found) == 1, f"{len(found)} messages with {word}"
    return found[0]


def same(stored, sent, gateway="gw.example.net", lines=1):
    """The stored message is the sent one, below header lines of the servers, and as many of the
    gateway."""
    assert stored.endswith(sent), f"sent {sent[:3000]!r}\nstored {stored[:4000]!r}"
    above = re.sub(rb"\r\n[ \t]+", b" ", stored[:len(stored) - len(sent)])
    ours = 0
    for line in above.split(b"\r\n")[:-1]:
        name = line.split(b":")[0].lower()
        assert name in ABOVE, f"{line!r} above the message"
        ours += name == b"received" and f"by {gateway} ".encode() in line
    assert ours == lines, f"{ours} lines of the gateway in {above!r}"


# -- programs that send -------------------------------------------------------------------------

def swaks(host, port, text):
    host.run("swaks", "--server", "127.0.0.1", "--port", port, "--ehlo", "client.example",
             "--from", "a@client.example", "--to", "b@internet.example", "--timeout", "20",
             "--data", "-", input=text.decode().replace("\r\n", "\n"))


def curl(host, port, text):
    host.run("curl", "-sS", "--url", f"smtp://127.0.0.1:{port}/client.example", "--mail-from",
             "a@client.example", "--mail-rcpt", "b@internet.example", "--upload-file", "-",
             input=text.decode())


def msmtp(host, port, text):
    host.run("msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={port}", "--tls=off",
             "--domain=client.example", "--from=a@client.example", "--timeout=20",
             "b@internet.example", input=text.decode().replace("\r\n", "\n"))


def s_nail(host, port, text):
    """Writes a message of its own around the text of this one."""
    head, body = text.decode().split("\r\n\r\n", 1)
    subject = re.search("Subject: (.*)\r\n", head).group(1)
    host.run("s-nail", "-:/", "-S", "v15-compat", "-S", f"mta=smtp://127.0.0.1:{port}", "-S",
             "smtp-auth=none", "-S", "hostname=client.example", "-S", "ttycharset=utf-8", "-S",
             "mime-encoding=8b", "-r", "a@client.example", "-s", subject, "b@internet.example",
             input=body.replace("\r\n", "\n"))


def python_smtplib(host, port, text):
    with host.inside():
        smtp = smtplib.SMTP("127.0.0.1", port, "client.example", timeout=20)
    with smtp:
        smtp.sendmail("a@client.example", ["b@internet.example"], text, ["BODY=8BITMIME"])


PROGRAMS = {"swaks": swaks, "curl": curl, "msmtp": msmtp, "s-nail": s_nail,
            "smtplib": python_smtplib}


class PostfixSends(mail.Postfix):
    """A client's own Postfix, that gives all to a port of its loopback."""

    # A message whose next try is due before the process of the last one has let go of its file is
    # put back to the new ones, and those are looked for when the queue manager is woken.
    MASTER = mail.Postfix.MASTER.replace("300     1       qmgr", "1       1       qmgr")

    def __init__(self, host, port, more=""):
        super().__init__(host, networks="127.0.0.0/8, [::1]/128", more=f"""
relayhost = [127.0.0.1]:{port}
default_transport = smtp
relay_transport = smtp
virtual_mailbox_domains =
smtp_host_lookup = native
{more}
""")

    def give(self, text, port=25):
        python_smtplib(self.host, port, text)


class EximSends(Exim):
    MAIN = Exim.MAIN.replace("driver = accept\n  transport = file",
                             "driver = manualroute\n  transport = out\n"
                             "  route_list = * 127.0.0.1\n  self = send") \
        .replace("begin authenticators",
                 "out:\n  driver = smtp\n  port = {out}\n  allow_localhost\n"
                 "  hosts_try_chunking = *\n"
                 "begin authenticators")

    def __init__(self, host, port, tag="sends"):
        self.MAIN = self.MAIN.replace("{out}", str(port))
        super().__init__(host, tag, "", "  accept", EXIM_PORT)

    def give(self, text):
        python_smtplib(self.host, EXIM_PORT, text)
