# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns many who guess passwords at a listener at once: one thread, a socket for each connection."""

import base64
import collections
import selectors
import socket


class Connection:
    """One of an address's; comes again when it is ended, as long as guesses are left."""

    def __init__(self, guesser, place):
        self.guesser, self.place = guesser, place
        self.open()

    def open(self):
        self.sock = self.guesser.host.socket(
            socket.AF_INET6 if ":" in self.place.address else socket.AF_INET)
        self.sock.setblocking(False)
        self.sock.bind((self.place.address, 0))
        self.sock.connect_ex((self.guesser.door(self.place.address), self.guesser.port))
        self.heard, self.greeted, self.guessing, self.told = b"", False, False, 0
        self.guesser.selector.register(self.sock, selectors.EVENT_READ, self)

    def close(self):
        self.guesser.selector.unregister(self.sock)
        self.sock.close()

    def say(self, line):
        self.sock.send(line.encode() + b"\r\n")

    def guess(self):
        """False: none is left to this address."""
        self.guessing = self.place.left > 0
        if self.guessing:
            self.place.left -= 1
            user, password = self.guesser.guess(self.place, self.place.left)
            self.say("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
        return self.guessing

    def on_reply(self, line):
        code = line[:3].decode()
        if not self.greeted:
            self.greeted = code == "220"
            self.guesser.replies["greeting " + code] += 1
            if self.greeted:
                self.say("EHLO guess.example")
            return self.greeted
        if code == "421":  # it is told without being asked
            self.place.left += self.guessing
            self.guesser.replies[code] += 1
            return False
        if self.guessing:
            self.guesser.replies[code] += 1
            self.place.replies[code] += 1
            self.told += 1
            self.guessing = False
        return self.told < self.guesser.patience and self.guess()

    def on_bytes(self):
        """False: it is over."""
        try:
            got = self.sock.recv(4096)
        except OSError:
            got = b""
        if not got:
            self.guesser.replies["lost"] += self.guessing
            self.place.left += self.guessing
            return False
        *lines, self.heard = (self.heard + got).split(b"\n")
        return all(self.on_reply(line) for line in lines if line[3:4] != b"-")


class Place:
    """An address that guesses come from; what it was told."""

    def __init__(self, number, address, guesses):
        self.number, self.address, self.left = number, address, guesses
        self.replies = collections.Counter()


class Guesser:
    """door(address): where one of that family connects; guess(place, n): user and password of its
    n-th last guess. From each address so many connections at once; who has heard so many replies
    (patience) leaves, and comes again."""

    def __init__(self, host, addresses, door, port, guesses, guess, at_once=5, patience=20):
        self.host, self.door, self.port, self.guess = host, door, port, guess
        self.at_once, self.patience = at_once, patience
        self.places = [Place(number, address, guesses) for number, address in enumerate(addresses)]
        self.replies = collections.Counter()
        self.selector = selectors.DefaultSelector()

    def run(self):
        with self.host.inside():
            self.connections = {Connection(self, place) for place in self.places
                                for _ in range(self.at_once)}
            while self.connections:
                for key, _ in self.selector.select():
                    if not key.data.on_bytes():
                        key.data.close()
                        if key.data.place.left > 0:
                            key.data.open()
                        else:
                            self.connections.discard(key.data)
        self.selector.close()

    def told(self, code):
        return self.replies[code]
