# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns who stands between a client and a server and cuts what they say: in pieces, or off, or late."""

import contextlib
import socket
import threading
import time

from lab import in_thread


class Between:
    """At a port of the host, towards one of it. piece: bytes at a time that the server's words come
    in; ends: after so many of them both sides are closed; late: so many seconds pass before its
    first word behind a request. Without TLS it refuses LDAP's StartTLS by itself."""

    def __init__(self, host, address, port, towards, piece=None, ends=None, late=0, clear=False):
        self.host, self.towards = host, towards
        self.piece, self.ends, self.late, self.clear = piece, ends, late, clear
        self.came = 0
        self.listener = host.listen(address, port)
        in_thread(self._accept)
        host.lab.on_close(self.stop)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                self.came += 1
                in_thread(self._serve, near)

    def _serve(self, near):
        with contextlib.suppress(OSError), near, self.host.connect(*self.towards) as far:
            for sock in (near, far):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            said = threading.Thread(target=self._ask, args=(near, far), daemon=True)
            said.start()
            left = self.ends
            while data := far.recv(65536):
                if self.late:
                    time.sleep(self.late)
                if left is not None:
                    data, left = data[:left], left - len(data)
                for at in range(0, len(data), self.piece or len(data) or 1):
                    near.sendall(data[at:at + (self.piece or len(data))])
                if left is not None and left <= 0:
                    break
            for sock in (near, far):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _ask(self, near, far):
        first = self.clear
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                if first and data[5:6] == b"\x77":  # 0x30 length, id in one byte, the request
                    near.sendall(b"\x30\x0c\x02\x01" + data[4:5] + b"\x78\x07\x0a\x01\x02\x04\x00\x04\x00")
                else:
                    far.sendall(data)
                first = False
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_WR)
