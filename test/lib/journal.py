# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns stand-ins for the readers of a log: a journald that takes its native protocol, and a syslog.
A program started in `view` of one finds it where the real one would be."""

import contextlib
import os
import re
import select
import socket
import struct
import threading

# /dev and /run of the program alone, the sockets in them those of the test.
VIEW = """
set -e
mount --make-rprivate /
mkdir -p "$1/dev"
mount -t tmpfs tmpfs "$1/dev"
for name in null zero full random urandom tty; do
    touch "$1/dev/$name"
    mount --bind "/dev/$name" "$1/dev/$name"
done
ln -s "$1/syslog" "$1/dev/log"
mount --rbind "$1/dev" /dev
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd
ln -s "$1/journal" /run/systemd/journal
shift
exec "$@"
"""


def view(folder):
    """The words in front of a command that let it see the sockets in this folder."""
    return ["unshare", "-m", "sh", "-c", VIEW, "sh", folder]


class Reader:
    """A datagram socket at a path that is read by a thread, unless it is paused."""

    def __init__(self, path):
        self.path = path
        self.entries = []
        self.reading = threading.Event()
        self.reading.set()
        self.open()

    def open(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._read, args=(self.sock,), daemon=True)
        self.thread.start()

    def close(self):
        """As when the reader is stopped: what is sent is refused."""
        self.over.set()
        self.thread.join()
        self.sock.close()

    def _read(self, sock):
        while not self.over.is_set():
            if not self.reading.is_set():
                self.over.wait(0.02)
            elif select.select([sock], [], [], 0.05)[0]:
                self.entries.append(self.parse(sock.recv(1 << 20)))


class Journal(Reader):
    """Entries are dicts of bytes by the field's name."""

    def __init__(self, folder):
        super().__init__(os.path.join(folder, "journal", "socket"))

    @staticmethod
    def parse(data):
        """As systemd.io/JOURNAL_NATIVE_PROTOCOL says; strict."""
        entry = {}
        while data:
            line, end, rest = data.partition(b"\n")
            assert end, data
            name, equals, value = line.partition(b"=")
            if not equals:
                (length,) = struct.unpack("<Q", rest[:8])
                value, rest = rest[8:8 + length], rest[8 + length:]
                assert rest[:1] == b"\n", data
                rest = rest[1:]
            assert re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name), data
            assert name.decode() not in entry, data
            entry[name.decode()] = value
            data = rest
        return entry

    def having(self, **fields):
        """Entries with these fields; None: the field is there."""
        return [entry for entry in list(self.entries) if all(
            name in entry and (value is None or entry[name] == str(value).encode())
            for name, value in fields.items())]

    def saying(self, text):
        return [entry for entry in list(self.entries) if text.encode() in entry["MESSAGE"]]


class Syslog(Reader):
    """Entries are (priority, identifier, pid, text)."""

    def __init__(self, folder):
        super().__init__(os.path.join(folder, "syslog"))

    @staticmethod
    def parse(data):
        found = re.fullmatch(r"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ([a-z]+)\[(\d+)\]: (.*)",
                             data.decode())
        assert found, data
        return int(found[1]), found[2], int(found[3]), found[4]

    def saying(self, text):
        return [entry for entry in list(self.entries) if text in entry[3]]
