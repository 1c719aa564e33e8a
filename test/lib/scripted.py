# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns filters that say what a test tells them to say, in this process: a milter and a clamd. Each
misbehaves as no real one does."""

import contextlib
import socket
import struct
import threading
import time

from lab import in_thread, wait_until

NOTHING = object()  # no answer, ever
CLOSE = object()


def packet(letter, data=b""):
    return struct.pack(">I", len(data) + 1) + letter + data


def options(version=6, actions=0x1ff, protocol=0):
    return packet(b"O", struct.pack(">III", version, actions, protocol))


def change(letter, name, value, index=None):
    head = b"" if index is None else struct.pack(">I", index)
    return packet(letter, head + name + b"\0" + value + b"\0")


class Scripted:
    """One thread a connection. addresses: of the host, or ip4 and ip6 of it."""

    def __init__(self, host, port, addresses=None):
        self.host, self.port = host, port
        self.addresses = addresses or (host.ip4, host.ip6)
        self.lock, self.open = threading.Lock(), set()
        self.connections = 0
        self.listeners = []
        self.listen()
        host.lab.on_close(self.stop)

    def listen(self):
        # a thread that is still ending holds the socket of the time before
        self.listeners = wait_until(self._binds, 5, "the filter's port is free")
        for listener in self.listeners:
            in_thread(self._accept, listener)

    def _binds(self):
        bound = []
        try:
            for address in self.addresses:
                bound.append(self.host.listen(address, self.port))
            return bound
        except OSError:
            for listener in bound:
                listener.close()
            return None

    def stop(self):
        """As if its process were killed."""
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.listeners = []
        self.drop()

    def drop(self):
        """Its connections, and takes others."""
        with self.lock:
            for sock in list(self.open):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(sock)
            in_thread(self._serve, sock)

    def _serve(self, sock):
        try:
            with sock:
                self.talk(sock)
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(sock)

    @staticmethod
    def say(sock, action):
        """Bytes, CLOSE, NOTHING (it hangs until the other side goes), or bytes that come one after
        the other, each when it is time. False: that was all."""
        if action is NOTHING:
            while sock.recv(65536):
                pass
        if action in (NOTHING, CLOSE):
            return False
        for piece in (action,) if isinstance(action, bytes) else action:
            sock.sendall(piece)
        return True


class Milter(Scripted):
    """at: {b"M": action}: what say() takes, or a function of the data that returns one of these;
    of what has none it says go on. What it heard stands in heard:
    (connection, letter, data), with the macros as dict in the place of the data."""

    def __init__(self, host, port=7400, addresses=None):
        self.at, self.heard = {}, []
        super().__init__(host, port, addresses)

    def script(self, **at):
        """C=..., H=..., M=..., R=..., T=..., L=..., N=..., B=..., E=..., O=..."""
        with self.lock:
            self.at = {letter.encode(): action for letter, action in at.items()}
            self.heard = []

    def of(self, letter, connection=None):
        with self.lock:
            return [data for number, what, data in self.heard
                    if what == letter and connection in (None, number)]

    def letters(self):
        with self.lock:
            return b"".join(what for _, what, _ in self.heard if what != b"D")

    def talk(self, sock):
        number = self.connections
        reader = sock.makefile("rb")
        while True:
            head = reader.read(5)
            if len(head) < 5:
                return
            letter, data = head[4:], reader.read(struct.unpack(">I", head[:4])[0] - 1)
            if not self.answer(sock, number, letter, data):
                return

    def answer(self, sock, number, letter, data):
        if letter == b"D":
            words = data[1:].split(b"\0")
            with self.lock:
                self.heard.append((number, letter, (data[:1], dict(
                    zip((word.decode() for word in words[0::2]),
                        (word.decode() for word in words[1::2]))))))
            return True
        with self.lock:
            self.heard.append((number, letter, data))
            action = self.at.get(letter)
        if callable(action):
            action = action(data)
        if action is None:
            action = {b"O": options(), b"A": b"", b"Q": CLOSE}.get(letter, packet(b"c"))
        return self.say(sock, action)


class Clamd(Scripted):
    """answer: what say() takes, or a function of the text that returns it; behind the end of the
    text, or before it: early. takes: it reads so much of a text, and no more."""

    def __init__(self, host, port=3400, addresses=None):
        self.answer, self.early, self.takes, self.texts = b"stream: OK\0", False, None, []
        super().__init__(host, port, addresses)

    def script(self, answer=b"stream: OK\0", early=False, takes=None):
        with self.lock:
            self.answer, self.early, self.takes, self.texts = answer, early, takes, []

    def talk(self, sock):
        with self.lock:
            answer, early, takes = self.answer, self.early, self.takes
        reader = sock.makefile("rb")
        command = reader.read(10)
        if command != b"zINSTREAM\0":
            return
        text = bytearray()
        while not early:
            head = reader.read(4)
            if len(head) < 4:
                return
            size = struct.unpack(">I", head)[0]
            if size == 0:
                break
            text += reader.read(size)
            if takes is not None and len(text) >= takes:
                while True:  # as one whose thread hangs: nothing is read
                    if not self.listeners:
                        return
                    time.sleep(0.1)
        text = bytes(text)
        with self.lock:
            self.texts.append(text)
        if callable(answer):
            answer = answer(text)
        self.say(sock, answer)


def wait_heard(milter, letter, count=1, seconds=10):
    wait_until(lambda: len(milter.of(letter)) >= count, seconds, f"{count} of {letter}")
