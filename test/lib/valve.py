# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a valve in front of a real SMTP server: all bytes pass, but for a message that a test holds at
one point of its way, until it is let go."""

import contextlib
import re
import socket
import threading

from lab import in_thread, wait_until

# where a message can be held
GIVE = "give"      # the server has the first bytes of its text
DOT = "dot"        # the server has all but the dot
STORED = "stored"  # the server has replied to the dot, and the gateway has not heard it
POINTS = (GIVE, DOT, STORED)
END = b"\r\n.\r\n"


class Session:
    """One connection. The gateway speaks in lock step: nothing follows a command, or a dot."""

    def __init__(self, valve, near, far):
        self.valve, self.near, self.far = valve, near, far
        self.name = None  # whose message it is: the local part of its sender
        self.rest = b""   # of the text, or of a line: it is not passed on yet
        self.passed = None  # bytes of the text; None: commands are said
        self.at_dot = False

    def run(self):
        back = threading.Thread(target=self._replies, daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while piece := self.near.recv(65536):
                self._hear(piece)
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_WR)
        back.join()

    def _replies(self):
        with contextlib.suppress(OSError):
            while piece := self.far.recv(65536):
                if self.at_dot:
                    self.at_dot = False
                    self.valve.wait(STORED, self.name)
                elif piece.startswith(b"354"):
                    self.passed = 0
                self.near.sendall(piece)
        with contextlib.suppress(OSError):
            self.near.shutdown(socket.SHUT_RDWR)

    def _hear(self, piece):
        self.rest += piece
        while self.passed is None and b"\r\n" in self.rest:
            line, _, self.rest = self.rest.partition(b"\r\n")
            self._command(line)
        if self.passed is not None:
            self._text()

    def _command(self, line):
        self.valve.commands.append(line)
        sender = re.match(rb"MAIL FROM:<([^@>]*)", line)
        if sender:
            self.name = sender[1].decode()
        self.far.sendall(line + b"\r\n")

    def _text(self):
        """What could be its end waits for what follows."""
        over = self.rest.endswith(END)
        keep = len(END) - 2 if over else len(END) - 1
        text, self.rest = self.rest[:-keep], self.rest[-keep:]
        if text:
            self.far.sendall(text)
            self.passed += len(text)
            self.valve.wait(GIVE, self.name)
        if over:
            self.valve.wait(DOT, self.name)
            dot, self.rest, self.passed, self.at_dot = self.rest, b"", None, True
            self.far.sendall(dot)


class Valve:
    """A port of a host, in both families, that leads to a port of its loopback."""

    def __init__(self, host, port, to_port=25):
        self.host, self.port, self.to_port = host, port, to_port
        self.commands = []
        self.changed = threading.Condition()
        self.holds = {}  # (point, name): is it there?
        self.sessions = 0  # that are under way
        self.listeners = [host.listen(address, port) for address in (host.ip4, host.ip6)]
        for listener in self.listeners:
            in_thread(self._accept, listener)
        host.lab.on_close(self.close)

    def close(self):
        self.release()
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            in_thread(self._serve, near)

    def _serve(self, near):
        with self.changed:
            self.sessions += 1
        with near, contextlib.suppress(OSError), \
                self.host.connect("127.0.0.1", self.to_port, 10) as far:
            far.settimeout(None)
            Session(self, near, far).run()
        with self.changed:
            self.sessions -= 1

    def wait_rest(self):
        """The server has replied to all that it was to hear, or is gone."""
        wait_until(lambda: not self.sessions, 60, "no connection is open")

    def hold(self, point, name):
        """This message, when it comes, stays there."""
        with self.changed:
            self.holds[point, name] = False

    def wait(self, point, name):
        with self.changed:
            while (point, name) in self.holds:
                self.holds[point, name] = True
                self.changed.wait()

    def wait_held(self, point, name, seconds=20):
        wait_until(lambda: self.holds[point, name], seconds, f"{name} is held at {point}")

    def release(self):
        """All that are held."""
        with self.changed:
            self.holds.clear()
            self.changed.notify_all()
