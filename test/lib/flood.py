# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns floods of first packets: SYNs to TCP/25, each with a port and, if wanted, a MAC of its own.
Run as a program in a host it sends them until it is ended."""

import contextlib
import itertools
import os
import socket
import struct
import subprocess
import sys
import time

GATEWAY_MAC = bytes.fromhex("02005e005301")
PAUSE = 0.004
PORTS = 50000
FLOOD = 1000000
# Each number is one connection, and the kernel knows for a minute what became of it.
_next = 0


def take_numbers(count):
    global _next
    _next += count
    return _next - count


def words_sum(data):
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def fold(total):
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def made_up(number):
    """A MAC that nobody has."""
    return b"\x02\xcc" + struct.pack("!I", number)


def source_of(family, number):
    """One of those of the guests' network that no host of the lab has. More would be a flood of
    the gateway's neighbours."""
    host = (number + number // PORTS) % 100
    return f"192.0.2.{20 + host}" if family == 4 else f"2001:db8:1::{0x100 + host:x}"


class Frames:
    """SYNs from one network to one destination."""

    def __init__(self, family, destination, mac=None, source=None):
        self.kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.family, self.mac, self.source = family, mac, source
        self.destination = socket.inet_pton(self.kind, destination)
        self.type = b"\x08\x00" if family == 4 else b"\x86\xdd"

    def frame(self, number):
        mac = self.mac or made_up(number)
        source = socket.inet_pton(self.kind, self.source or source_of(self.family, number))
        tcp = struct.pack("!HHIIBBHHH", 10000 + number % PORTS, 25, 1000 + number, 0, 5 << 4, 2,
                          64000, 0, 0)
        check = fold(words_sum(source + self.destination + tcp) + 6 + 20)
        tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
        if self.family == 4:
            head = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, 6, 0)
            head += source + self.destination
            head = head[:10] + struct.pack("!H", fold(words_sum(head))) + head[12:]
        else:
            head = struct.pack("!IHBB", 6 << 28, 20, 6, 64) + source + self.destination
        return GATEWAY_MAC + mac + self.type + head + tcp


def wire(interface="eth0"):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    return sock


def burst(host, frames, count):
    """Sends so many at once."""
    first = take_numbers(count)
    with host.inside(), wire() as sock:
        for frame in [frames.frame(number) for number in range(first, first + count)]:
            sock.send(frame)


def run(family, destination, rate, first, mac, source):
    frames = Frames(family, destination, bytes.fromhex(mac.replace(":", "")) if mac else None,
                    source)
    sent, began = 0, time.monotonic()
    numbers = itertools.count(first)
    with wire() as sock:
        print("sending", flush=True)
        while True:
            due = int((time.monotonic() - began) * rate)
            # who was not run for a while does not make up for it at once
            for number in itertools.islice(numbers, min(due - sent, rate // 10)):
                with contextlib.suppress(OSError):
                    sock.send(frames.frame(number))
            sent = due
            time.sleep(PAUSE)


@contextlib.contextmanager
def flood(host, family, destination, rate, mac=None, source=None):
    """So many a second from this host, while the block runs."""
    process = host.popen(sys.executable, os.path.abspath(__file__), str(family), destination,
                         str(rate), str(take_numbers(FLOOD)), mac or "", source or "", stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "sending\n", "no flood"
        yield process
        assert process.poll() is None, "the flood has ended by itself"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5],
        sys.argv[6] or None)
