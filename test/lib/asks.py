# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the control sockets as a program of its own would speak to them: frames, requests one after
the other, and many askers at once."""

import json
import os
import random
import socket
import struct
import threading

from lab import in_thread

WORDS, BODY, GO, ROW, TEXT, EVENT, DONE = 1, 2, 3, 16, 17, 18, 19


def frame(kind, payload=b""):
    return b"PS\1" + struct.pack("<BI", kind, len(payload)) + payload


def request(words, body=None):
    """The bytes of one request; a single text is split at blanks."""
    words = words.split() if isinstance(words, str) else words
    data = frame(WORDS, b"".join(word.encode() + b"\0" for word in words))
    if body is not None:
        data += frame(BODY, body.encode())
    return data + frame(GO)


class Asker:
    """One connection."""

    def __init__(self, postern, name="control.sock", timeout=30):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        try:
            self.sock.connect(os.path.join(postern.rundir, name))
        except BaseException:
            self.sock.close()
            raise
        self.reader = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.sock.close()

    def _read(self, length):
        data = self.reader.read(length)
        if data is None or len(data) < length:
            raise ConnectionError("the other end is gone")
        return data

    def answer(self):
        """(status, text, rows) of the request that was sent."""
        rows = []
        while True:
            header = self._read(8)
            kind, length = struct.unpack("<BI", header[3:])
            payload = self._read(length)
            if kind == ROW:
                rows.append(payload)
            elif kind == DONE:
                text = payload[1:].split(b"\0")[0].decode()  # JSON stands behind
                return payload[0], text, [json.loads(row) for row in rows]

    def ask(self, words, body=None):
        self.sock.sendall(request(words, body))
        return self.answer()


class Crowd:
    """Threads that each ask one request after the other, until they are stopped or nobody is left
    to ask. requests(rng) gives (words, body)."""

    def __init__(self, postern, requests, threads, seed):
        self.postern, self.requests = postern, requests
        self.lock, self.answers, self.stopped = threading.Lock(), {}, False
        self.threads = [in_thread(self._run, random.Random(seed * 100 + i))
                        for i in range(threads)]

    def _run(self, rng):
        try:
            with Asker(self.postern) as asker:
                while not self.stopped:
                    words, body = self.requests(rng)
                    status, _, _ = asker.ask(words, body)
                    with self.lock:
                        self.answers[status] = self.answers.get(status, 0) + 1
        except OSError:
            pass  # as is to be expected of a stop

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(30)
        return self.answers
