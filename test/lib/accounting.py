# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns accounting packets as access servers send them: built here by the RFCs, with Python's hashes,
so that the daemon's reading is held against another one; and what real FreeRADIUS makes of them."""

import contextlib
import hashlib
import hmac
import ipaddress
import os
import secrets
import socket
import struct
import time

import mail
from lab import wait_until

SECRET = "a-long-secret-of-the-lab"
REQUEST, RESPONSE, STATUS_SERVER = 4, 5, 12
STATUS = {"start": 1, "stop": 2, "interim": 3, "on": 7, "off": 8, "failed": 15}

# name: (type, how it is encoded); a tuple of vendor and type is a vendor's own
NAMES = {
    "user": (1, "text"), "nas_ip": (4, "addr"), "ip": (8, "addr"), "filter": (11, "text"),
    "klass": (25, "text"), "timeout": (27, "number"), "called": (30, "text"),
    "calling": (31, "text"), "nas": (32, "text"), "proxy_state": (33, "text"),
    "status": (40, "number"), "delay": (41, "number"), "session": (44, "text"),
    "lasted": (46, "number"), "multi": (50, "text"), "time": (55, "number"),
    "interval": (85, "number"), "cui": (89, "text"), "nas_ip6": (95, "addr"),
    "prefix": (97, "prefix"), "interface": (96, "bytes"), "delegated": (123, "prefix"),
    "ip6": (168, "addr"), "aruba_ssid": ((14823, 5), "text"), "wlan": ((14179, 1), "number"),
    "ruckus_ssid": ((25053, 3), "text"), "cisco": ((9, 1), "text"), "raw": (0, "raw"),
}


def encode(value, how):
    if how == "number":
        return struct.pack(">I", value)
    if how == "addr":
        return ipaddress.ip_address(value).packed
    if how == "prefix":
        net = ipaddress.ip_network(value)
        return bytes([0, net.prefixlen]) + net.network_address.packed[:(net.prefixlen + 7) // 8]
    return value if isinstance(value, bytes) else value.encode()


def attribute(name, value):
    number, how = NAMES[name]
    if how == "raw":
        return value
    data = encode(value, how)
    if isinstance(number, tuple):
        data = struct.pack(">IBB", number[0], number[1], 2 + len(data)) + data
        number = 26
    return bytes([number, 2 + len(data)]) + data


def attributes(values):
    """A value may be a list: several of one."""
    return b"".join(attribute(name, one) for name, value in values.items()
                    for one in (value if isinstance(value, list) else [value]) if one is not None)


def request(ident, values, secret=SECRET, signed=False):
    body = attributes(values)
    if signed:
        body += bytes([80, 18]) + bytes(16)
    head = struct.pack(">BBH", REQUEST, ident, 20 + len(body))
    if signed:
        body = body[:-16] + hmac.new(secret.encode(), head + bytes(16) + body, "md5").digest()
    return head + hashlib.md5(head + bytes(16) + body + secret.encode()).digest() + body


def status_server(ident, secret=SECRET):
    head = struct.pack(">BBH", STATUS_SERVER, ident, 38) + secrets.token_bytes(16)
    body = bytes([80, 18]) + bytes(16)
    return head + body[:2] + hmac.new(secret.encode(), head + body, "md5").digest()


def is_answer(asked, answer, secret=SECRET):
    """Is it the answer to this request, by who knows the secret?"""
    head, body = answer[:4], answer[20:]
    return (answer[0] == RESPONSE and answer[1] == asked[1]
            and struct.unpack(">H", head[2:])[0] == len(answer)
            and hashlib.md5(head + asked[4:20] + body + secret.encode()).digest() == answer[4:20])


class Nas:
    """One that sends, from an address of a host of the lab."""

    def __init__(self, host, to, port=1813, secret=SECRET, source=None, **always):
        self.to, self.secret, self.always = (to, port), secret, always
        family = socket.AF_INET6 if ":" in to else socket.AF_INET
        self.sock = host.socket(family, socket.SOCK_DGRAM)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(5)
        self.ident = 0
        host.lab.on_close(self.sock.close)

    def packet(self, status, user=None, **values):
        self.ident = (self.ident + 1) % 256
        if "time" not in values and "time" not in self.always:
            values["time"] = int(time.time())
        return request(self.ident, {"status": STATUS[status], "user": user,
                                    **self.always, **values}, self.secret)

    def send(self, packet):
        self.sock.sendto(packet, self.to)

    def ask(self, packet, seconds=10):
        """Sends as a NAS does: again each second, until it is answered."""
        deadline = time.monotonic() + seconds
        self.sock.settimeout(1)
        while time.monotonic() < deadline:
            self.send(packet)
            answer = self.hear(packet)
            if answer:
                return answer
        raise AssertionError("no Accounting-Response")

    def hear(self, packet, seconds=1):
        """The answer to this packet, if it comes in time."""
        self.sock.settimeout(seconds)
        with contextlib.suppress(socket.timeout, ConnectionRefusedError):
            while True:
                answer = self.sock.recv(4096)
                if answer[1] != packet[1]:
                    continue
                assert is_answer(packet, answer, self.secret), answer.hex()
                return answer
        return None

    def tell(self, status, user=None, **values):
        """One event, answered."""
        return self.ask(self.packet(status, user, **values))


# ---- FreeRADIUS -------------------------------------------------------------------------------

TALLOC = f"{mail.MTA}/libtalloc2/usr/lib/x86_64-linux-gnu"
PACKAGES = ("freeradius", "freeradius-common", "freeradius-utils", "libfreeradius3", "libtalloc2")
VIEW = """
set -e
mount --make-rprivate /
mount -t overlay -o lowerdir="$1:/usr" overlay /usr
shift
exec "$@"
"""


def view(*argv):
    lower = ":".join(f"{mail.MTA}/{package}/usr" for package in PACKAGES
                     if os.path.isdir(f"{mail.MTA}/{package}/usr"))
    return ["unshare", "-m", "sh", "-c", VIEW, "sh", lower, "env", f"LD_LIBRARY_PATH={TALLOC}",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *argv]


def radclient(host, to, lines, secret=SECRET, what="acct", check=True):
    """Debian's own client; its output."""
    return host.run(*view("radclient", "-D", "/usr/share/freeradius", "-x", "-r", "3", "-t", "3",
                          to, what, secret), input="\n".join(lines) + "\n", check=check).stdout


class Freeradius:
    """The real server with a whole configuration of its own."""

    def __init__(self, host, text):
        self.host, self.folder = host, host.lab.path("freeradius")
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "radiusd.conf"), "w") as file:
            file.write(text.replace("@FOLDER@", self.folder))
        self.log = os.path.join(self.folder, "out")
        with open(self.log, "w") as log:
            self.process = host.popen(*view("freeradius", "-f", "-l", "stdout", "-d", self.folder),
                                      stdout=log, stderr=log)
        host.lab.on_close(self.stop)
        wait_until(self.ready, 30, "freeradius is ready")

    def ready(self):
        with open(self.log) as log:
            text = log.read()
        if self.process.poll() is not None:
            raise AssertionError(f"freeradius ended:\n{text}")
        return "Ready to process requests" in text

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
