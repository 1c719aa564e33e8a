# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the mail programs of the tests: real Postfix run from its unpacked package, scripted SMTP
servers for the bad cases, and SMTP clients."""

import contextlib
import email
import os
import re
import socket
import ssl
import subprocess
import threading
import time

from lab import in_thread, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(ROOT, "build"))
MTA = os.environ.get("POSTERN_MTA", os.path.join(BUILD, "mta"))

# The unpacked package is laid over /usr, and a passwd with its users over /etc, in a mount
# namespace of its own: the program finds everything where it was built to find it, and the machine
# has no new file and no new user.
VIEW = """
set -e
mount --make-rprivate /
mount -t overlay -o lowerdir="$3$1/usr:/usr" overlay /usr
mount -t overlay -o lowerdir="$2:$1/etc:/etc" overlay /etc
shift 3
exec "$@"
"""


def view(package, etc, *libraries):
    """The words in front of a command that let it run in the view of an unpacked package, and of
    packages that it needs."""
    more = "".join(os.path.join(MTA, library, "usr") + ":" for library in libraries)
    return ["unshare", "-m", "sh", "-c", VIEW, "sh", os.path.join(MTA, package), etc, more]


def have(package):
    return os.path.isdir(os.path.join(MTA, package))


def last_of_each(text):
    """Settings, each once. Every program of Postfix warns of one that stands there twice; postlogd
    does so by its own socket, where it waits for itself for ever once that is full."""
    settings = {line.split("=")[0].strip(): line for line in text.splitlines()}
    return "\n".join(settings.values()) + "\n"


class Postfix:
    """A Postfix that takes mail for any address and keeps it, one file a message, in `mailbox`."""

    port = 25
    # what is said first by who looks whether it is up
    HELLO = b""

    USERS = ("postfix:x:110:110::/nonexistent:/usr/sbin/nologin\n",
             "postfix:x:110:\npostdrop:x:111:\n")

    MAIN = """
compatibility_level = 3.6
myhostname = {hostname}
mydestination =
mynetworks = {networks}
inet_interfaces = all
inet_protocols = all
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = /
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
message_size_limit = 60000000
virtual_mailbox_limit = 0
mailbox_size_limit = 0
default_transport = virtual
relay_transport = virtual
virtual_mailbox_base = {folder}
virtual_mailbox_maps = static:mailbox/
virtual_uid_maps = static:110
virtual_gid_maps = static:110
in_flow_delay = 0
smtputf8_enable = no
{more}
"""
    MASTER = """
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

    def __init__(self, host, hostname=None, networks="0.0.0.0/0, [::]/0", more=""):
        if not have("postfix"):
            raise AssertionError(f"no Postfix in {MTA}: tools/packages/unpack {MTA} postfix")
        self.host = host
        self.name = hostname or f"mx.{host.name}.example"
        self.folder = host.lab.path("postfix-" + host.name)
        self.mailbox = os.path.join(self.folder, "mailbox")
        self.process = None
        conf, etc = os.path.join(self.folder, "conf"), os.path.join(self.folder, "etc")
        for folder in (self.folder, conf, etc, self.mailbox, self.path("queue"), self.path("data")):
            os.makedirs(folder, exist_ok=True)
        os.chown(self.path("data"), 110, 110)
        os.chown(self.mailbox, 110, 110)
        # also written by programs that have their own user already
        with open(self.path("maillog"), "w") as log:
            os.fchown(log.fileno(), 110, 110)
        with open("/etc/passwd") as old, open(f"{etc}/passwd", "w") as new:
            new.write(old.read() + self.USERS[0])
        with open("/etc/group") as old, open(f"{etc}/group", "w") as new:
            new.write(old.read() + self.USERS[1])
        os.makedirs(f"{etc}/postfix", exist_ok=True)
        for path in (f"{etc}/postfix", conf):
            with open(f"{path}/main.cf", "w") as file:
                file.write(last_of_each(self.MAIN.format(hostname=self.name, networks=networks,
                                                         folder=self.folder, more=more)))
            with open(f"{path}/master.cf", "w") as file:
                file.write(self.MASTER.replace("smtp  ", str(self.port), 1))
        self.view = view("postfix", etc)
        self.start()
        host.lab.on_close(self.stop)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self):
        """Starts it, and returns when it greets."""
        self.tries = 0
        self._spawn()
        try:
            # its scripts are hundreds of programs, one after the other
            wait_until(self._greets, 90, f"Postfix in {self.host.name} greets")
        except AssertionError as error:
            # the port is the next one's
            self.stop("abort")
            raise AssertionError(f"{error}: {self.maillog()[-2000:]}") from None
        return self

    def _spawn(self):
        with open(self.path("output"), "a") as output:
            self.process = self.host.popen(*self.view, "postfix", "start-fg",
                                           stdout=output, stderr=output, start_new_session=True)

    def _greets(self):
        if self.process.poll() is not None:
            # the one before may still hold its lock for a moment
            self.tries += 1
            if self.tries > 20:
                with open(self.path("output")) as output:
                    raise AssertionError("Postfix ended: " + output.read() + self.maillog()[-2000:])
            self._spawn()
            return False
        try:
            with self.host.connect("127.0.0.1", self.port, 1) as sock:
                sock.sendall(self.HELLO)
                return sock.recv(3) == b"220"
        except OSError:
            return False

    def stop(self, kind="stop"):
        """Ends it: `stop`, or `abort` for at once."""
        if self.process and self.process.poll() is None:
            self.host.run(*self.view, "postfix", kind, check=False, timeout=90)
            self.process.wait(90)
        self.process = None

    def messages(self, *having):
        """The stored messages, as text, that hold all the words."""
        found = []
        for folder in ("new", "cur"):
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(os.path.join(self.mailbox, folder)):
                    with contextlib.suppress(FileNotFoundError), \
                            open(os.path.join(self.mailbox, folder, name), "rb") as file:
                        text = file.read().decode("latin-1")
                        if all(word in text for word in having):
                            found.append(text)
        return found

    def wait_message(self, *having, seconds=15):
        """Waits for one message with all the words in it; returns it parsed."""
        what = f"a message with {having} in {self.host.name}"
        return email.message_from_string(
            wait_until(lambda: self.messages(*having), seconds, what)[0])

    def wait_count(self, count, seconds=30):
        """Waits until so many messages are stored."""
        wait_until(lambda: len(self.messages()) >= count, seconds, f"{count} messages stored")

    def maillog(self):
        with contextlib.suppress(FileNotFoundError), open(self.path("maillog")) as file:
            return file.read()
        return ""

    def connections(self, address=None):
        """How many SMTP connections it saw, from one address or in all (but its own host's)."""
        peers = re.findall(r"smtpd\[\d+\]: connect from \S+\[([^\]]+)\]", self.maillog())
        return len([peer for peer in peers
                    if peer not in ("127.0.0.1", "::1") and address in (None, peer)])


# -- programs of the Postfix package --------------------------------------------------------

def postfix_tool(name):
    """The words that run smtp-source, smtp-sink, ... from the unpacked package."""
    root = os.path.join(MTA, "postfix", "usr")
    return ["env", f"LD_LIBRARY_PATH={root}/lib/postfix", f"{root}/sbin/{name}"]


def smtp_source(host, address, *options, port=25, timeout=120, check=True):
    inet = f"inet:[{address}]:{port}"
    return host.run(*postfix_tool("smtp-source"), "-4" if "." in address else "-6", *options, inet,
                    timeout=timeout, check=check)


class SmtpSink:
    """Postfix's smtp-sink: fast, counts nothing lost. It offers XCLIENT and XFORWARD to everybody
    unless told not to (-C, -F), and Postern would not use it."""

    def __init__(self, host, address=None, port=25, options=(), keep=True):
        self.host = host
        self.folder = host.lab.path(f"sink-{host.name}-{port}-{time.monotonic_ns()}")
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        target = f"inet:[{address or host.ip4}]:{port}"
        dump = ("-d", os.path.join(self.folder, "%M.")) if keep else ()
        self.process = host.popen(*postfix_tool("smtp-sink"), "-u", "nobody", "-C", "-F", *options,
                                  *dump, target, "1000",
                                  stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_until(lambda: self._up(address or host.ip4, port), 10, "smtp-sink listens")

    def _up(self, address, port):
        with contextlib.suppress(OSError), self.host.connect(address, port, 1):
            return True

    def files(self):
        return [os.path.join(self.folder, name) for name in os.listdir(self.folder)]

    def messages(self):
        texts = []
        for name in self.files():
            with open(name, "rb") as file:
                texts.append(file.read().decode("latin-1"))
        return texts

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


# -- a scripted SMTP server -----------------------------------------------------------------

class Server:
    """A small SMTP server in this process, one thread a connection, that keeps what it gets and
    misbehaves as told:

    greeting   bytes instead of the 220 line, or None: never says anything; or a function that
               gets the socket, says what it likes, and returns whether the dialogue goes on
    ehlo       the lines of the EHLO answer
    at         {b"DATA": action, ...}: action is bytes (the reply), "close" or "reset", or a
               function that gets the socket and the line and returns one of these, or None: as ever
    in_data    "close": ends the connection within the message; "ignore": never answers it; bytes:
               said within the message, which is kept all the same
    dot        the reply to a message, or a function that returns it when it is time; the message is
               kept, whatever that says
    tls        (certificate, key): it offers STARTTLS, and speaks it
    """

    def __init__(self, host, addresses=None, port=25, greeting=b"220", ehlo=None, at=None,
                 in_data=None, name=None, tls=None):
        name = (name or f"mx.{host.name}.example").encode()
        self.host, self.in_data = host, in_data
        self.at = {} if at is None else at
        self.name = name.decode()
        self.dot = b"250 2.0.0 Ok: kept\r\n"
        self.greeting = b"220 " + name + b" ESMTP\r\n" if greeting == b"220" else greeting
        self.ehlo = ehlo or (name, b"PIPELINING", b"SIZE 60000000", b"8BITMIME")
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
            self.ehlo += (b"STARTTLS",)
        self.lock = threading.Lock()
        self.connections = []  # peer addresses
        self.messages = []  # (sender, [recipients], bytes)
        self.commands = []
        self.open, self.stopped = set(), False
        self.listeners = [host.listen(address, port)
                          for address in (addresses or (host.ip4, host.ip6))]
        for listener in self.listeners:
            in_thread(self._accept, listener)
        host.lab.on_close(self.stop)

    def refuse(self):
        """Takes no new connection; those that it has go on."""
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.listeners = []

    def stop(self):
        """As if its process were killed: what it has not answered it has not kept."""
        self.refuse()
        with self.lock:
            self.stopped = True
            for sock in list(self.open):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            with self.lock:
                if self.stopped:
                    sock.close()
                    return
                self.connections.append(peer[0])
                self.open.add(sock)
            in_thread(self._serve, sock)

    def _serve(self, sock):
        try:
            with sock:
                self._talk(sock)
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(sock)

    def _talk(self, sock):
        reader = sock.makefile("rb")
        if self.greeting is None:
            while reader.readline():
                pass
            return
        if callable(self.greeting):
            if not self.greeting(sock):
                return
        else:
            sock.sendall(self.greeting)
            if not self.greeting.startswith(b"220"):
                return
        self._dialogue(sock, reader)

    def _dialogue(self, sock, reader=None):
        reader = reader or sock.makefile("rb")
        sender, recipients = None, []
        while True:
            line = reader.readline(4096)
            if not line:
                return
            with self.lock:
                self.commands.append(line.rstrip())
            word = line.split(b":")[0].split()[0].upper() if line.split() else b""
            action = self.at.get(word)
            if callable(action):
                action = action(sock, line)
            if action == "close":
                return
            if action == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            if action:
                sock.sendall(action)
            elif word == b"STARTTLS" and self.tls:
                sock.sendall(b"220 2.0.0 go on\r\n")
                self._secure(sock)
                return
            elif word == b"EHLO":
                last = len(self.ehlo) - 1
                sock.sendall(b"".join(b"250%c%s\r\n" % (b" "[0] if i == last else b"-"[0], line)
                                      for i, line in enumerate(self.ehlo)))
            elif word == b"MAIL":
                sender, recipients = line.split(b":", 1)[1].strip().decode(), []
                sock.sendall(b"250 2.1.0 Ok\r\n")
            elif word == b"RCPT":
                recipients.append(line.split(b":", 1)[1].strip().decode())
                sock.sendall(b"250 2.1.5 Ok\r\n")
            elif word == b"DATA":
                sock.sendall(b"354 go on\r\n")
                if self.in_data == "close":
                    reader.readline()
                    return
                if isinstance(self.in_data, bytes):
                    reader.readline()
                    sock.sendall(self.in_data)
                body = bytearray()
                while True:
                    line = reader.readline()
                    if not line:
                        return
                    if line == b".\r\n":
                        break
                    body += line[1:] if line.startswith(b".") else line
                if self.in_data == "ignore":
                    while reader.readline():
                        pass
                    return
                reply = self.dot() if callable(self.dot) else self.dot
                with self.lock:
                    # it is there when its client has heard so, however late this goes on
                    self.messages.append((sender, recipients, bytes(body)))
                    try:
                        sock.sendall(reply)
                    except OSError:
                        self.messages.pop()
                        raise
            elif word == b"QUIT":
                sock.sendall(b"221 2.0.0 Bye\r\n")
                return
            else:
                sock.sendall(b"250 2.0.0 Ok\r\n")

    def _secure(self, sock):
        """The dialogue begins anew inside."""
        with self.tls.wrap_socket(sock, server_side=True) as secured:
            with self.lock:
                self.open.add(secured)
            try:
                self._dialogue(secured)
            finally:
                with self.lock:
                    self.open.discard(secured)

    def forget(self):
        """Nobody has connected yet. Connections are taken in order: who came before one that was
        answered does not turn up afterwards."""
        with self.lock:
            self.connections.clear()

    def came(self):
        """The addresses of all who connected."""
        with self.lock:
            return {peer.split("%")[0] for peer in self.connections}

    def having(self, word):
        with self.lock:
            return [m for m in self.messages if word.encode() in m[2]]

    def wait_message(self, word, seconds=10):
        return wait_until(lambda: self.having(word), seconds, f"a message with {word}")[0]


# -- clients --------------------------------------------------------------------------------

class Smtp:
    """An SMTP client of one line at a time, for looking at what exactly a server says."""

    def __init__(self, host, address, port=25, timeout=15, **how):
        self.sock = host.connect(address, port, timeout, **how)
        self.reader = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.reader.close()
        self.sock.close()

    def reply(self):
        """One whole reply as text; "" at the end of the connection."""
        lines = []
        while True:
            line = self.reader.readline()
            lines.append(line)
            if not line or line[3:4] != b"-":
                return b"".join(lines).decode().rstrip("\r\n")

    def send(self, line):
        self.sock.sendall(line.encode() + b"\r\n")

    def ask(self, line):
        self.send(line)
        return self.reply()

    def deliver(self, body, sender="a@client.example", recipient="b@internet.example"):
        """One message, greeting included if it was not read yet; returns the reply to the end of
        DATA."""
        for line, code in ((f"MAIL FROM:<{sender}>", "250"), (f"RCPT TO:<{recipient}>", "250"),
                           ("DATA", "354")):
            reply = self.ask(line)
            assert reply.startswith(code), f"{line}: {reply}"
        if isinstance(body, str):
            body = body.encode()
        self.sock.sendall(body + b"\r\n.\r\n")
        return self.reply()


def send(host, address, word, size=0, **how):
    """Sends one message with the word as subject by a plain SMTP client; returns the last reply.
    A refusing greeting is returned as it is."""
    with Smtp(host, address, **how) as smtp:
        greeting = smtp.reply()
        if not greeting.startswith("220"):
            return greeting
        smtp.ask("EHLO " + host.name + ".example")
        body = f"Subject: {word}\r\n\r\n{word}\r\n"
        body += ("x" * 76 + "\r\n") * (size // 78)
        reply = smtp.deliver(body)
        smtp.ask("QUIT")
        return reply


def swaks(host, address, word, *options, check=True, timeout=60):
    """Sends one message with Debian's swaks."""
    return host.run("swaks", "--server", address, "--port", "25", "--ehlo", "client.example",
                    "--from", "a@client.example", "--to", "b@internet.example",
                    "--header", "Subject: " + word, "--timeout", "20", *options,
                    check=check, timeout=timeout)


def curl(host, address, word, check=True, timeout=60):
    """Sends one message with curl."""
    where = f"[{address}]" if ":" in address else address
    return host.run("curl", "-sS", "--url", f"smtp://{where}:25/client.example", "--mail-from",
                    "a@client.example", "--mail-rcpt", "b@internet.example", "--upload-file", "-",
                    input=f"Subject: {word}\r\n\r\n{word}\r\n", check=check, timeout=timeout)


def msmtp(host, address, word, check=True, timeout=60):
    """Sends one message with msmtp."""
    return host.run("msmtp", "--file=/dev/null", f"--host={address}", "--port=25", "--tls=off",
                    "--domain=client.example", "--from=a@client.example", "--timeout=20",
                    "b@internet.example", input=f"Subject: {word}\n\n{word}\n", check=check,
                    timeout=timeout)


CLIENTS = {"swaks": swaks, "curl": curl, "msmtp": msmtp}
