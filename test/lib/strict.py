#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a strict SMTP server, as a program of its own that can be killed: it takes what the RFC says
and nothing else, and answers a message only when it is on the disk. It waits at a point of a message
where the test holds it. With a folder as argument, and a certificate and key if it is to speak TLS,
it runs; as a module it is started and looked into."""

import contextlib
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

WRONG = "wrong"  # file of what clients did that no client may do
HOLDS = "-holds"  # a folder beside: of each hold a file, which says how far the message is

# where a message can be held
DOT = "dot"  # its dot is read, it is not stored
STORED = "stored"  # it is stored, the reply is not said
POINTS = (DOT, STORED)


class Session:
    def __init__(self, folder, sock, context):
        self.folder, self.sock, self.reader = folder, sock, sock.makefile("rb")
        self.greeted = self.sender = self.recipients = None
        self.context = context  # of TLS that is offered; None: there is none, or it is spoken

    def wrong(self, what, line):
        """Kept for the test, whatever becomes of the connection."""
        with open(os.path.join(self.folder, WRONG), "ab") as file:
            file.write(what.encode() + b": " + repr(line[:200]).encode() + b"\n")

    def say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def line(self):
        """One line; None at the end. A piece of one at the end is no line."""
        line = self.reader.readline(65536)
        if not line.endswith(b"\n"):
            return None
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self.wrong("a bad line end, or NUL", line)
        return line

    def wait(self, point, name):
        """Until the test holds this message no longer."""
        hold = os.path.join(self.folder + HOLDS, f"{point}.{name}")
        while os.path.exists(hold):
            with contextlib.suppress(FileNotFoundError), open(hold, "r+") as file:
                file.write("reached")
            time.sleep(0.005)

    def keep(self, name, data):
        with Session.lock:
            Session.count += 1
            number = Session.count
        path = os.path.join(self.folder, f"{name}_{os.getpid()}-{number}")
        with open(path + ".tmp", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".tmp", path)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)

    def data(self):
        self.say("354 go on")
        lines = []
        while True:
            line = self.line()
            if line is None:
                return False
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        data = b"".join(lines)
        found = re.search(rb"^Subject: <([\w.-]+)>\r\n", data, re.M)
        name = found.group(1).decode() if found else "no-subject"
        self.wait(DOT, name)
        self.keep(name, data)
        self.wait(STORED, name)
        self.say("250 2.0.0 kept")
        return True

    def command(self, line):
        """False: the session is over."""
        word = line.split(b" ", 1)[0].rstrip().upper()
        if word in (b"EHLO", b"HELO"):
            self.greeted, self.sender, self.recipients = True, None, 0
            more = "250-STARTTLS\r\n" if self.context else ""
            self.say(f"250-mx.dmz.example\r\n250-8BITMIME\r\n{more}250 SIZE 60000000"
                     if word == b"EHLO" else "250 mx.dmz.example")
        elif word == b"STARTTLS" and self.greeted and self.context:
            self.say("220 2.0.0 go on")
            self.sock = self.context.wrap_socket(self.sock, server_side=True)
            self.reader = self.sock.makefile("rb")
            self.greeted = self.context = None
        elif word == b"MAIL" and self.greeted and self.sender is None:
            self.sender, self.recipients = line, 0
            self.say("250 2.1.0 ok")
        elif word == b"RCPT" and self.sender is not None:
            self.recipients += 1
            self.say("250 2.1.5 ok")
        elif word == b"DATA" and self.recipients:
            if not self.data():
                return False
            self.sender, self.recipients = None, 0
        elif word == b"RSET":
            self.sender, self.recipients = None, 0
            self.say("250 2.0.0 ok")
        elif word == b"QUIT":
            self.say("221 2.0.0 bye")
            if self.reader.read(1):
                self.wrong("something behind QUIT", line)
            return False
        else:
            self.wrong("out of order", line)
            self.say("503 5.5.1 bad sequence of commands")
        return True

    def run(self):
        try:
            self.say("220 mx.dmz.example ESMTP")
            while True:
                line = self.line()
                if line is None or not self.command(line):
                    return
        except OSError:
            pass
        finally:
            self.reader.close()
            self.sock.close()


Session.lock, Session.count = threading.Lock(), 0


def serve(folder, *signed):
    context = None
    if signed:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*signed)
    listeners = []
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, 25))
        listener.listen(128)
        listeners.append(listener)

    def accept(listener):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=Session(folder, sock, context).run, daemon=True).start()
    threads = [threading.Thread(target=accept, args=(one,), daemon=True) for one in listeners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Strict:
    """The program in a host of the lab. signed: its certificate and key, if it is to speak TLS."""

    def __init__(self, host, signed=()):
        self.host, self.folder, self.process = host, host.lab.path("strict"), None
        self.signed = signed
        self.holds = self.folder + HOLDS
        os.makedirs(self.folder)
        os.makedirs(self.holds)
        self.start()

    def start(self):
        from lab import wait_until
        self.process = self.host.popen(sys.executable, os.path.abspath(__file__), self.folder,
                                       *self.signed, stdout=subprocess.DEVNULL)
        wait_until(self._listens, 20, "the strict server listens")

    def _listens(self):
        assert self.process.poll() is None, "the strict server has ended"
        try:
            with self.host.connect("127.0.0.1", 25, 1) as one, \
                    self.host.connect("::1", 25, 1) as two:
                return one.recv(3) == two.recv(3) == b"220"
        except OSError:
            return False

    def kill(self):
        """What it has not answered it may have kept."""
        self.process.kill()
        self.process.wait(10)

    def hold(self, point, name):
        """This message, whenever it comes, waits at this point until it is released."""
        with open(os.path.join(self.holds, f"{point}.{name}"), "w"):
            pass

    def holds_now(self, point, name):
        """Is it there?"""
        with open(os.path.join(self.holds, f"{point}.{name}")) as file:
            return file.read() == "reached"

    def release(self, point=None, name=None):
        """This one, or all that are held."""
        for hold in [f"{point}.{name}"] if point else os.listdir(self.holds):
            os.unlink(os.path.join(self.holds, hold))

    def stored(self):
        """{name: [its files]}: more than one file is a double."""
        found = {}
        for name in os.listdir(self.folder):
            if name != WRONG and not name.endswith(".tmp"):
                found.setdefault(name.split("_")[0], []).append(os.path.join(self.folder, name))
        return found

    def wrong(self):
        try:
            with open(os.path.join(self.folder, WRONG)) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []


if __name__ == "__main__":
    serve(*sys.argv[1:])
